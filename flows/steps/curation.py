"""The curation step: drafts or a file of records in, a published dataset version out."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flows.drafts import read_drafts_manifest
from flows.earlier import find_versions, open_earlier
from flows.engine import Engine
from flows.evaluation_sets import load_protected
from flows.outcomes import CurateOutcome
from flows.parameters import NO_SEEDS, PROJECT_SEEDS, CurateParams, part_of
from flows.paths import drafts_path
from flows.resources import expand, hash_files, load_seeds
from flows.settings import Settings
from flows.steps.judging import NOT_JUDGED, Judged, assess
from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import curate
from pipeline.curation.importing import read_drafts
from pipeline.curation.judging.selection import select
from pipeline.curation.rules.cost import cost_in_yield
from pipeline.curation.shards import Examination, examine_in_processes
from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.versions import check_name, open_version
from schemas.errors import UserError
from schemas.manifest import GenerationRun
from schemas.progress import Progress
from schemas.records import Draft, SeedTask, StageResult
from schemas.storage import read_jsonl
from training.evaluation.tasks import BUILT_IN_TASKS


class DraftsError(UserError):
    """There are no drafts of that name."""


class Curated(NamedTuple):
    """Both halves, and what the judge found."""

    result: StageResult
    judged: Judged


class Workbench(NamedTuple):
    """All that curation works on besides its config: opened once, used for any config."""

    name: str
    drafts: list[Draft]
    runs: tuple[GenerationRun, ...]
    seeds: Sequence[SeedTask]
    seed_files: tuple[str, ...]
    against: tuple[Path, ...]
    """Earlier versions that records must differ from."""
    examine: Examination
    settings: Settings
    engine: Engine

    def curate(
        self, config: CurationConfig, progress: Progress, *, may_ask: bool = True
    ) -> Curated:
        """Curate the drafts; publishes nothing.

        Args:
            config: Stages and knobs.
            progress: Told how far it is.
            may_ask: The judge may be asked what its journal does not hold, and what is kept is
                shared with other machines.
        """
        if not may_ask:
            alone = config.near_duplicates.model_copy(update={"storage": None})
            config = config.model_copy(update={"near_duplicates": alone})
        result = curate(
            self.drafts,
            self.seeds,
            config,
            progress,
            examine=self.examine,
            earlier=open_earlier(self.against, config, self.settings, self.engine),
            redis_password=self.settings.redis_password,
            protected=load_protected(
                config.contamination.sets, tuple(BUILT_IN_TASKS), self.settings
            )
            if "contamination" in config.stage
            else (),
        )
        if "judge" not in config.stage:
            return Curated(result, NOT_JUDGED)
        judged = assess(
            result.kept,
            result.dropped,
            config.judge,
            self.name,
            self.settings,
            self.engine,
            may_ask=may_ask,
        )
        chosen = select(result.kept, judged.assessments, config.judge)
        return Curated(StageResult(chosen.kept, [*result.dropped, *chosen.dropped]), judged)


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
    )


def curate_and_publish(params: CurateParams, settings: Settings, engine: Engine) -> CurateOutcome:
    """Curate drafts or a file of records, and publish both halves as a dataset version."""
    check_name(params.name)
    bench = open_workbench(params, settings, engine)
    drafts_sha256 = _hash_drafts(bench.drafts)
    bench = bench._replace(against=_without_own(bench.against, params.name, drafts_sha256))
    config = part_of(params, CurationConfig)
    with engine.progress("curate") as progress:
        result, judged = bench.curate(config, progress)
    folder = publish(
        Publication(
            name=params.name,
            kept=result.kept,
            rejected=result.dropped,
            seeds=hash_files(bench.seed_files),
            curation=config.model_dump(mode="json"),
            judge=judged.report,
            assessments={**judged.audited, **judged.assessments},
            drafts_sha256=drafts_sha256,
            against=tuple(f"{folder.parent.name}/{folder.name}" for folder in bench.against),
            runs=bench.runs,
            licence=params.licence,
            card_language=params.card_language,
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
        only_because=cost_in_yield(result.dropped),
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
