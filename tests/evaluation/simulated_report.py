"""Reports whose answers come from chance, for tests of the gate."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from schemas.evaluation import (
    CanaryAnswer,
    Comparison,
    ComparisonKind,
    EvaluationReport,
    Family,
    ModelFacts,
)
from training.evaluation.statistics.clusters import Alike, Paired
from training.evaluation.statistics.significance import sign_flip

FAULTLESS: Mapping[str, str | bool] = MappingProxyType({})
EN, KO = "movie-sentiment-en", "movie-sentiment-ko"


def single(wins: int, losses: int, item_count: int) -> Paired:
    """Make pairs of single answers that are right or wrong."""
    outcomes = ((-100, losses), (0, item_count - wins - losses), (100, wins))
    return Paired(tuple(Alike(marks, 1, n) for marks, n in outcomes if n), item_count)


def comparison(
    task: str,
    paired: Paired,
    kind: ComparisonKind = "same-shots",
    shots: int = 0,
    family: Family = "sentiment",
) -> Comparison:
    """Say of one cell what the pairs show."""
    return Comparison(
        kind=kind,
        task=task,
        family=family,
        language="ko" if task.endswith("ko") else "en",
        shots=shots,
        baseline_shots=4 if kind == "zero-to-few" else shots,
        baseline="base",
        challenger="tuned",
        item_count=paired.item_count,
        wins=paired.wins,
        losses=paired.losses,
        difference=paired.difference,
        low=-1,
        high=1,
        p_value=sign_flip(paired),
        pairs=paired.rows,
    )


def canary(
    model: str, number: int = 0, faults: Mapping[str, str | bool] = FAULTLESS
) -> CanaryAnswer:
    """Answer one canary question, in good form but for the faults."""
    form = {"answer": "Blue.", "ended": True, "repetitive": False, "in_language": True, **faults}
    return CanaryAnswer.model_validate(
        {"model": model, "language": "en", "instruction": f"Question {number}", **form}
    )


def report(
    comparisons: Iterable[Comparison], canaries: Sequence[CanaryAnswer] | None = None
) -> EvaluationReport:
    """Report on two whole models that differ in these ways."""
    return EvaluationReport(
        id="e",
        items_hash="i",
        template_hash="t",
        seed=0,
        baseline="base",
        challenger="tuned",
        models={
            name: ModelFacts(model=name, fingerprint=name, dataset="demo/0001-d")
            for name in ("base", "tuned")
        },
        matrix=(),
        comparisons=tuple(comparisons),
        canaries=tuple([canary("base"), canary("tuned")] if canaries is None else canaries),
        seconds=0,
    )


def two_languages(
    zero: Sequence[Paired], against_few: Sequence[Paired], few: Sequence[Paired] = ()
) -> EvaluationReport:
    """Report on one task in both languages."""
    tasks = (EN, KO)
    return report(
        [
            *(comparison(task, p) for task, p in zip(tasks, zero, strict=True)),
            *(comparison(task, p, shots=4) for task, p in zip(tasks, few, strict=False)),
            *(
                comparison(task, p, "zero-to-few")
                for task, p in zip(tasks, against_few, strict=True)
            ),
        ]
    )
