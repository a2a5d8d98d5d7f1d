"""Turn answered cells into the rows, comparisons and per-item table of a report."""

from collections.abc import Sequence
from pathlib import Path

from schemas.evaluation import Comparison, MatrixRow
from schemas.storage import atomic_path
from training.evaluation.cells import Answered
from training.evaluation.statistics import (
    accuracy_interval,
    count_pairs,
    difference_interval,
    mcnemar,
)

NamedAnswers = tuple[str, Sequence[Answered]]
"""A model's name, and its answers to all cells."""


def matrix_row(model: str, answered: Answered, seed: int) -> MatrixRow:
    """Sum up one cell of one model."""
    right, count = sum(answered.correct), len(answered.cell.items)
    interval = accuracy_interval(right, count, seed)
    return MatrixRow(
        model=model,
        task=answered.cell.task.name,
        language=answered.cell.task.language,
        shots=answered.cell.shot_count,
        item_count=count,
        accuracy=right / count,
        low=interval.low,
        high=interval.high,
    )


def compare(baseline: NamedAnswers, challenger: NamedAnswers, seed: int) -> list[Comparison]:
    """Hold a challenger against the baseline: cell by cell, and zero-shot against few-shot.

    The second kind is there for each task with both columns: the claim of instruction tuning is
    that worked examples are no longer needed.
    """
    found: list[Comparison] = []
    for theirs, mine in zip(baseline[1], challenger[1], strict=True):
        found.append(_comparison((baseline[0], theirs), (challenger[0], mine), seed))
    for mine in challenger[1]:
        rivals = [a for a in baseline[1] if a.cell.task == mine.cell.task]
        few = max(rivals, key=lambda answered: answered.cell.shot_count)
        if mine.cell.shot_count == 0 and few.cell.shot_count > 0:
            found.append(_comparison((baseline[0], few), (challenger[0], mine), seed))
    return found


def write_items(path: Path, answers: dict[str, list[Answered]]) -> None:
    """Write one row for every model, cell and item, atomically."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        row
        for model, cells in answers.items()
        for answered in cells
        for row in _rows(model, answered)
    ]
    score = pa.struct([("label", pa.string()), ("log_prob", pa.float64())])
    schema = pa.schema(
        [
            ("model", pa.string()),
            ("task", pa.string()),
            ("language", pa.string()),
            ("shots", pa.int32()),
            ("item", pa.string()),
            ("label", pa.string()),
            ("prediction", pa.string()),
            ("correct", pa.bool_()),
            ("log_probs", pa.list_(score)),
        ]
    )
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema), temporary, compression="zstd")


def _rows(model: str, answered: Answered) -> list[dict[str, object]]:
    cell = answered.cell
    columns = zip(
        cell.items, answered.predictions, answered.correct, answered.log_probs, strict=True
    )
    return [
        {
            "model": model,
            "task": cell.task.name,
            "language": cell.task.language,
            "shots": cell.shot_count,
            "item": item.id,
            "label": item.label,
            "prediction": prediction,
            "correct": correct,
            "log_probs": [
                {"label": label, "log_prob": value}
                for label, value in zip(cell.task.labels, values, strict=True)
            ],
        }
        for item, prediction, correct, values in columns
    ]


def _comparison(
    baseline: tuple[str, Answered], challenger: tuple[str, Answered], seed: int
) -> Comparison:
    theirs, mine = baseline[1], challenger[1]
    pairs = count_pairs(mine.correct, theirs.correct)
    interval = difference_interval(pairs, seed)
    return Comparison(
        task=mine.cell.task.name,
        language=mine.cell.task.language,
        shots=mine.cell.shot_count,
        baseline_shots=theirs.cell.shot_count,
        baseline=baseline[0],
        challenger=challenger[0],
        item_count=pairs.item_count,
        wins=pairs.wins,
        losses=pairs.losses,
        difference=pairs.difference,
        low=interval.low,
        high=interval.high,
        p_value=mcnemar(pairs),
    )
