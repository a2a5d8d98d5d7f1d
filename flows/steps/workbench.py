"""Curate drafts under any config: what the curation step, explorations and proofs share."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flows.earlier import open_earlier
from flows.engine import Engine
from flows.evaluation_sets import load_protected
from flows.settings import Settings
from flows.steps.judging import NOT_JUDGED, Judged, assess
from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import curate
from pipeline.curation.judging.selection import select
from pipeline.curation.reviewing import apply_decisions
from pipeline.curation.shards import Examination
from schemas.manifest import GenerationRun, ReviewReport
from schemas.progress import Progress
from schemas.records import Draft, SeedTask, StageResult
from schemas.review import ReviewDecision
from training.evaluation.tasks.loading import list_tasks


class Curated(NamedTuple):
    """Both halves, and what judge and readers found."""

    result: StageResult
    judged: Judged
    review: ReviewReport | None


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
    decisions: Sequence[ReviewDecision] = ()
    """What readers decided about records of the name, oldest first."""

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
                config.contamination.sets,
                list_tasks(),
                self.settings,
                config.contamination.hold_out,
            )
            if "contamination" in config.stage
            else (),
        )
        judged = NOT_JUDGED
        if "judge" in config.stage:
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
            result = StageResult(chosen.kept, [*result.dropped, *chosen.dropped])
        decisions = self.decisions if "review" in config.stage else ()
        reviewed = apply_decisions(result.kept, result.dropped, decisions)
        return Curated(StageResult(reviewed.kept, reviewed.dropped), judged, reviewed.report)
