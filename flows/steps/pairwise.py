"""Have a teacher compare written answers; the journal of all evaluations keeps its verdicts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.engine import Engine
from flows.settings import Settings
from flows.steps.judge import Judge
from pipeline.curation.judging.config import JudgeConfig
from schemas.errors import UserError
from schemas.evaluation import JudgedPairs
from training.evaluation.tasks.items import EvaluationTask

if TYPE_CHECKING:
    from training.evaluation.cells import Answered
    from training.evaluation.report import Judging

JOURNAL = "evaluations"
"""Name of the journal that keeps the verdicts, so that no pair is paid for twice."""


class NothingWrittenError(UserError):
    """There are no written answers to compare."""


def open_judging(
    model: str | None, tasks: Sequence[EvaluationTask], settings: Settings, engine: Engine
) -> "Judging | None":
    """Return what compares answers; None when nobody was named.

    Args:
        model: Judge, as its endpoint or an embedded model is called.
        tasks: What will be asked.
        settings: Where the journal is, and the endpoint.
        engine: Told how far it is.

    Raises:
        NothingWrittenError: No task has written answers.
    """
    if model is None:
        return None
    # Said before the first question: an evaluation can take hours.
    if all(task.is_choice for task in tasks):
        raise NothingWrittenError(
            f"--judge-model {model} compares written answers, and all answers of "
            f"{', '.join(task.name for task in tasks)} are given: add --task "
            "instruction-following, or leave out --judge-model."
        )
    judge = Judge(model, JudgeConfig(), JOURNAL, settings, engine, may_ask=True)

    def compare(theirs: "Sequence[Answered]", mine: "Sequence[Answered]") -> list[JudgedPairs]:
        from training.evaluation.judging.judging import Question, judge_pairs

        written = [
            (one, other)
            for one, other in zip(theirs, mine, strict=True)
            if one.texts and not one.cell.shot_count and _is_first_wording(one)
        ]
        if not written:
            raise NothingWrittenError(
                f"--judge-model {model} compares answers written without worked examples, and "
                "nothing was asked so: add 0 to --shots, or leave out --judge-model."
            )
        questions = [
            Question(
                "\n\n".join(filter(None, [one.cell.wording.instruction, item.text])),
                one.cell.task.language,
            )
            for one, _ in written
            for item in one.cell.items
        ]
        return judge_pairs(
            questions,
            [text for one, _ in written for text in one.texts],
            [text for _, other in written for text in other.texts],
            judge.ask,
            model,
            seed=0,
        )

    return compare


def _is_first_wording(answered: "Answered") -> bool:
    return answered.cell.wording == answered.cell.task.card.wordings[0]
