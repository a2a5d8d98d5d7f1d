"""The curation step: drafts or a file of records in, a published dataset version out."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flows.drafts import read_drafts_manifest
from flows.earlier import find_versions
from flows.engine import Engine
from flows.outcomes import CurateOutcome
from flows.parameters import NO_SEEDS, PROJECT_SEEDS, CurateParams, part_of
from flows.paths import drafts_path
from flows.resources import expand, load_seeds
from flows.reviewing import read_decisions
from flows.settings import Settings
from flows.steps.publishing import publish_curated
from flows.steps.workbench import Workbench
from pipeline.curation.config import CurationConfig
from pipeline.curation.importing import read_drafts
from pipeline.curation.rules.cost import cost_in_yield
from pipeline.curation.shards import examine_in_processes
from pipeline.publishing.versions import check_name, list_versions, open_version
from schemas.errors import UserError
from schemas.manifest import GenerationRun
from schemas.records import Draft
from schemas.storage import read_jsonl


class DraftsError(UserError):
    """There are no drafts of that name."""


def open_workbench(params: CurateParams, settings: Settings, engine: Engine) -> Workbench:
    """Read drafts and seed tasks, and find what the drafts are held against.

    Raises:
        UserError: Something that was named is not there, or is no records.
    """
    drafts, runs, seed_files = _read_source(params, settings)
    seed_files = seed_files if params.seeds is None else params.seeds
    if seed_files == (NO_SEEDS,):
        seed_files = ()
    processes = params.processes or os.cpu_count() or 1
    examine = (
        engine.use_cluster(params.cluster) if params.cluster else examine_in_processes(processes)
    )
    return Workbench(
        params.name,
        drafts,
        runs,
        load_seeds(seed_files),
        seed_files,
        find_versions(params.against, settings),
        examine,
        settings,
        engine,
        read_decisions(params.name, settings, engine),
    )


def curate_and_publish(params: CurateParams, settings: Settings, engine: Engine) -> CurateOutcome:
    """Curate drafts or a file of records, and publish both halves as a dataset version."""
    check_name(params.name)
    bench = open_workbench(params, settings, engine)
    drafts_sha256 = _hash_drafts(bench.drafts)
    bench = bench._replace(against=_without_own(bench.against, params.name, drafts_sha256))
    config = part_of(params, CurationConfig)
    with engine.progress("curate") as progress:
        curated = bench.curate(config, progress)
    before = list_versions(settings.outputs / "datasets", params.name)
    folder = publish_curated(
        bench,
        curated,
        config,
        licence=params.licence,
        card_language=params.card_language,
        drafts_sha256=drafts_sha256,
    )
    manifest = open_version(folder)
    engine.say(f"Kept {manifest.kept} of {manifest.generated} drafts in {folder}")
    return CurateOutcome(
        dataset=folder,
        is_new=folder not in before,
        content_hash=manifest.content_hash,
        generated=manifest.generated,
        kept=manifest.kept,
        rejected=manifest.rejected,
        only_because=cost_in_yield(curated.result.dropped),
        kept_by_language=manifest.kept_by_language,
        rejected_by_language=manifest.rejected_by_language,
        judge=manifest.judge,
    )


def _hash_drafts(drafts: Sequence[Draft]) -> str:
    digest = hashlib.sha256()
    for draft in drafts:
        # Escaped: a draft may hold lone surrogates, which UTF-8 has no bytes for.
        digest.update(json.dumps(draft.model_dump(mode="python"), ensure_ascii=True).encode())
    return digest.hexdigest()


def _without_own(against: tuple[Path, ...], name: str, drafts_sha256: str) -> tuple[Path, ...]:
    """Leave out the version that this very batch became, when it is curated once more."""
    is_own = bool(against) and against[-1].parent.name == name
    if is_own and open_version(against[-1]).drafts_sha256 == drafts_sha256:
        return against[:-1]
    return against


class _Source(NamedTuple):
    drafts: list[Draft]
    runs: tuple[GenerationRun, ...]
    seed_files: tuple[str, ...]
    """What the records are compared with unless the user says otherwise."""


def _read_source(params: CurateParams, settings: Settings) -> _Source:
    if params.input is not None:
        return _Source(read_drafts(expand(params.input)), (), PROJECT_SEEDS)
    manifest = read_drafts_manifest(params.name, settings.outputs)
    if manifest is None:
        raise DraftsError(
            f"No drafts of {params.name!r} in {settings.outputs}. Make some with "
            f"`./pacaloom generate --name {params.name}`, or pass records with --input FILE.jsonl."
        )
    drafts = list(read_jsonl(drafts_path(settings.outputs, params.name), Draft))
    return _Source(drafts, manifest.runs, manifest.seed_paths)
