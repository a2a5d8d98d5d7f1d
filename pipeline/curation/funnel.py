"""Pass drafts through the stages of curation, in one order, losing none.

:class:`Admission` holds the stages that judge one draft after the other against what was kept so
far; generation uses it to learn what survives. :func:`curate` uses the very same for all drafts of
a run and then looks at the set as a whole. Both therefore decide alike.

Order: schema, duplicate, language, rules, novelty, near-duplicate; a rejection is the first
stage's that objects. Cheap stages come first, and only what passed all of them enters the indexes
that later drafts are compared with, so ``collides_with`` names a seed task or a record that
novelty kept. Where near-duplicate then drops that one, its own rejection names the next.
"""

from collections.abc import Iterable, Sequence

from pydantic import Field

from pipeline.curation.duplicates import SeenTasks
from pipeline.curation.language import LanguageConfig, LanguageReader, find_mismatch
from pipeline.curation.near_duplicates import NearDuplicatesConfig, drop_near_duplicates
from pipeline.curation.novelty import Instruction, KnownInstructions, NoveltyConfig
from pipeline.curation.rules.catalogue import RulesConfig, find_broken_rule
from pipeline.curation.validation import ValidationConfig, validate
from schemas.errors import PacaloomError
from schemas.frozen import Frozen
from schemas.progress import Progress, no_progress
from schemas.records import (
    STAGES,
    Draft,
    InstructionRecord,
    Rejection,
    SeedTask,
    Stage,
    StageResult,
    to_draft,
)

_REPORT_EVERY = 1000


class LostDraftError(PacaloomError):
    """Curation returned more or fewer records than it was given: a fault of this program."""


class CurationConfig(Frozen):
    """Which stages run, and the knobs of each."""

    stage: tuple[Stage, ...] = Field(default=STAGES)
    """Stages to run. Their order is fixed, and ``schema`` always runs, because only its records
    can be judged by the others."""
    validation: ValidationConfig = ValidationConfig()
    language: LanguageConfig = LanguageConfig()
    rules: RulesConfig = RulesConfig()
    novelty: NoveltyConfig = NoveltyConfig()
    near_duplicates: NearDuplicatesConfig = NearDuplicatesConfig()


class Admission:
    """The stages that judge one draft at a time, against seed tasks and what they kept before."""

    def __init__(self, seeds: Sequence[SeedTask], config: CurationConfig | None = None) -> None:
        """Load what the configured stages need and make the seed tasks known to them."""
        self._config = config or CurationConfig()
        stages = self._config.stage
        self._tasks = SeenTasks() if "duplicate" in stages else None
        self._reader = LanguageReader(self._config.language) if "language" in stages else None
        self._known = KnownInstructions(self._config.novelty) if "novelty" in stages else None
        self.learn(Instruction(seed.instruction, seed.language) for seed in seeds)
        for seed in seeds:
            self._remember(seed.id, seed)

    def learn(self, instructions: Iterable[Instruction]) -> None:
        """Learn the word frequencies of what is to come; makes novelty faster, never different."""
        if self._known is not None:
            self._known.learn(instructions)

    def admit(self, draft: Draft) -> InstructionRecord | Rejection:
        """Judge the next draft; a record that is returned counts as kept from now on."""
        record = validate(draft, self._config.validation)
        if isinstance(record, Rejection):
            return record
        for find_rejection in (
            self._find_duplicate,
            self._find_mismatch,
            self._find_broken_rule,
            self._find_repeat,
        ):
            rejection = find_rejection(record)
            if rejection is not None:
                return rejection
        self._remember(record.id, record)
        return record

    def _remember(self, task_id: str, task: InstructionRecord | SeedTask) -> None:
        if self._tasks is not None:
            self._tasks.add(task_id, task.instruction, task.input)
        if self._known is not None:
            self._known.add(task_id, Instruction(task.instruction, task.language))

    def _find_duplicate(self, record: InstructionRecord) -> Rejection | None:
        if self._tasks is None:
            return None
        twin = self._tasks.find(record.instruction, record.input)
        if twin is None:
            return None
        return Rejection(
            draft=to_draft(record),
            stage="duplicate",
            reason="exact-duplicate",
            detail=f"instruction and input are those of {twin}",
            score=1.0,
            collides_with=twin,
        )

    def _find_mismatch(self, record: InstructionRecord) -> Rejection | None:
        if self._reader is None:
            return None
        mismatch = find_mismatch(record, self._reader)
        if mismatch is None:
            return None
        return Rejection(draft=to_draft(record), stage="language", **mismatch._asdict())

    def _find_broken_rule(self, record: InstructionRecord) -> Rejection | None:
        if "rules" not in self._config.stage:
            return None
        broken = find_broken_rule(record, self._config.rules)
        if broken is None:
            return None
        return Rejection(
            draft=to_draft(record),
            stage="rules",
            reason=broken.rule.id,
            detail=broken.evidence,
        )

    def _find_repeat(self, record: InstructionRecord) -> Rejection | None:
        if self._known is None:
            return None
        nearest = self._known.nearest(Instruction(record.instruction, record.language))
        if nearest is None:
            return None
        threshold = self._config.novelty.threshold(record.language)
        return Rejection(
            draft=to_draft(record),
            stage="novelty",
            reason="repeat",
            detail=f"ROUGE-L F1 with {nearest.id} is {nearest.f1:.3f}, over {threshold}",
            score=nearest.f1,
            collides_with=nearest.id,
        )


def curate(
    drafts: Sequence[Draft],
    seeds: Sequence[SeedTask],
    config: CurationConfig | None = None,
    progress: Progress = no_progress,
) -> StageResult:
    """Pass drafts, in order, through all configured stages.

    Returns:
        ``kept`` in input order, and ``dropped`` with the per-record rejections in input order
        first and those of near-duplicate behind them.

    Raises:
        LostDraftError: The two halves do not add up to the drafts.
    """
    config = config or CurationConfig()
    admission = Admission(seeds, config)
    admission.learn(Instruction(draft.instruction, draft.language) for draft in drafts)
    result = StageResult([], [])
    for done, draft in enumerate(drafts, start=1):
        verdict = admission.admit(draft)
        if isinstance(verdict, Rejection):
            result.dropped.append(verdict)
        else:
            result.kept.append(verdict)
        if done % _REPORT_EVERY == 0:
            progress(done, len(drafts), "record by record")
    if "near-duplicate" in config.stage:
        clustered = drop_near_duplicates(result.kept, config.near_duplicates, progress)
        result = StageResult(clustered.kept, [*result.dropped, *clustered.dropped])
    _check_sum(len(drafts), result)
    return result


def _check_sum(draft_count: int, result: StageResult) -> None:
    """Raise unless each draft ended in exactly one half."""
    if draft_count != len(result.kept) + len(result.dropped):
        raise LostDraftError(
            f"Curation was given {draft_count} drafts and returned {len(result.kept)} kept and "
            f"{len(result.dropped)} rejected ones. This is a fault of Pacaloom: please report it."
        )
