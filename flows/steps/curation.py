"""The curation step: drafts or a file of records in, a published dataset version out."""

from typing import NamedTuple

from flows.drafts import read_drafts_manifest
from flows.engine import Engine
from flows.outcomes import CurateOutcome
from flows.parameters import NO_SEEDS, PROJECT_SEEDS, CurateParams, part_of
from flows.paths import drafts_path
from flows.resources import hash_files, load_seeds
from flows.settings import Settings
from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import curate
from pipeline.curation.importing import read_drafts
from pipeline.publishing.versions import Publication, check_name, open_version, publish
from schemas.errors import UserError
from schemas.manifest import GenerationRun
from schemas.records import Draft
from schemas.storage import read_jsonl


class DraftsError(UserError):
    """There are no drafts of that name."""


class _Source(NamedTuple):
    drafts: list[Draft]
    runs: tuple[GenerationRun, ...]
    seed_files: tuple[str, ...]
    """What the records are compared with unless the user says otherwise."""


def curate_and_publish(params: CurateParams, settings: Settings, engine: Engine) -> CurateOutcome:
    """Curate drafts or a file of records, and publish both halves as a dataset version."""
    check_name(params.name)
    source = _read_source(params, settings)
    seed_files = source.seed_files if params.seeds is None else params.seeds
    if seed_files == (NO_SEEDS,):
        seed_files = ()
    config = part_of(params, CurationConfig)
    with engine.progress("curate") as progress:
        result = curate(source.drafts, load_seeds(seed_files), config, progress)
    folder = publish(
        Publication(
            name=params.name,
            kept=result.kept,
            rejected=result.dropped,
            seeds=hash_files(seed_files),
            curation=config.model_dump(mode="json"),
            runs=source.runs,
            licence=params.licence,
            code_version=settings.code_version,
        ),
        settings.outputs / "datasets",
    )
    manifest = open_version(folder)
    engine.say(f"Kept {manifest.kept} of {manifest.generated} drafts in {folder}")
    return CurateOutcome(
        dataset=folder,
        content_hash=manifest.content_hash,
        generated=manifest.generated,
        kept=manifest.kept,
        rejected=manifest.rejected,
        kept_by_language=manifest.kept_by_language,
        rejected_by_language=manifest.rejected_by_language,
    )


def _read_source(params: CurateParams, settings: Settings) -> _Source:
    if params.input is not None:
        return _Source(read_drafts(params.input.expanduser()), (), PROJECT_SEEDS)
    manifest = read_drafts_manifest(params.name, settings.outputs)
    if manifest is None:
        raise DraftsError(
            f"No drafts of {params.name!r} in {settings.outputs}. Make some with "
            f"`./pacaloom generate --name {params.name}`, or pass records with --input FILE.jsonl."
        )
    drafts = list(read_jsonl(drafts_path(settings.outputs, params.name), Draft))
    return _Source(drafts, manifest.runs, manifest.seed_paths)
