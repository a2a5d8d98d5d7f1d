"""Pass drafts through the stages of curation, in one order, losing none.

:class:`Admission` holds the stages that judge one draft after the other against what was kept so
far; generation uses it to learn what survives. :func:`curate` uses the very same for all drafts of
a run and then looks at the set as a whole. Both therefore decide alike.

Order: schema, duplicate, language, rules, novelty, near-duplicate, contamination; a rejection is
the first stage's that objects. The judge comes after all of them, because it costs requests
(:mod:`pipeline.curation.judging`). Cheap stages come first, and only what passed all of them enters
the indexes that later drafts are compared with, so ``collides_with`` names a seed task or a record
that novelty kept. Where near-duplicate then drops that one, its own rejection names the next.
"""

from collections.abc import Sequence

from pydantic import SecretStr

from pipeline.curation.config import CurationConfig
from pipeline.curation.contamination.contamination import ProtectedItem, drop_contaminated
from pipeline.curation.earlier import Earlier, know_nothing, to_task
from pipeline.curation.examination import Examined, Examiner
from pipeline.curation.near_duplicates.near_duplicates import drop_near_duplicates
from pipeline.curation.novelty.index import Standing
from pipeline.curation.novelty.novelty import KnownTasks
from pipeline.curation.shards import Examination, Finding, examine_here
from schemas.errors import PacaloomError
from schemas.progress import Progress, no_progress
from schemas.records import (
    Draft,
    InstructionRecord,
    Language,
    Rejection,
    SeedTask,
    StageResult,
    to_draft,
)

_MEASURE: dict[Language, str] = {"en": "ROUGE-L F1", "ko": "overlap in content words"}


class LostDraftError(PacaloomError):
    """Curation returned more or fewer records than it was given: a fault of this program."""


class Admission:
    """The stages that judge one draft at a time, against seed tasks and what they kept before."""

    def __init__(
        self,
        seeds: Sequence[SeedTask],
        config: CurationConfig | None = None,
        known: KnownTasks | None = None,
    ) -> None:
        """Load what the configured stages need and make the seed tasks known to them.

        Args:
            seeds: Tasks that every record must differ from.
            config: Stages and knobs; None takes the defaults.
            known: Tasks of earlier versions; those that are kept are added.
        """
        self._config = config or CurationConfig()
        self._examiner = Examiner(self._config)
        self._known = know_nothing(self._config).tasks if known is None else known
        self._known.add([to_task(seed.id, seed, self._config) for seed in seeds])

    def admit(self, draft: Draft) -> InstructionRecord | Rejection:
        """Judge the next draft; a record that is returned counts as kept from now on."""
        return self.admit_all([draft])[0]

    def admit_all(self, drafts: Sequence[Draft]) -> list[InstructionRecord | Rejection]:
        """Judge drafts in order, as :meth:`admit` would one by one."""
        return self.decide([self._examiner.examine(draft) for draft in drafts])

    def decide(self, findings: Sequence[Finding]) -> list[InstructionRecord | Rejection]:
        """Judge drafts that were examined, in order."""
        tasks = [
            to_task(one.record.id, one.record, self._config, barred=one.objection is not None)
            for one in findings
            if isinstance(one, Examined)
        ]
        standings = iter(self._known.sift(tasks))
        return [
            one if isinstance(one, Rejection) else self._decide(one, next(standings))
            for one in findings
        ]

    def _decide(self, examined: Examined, standing: Standing) -> InstructionRecord | Rejection:
        record, objection = examined
        if standing.kind == "twin":
            return Rejection(
                draft=to_draft(record),
                stage="duplicate",
                reason="exact-duplicate",
                detail=f"instruction and input are those of {standing.of}",
                score=1.0,
                collides_with=standing.of,
            )
        if objection is not None:
            return Rejection(draft=to_draft(record), **objection._asdict())
        if standing.kind == "repeat":
            threshold = self._config.novelty.of(record.language)
            return Rejection(
                draft=to_draft(record),
                stage="novelty",
                reason="repeat",
                detail=f"{_MEASURE[record.language]} with {standing.of} is {standing.score:.3f}, "
                f"over {threshold}",
                score=standing.score,
                collides_with=standing.of,
            )
        return record


def curate(
    drafts: Sequence[Draft],
    seeds: Sequence[SeedTask],
    config: CurationConfig | None = None,
    progress: Progress = no_progress,
    *,
    examine: Examination = examine_here,
    earlier: Earlier | None = None,
    protected: Sequence[ProtectedItem] = (),
    redis_password: SecretStr | None = None,
) -> StageResult:
    """Pass drafts, in order, through all configured stages.

    Args:
        drafts: In priority order: of two that repeat each other the first is kept.
        seeds: Tasks that every record must differ from.
        config: Stages and knobs; None takes the defaults.
        progress: Told how far it is.
        examine: Where each draft is looked at by itself: here, in processes, on a cluster.
        earlier: Records of earlier versions, which stay.
        protected: Items of evaluation sets, which no record may hold.
        redis_password: Of the Redis that near duplicates share, if it has one.

    Returns:
        ``kept`` in input order, and ``dropped`` with the per-record rejections in input order
        first and those of the stages that see the whole set behind them.

    Raises:
        LostDraftError: The two halves do not add up to the drafts.
    """
    config = config or CurationConfig()
    earlier = earlier or know_nothing(config)
    admission = Admission(seeds, config, earlier.tasks)
    result = StageResult([], [])
    for verdict in admission.decide(examine(drafts, config, progress)):
        if isinstance(verdict, Rejection):
            result.dropped.append(verdict)
        else:
            result.kept.append(verdict)
    if "near-duplicate" in config.stage:
        result = _go_on(
            result,
            drop_near_duplicates(
                result.kept, config.near_duplicates, earlier.texts, progress, redis_password
            ),
        )
    if "contamination" in config.stage:
        result = _go_on(
            result, drop_contaminated(result.kept, protected, config.contamination, progress)
        )
    _check_sum(len(drafts), result)
    return result


def _go_on(result: StageResult, stage: StageResult) -> StageResult:
    """Take what a stage kept of the kept records, and add what it dropped."""
    return StageResult(stage.kept, [*result.dropped, *stage.dropped])


def _check_sum(draft_count: int, result: StageResult) -> None:
    """Raise unless each draft ended in exactly one half."""
    if draft_count != len(result.kept) + len(result.dropped):
        raise LostDraftError(
            f"Curation was given {draft_count} drafts and returned {len(result.kept)} kept and "
            f"{len(result.dropped)} rejected ones. This is a fault of Pacaloom: please report it."
        )
