"""The judging step: ask a teacher for scores, and a student for perplexities."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flows.engine import Engine
from flows.resources import get_student
from flows.settings import Settings
from flows.steps.judge import Judge
from pipeline.curation.judging.agreement import report_judge
from pipeline.curation.judging.config import JudgeConfig
from schemas.judgements import Assessment
from schemas.manifest import JudgeReport
from schemas.records import InstructionRecord, Rejection
from schemas.templates import INSTRUCTION


class Judged(NamedTuple):
    """What was found of the records of a curation."""

    assessments: dict[str, Assessment]
    """By record id."""
    audited: dict[str, Assessment]
    """The same of records that the rules had dropped."""
    report: JudgeReport | None


NOT_JUDGED = Judged({}, {}, None)


def assess(
    records: Sequence[InstructionRecord],
    dropped: Sequence[Rejection],
    config: JudgeConfig,
    name: str,
    settings: Settings,
    engine: Engine,
    *,
    may_ask: bool = True,
) -> Judged:
    """Judge records, and some that the rules dropped, with the journal of a name.

    Args:
        records: To be judged.
        dropped: Some of those that the rules dropped are scored for comparison.
        config: Who judges.
        name: Whose journal keeps the answers.
        settings: Where things are.
        engine: Told how far it is.
        may_ask: False takes scores from the journal alone, and compares nothing: other settings
            drop other records, which nobody has scored.

    Raises:
        JudgingError: A cap was reached, or an answer is missing and may not be asked for.
        PacaloomError: Teacher or student cannot be had.
    """
    judged = NOT_JUDGED
    if config.model is not None:
        audited = _choose_audited(dropped, config.audit) if may_ask else []
        judge = Judge(config.model, config, name, settings, engine, may_ask=may_ask)
        found = judge.judge([*records, *audited])
        of_kept = {record.id: Assessment(found[record.id]) for record in records}
        of_audited = {record.id: Assessment(found[record.id]) for record in audited}
        report = report_judge(
            config.model,
            [one.judgement for one in of_kept.values() if one.judgement],
            [one.judgement for one in of_audited.values() if one.judgement],
            config.min_score,
        )
        judged = Judged(of_kept, of_audited, report)
    if config.student is not None:
        measured = _measure(records, config.student, settings, engine)
        of_kept = {
            id_: judged.assessments.get(id_, Assessment())._replace(difficulty=difficulty)
            for id_, difficulty in measured.items()
        }
        judged = judged._replace(assessments=of_kept)
    return judged


def _choose_audited(dropped: Sequence[Rejection], count: int) -> list[InstructionRecord]:
    """Draw records that the rules dropped: those with the lowest ids.

    Ids are hashes, so this is a fair sample, and one that changes little when a rule changes.
    """
    ruled = {one.draft.id: one.draft for one in dropped if one.stage == "rules"}
    return [
        InstructionRecord.model_validate(ruled[id_].model_dump(exclude={"defect"}))
        for id_ in sorted(ruled)[:count]
    ]


def _measure(
    records: Sequence[InstructionRecord], student: str, settings: Settings, engine: Engine
) -> Mapping[str, float]:
    # torch takes seconds to import.
    from training.difficulty import measure_difficulty
    from training.loading import load_model

    if not records:
        return {}
    model, tokenizer = load_model(get_student(student, settings, engine).path)
    texts = [
        INSTRUCTION.render(one.instruction, one.input, one.output, one.language) for one in records
    ]
    with engine.progress(f"difficulty for {student}") as progress:
        found = measure_difficulty(model, tokenizer, texts, progress)
    return {record.id: value for record, value in zip(records, found, strict=True)}
