"""The per-item table of an evaluation: every answer that every model gave, in one Parquet file.

Whoever doubts a figure of the report finds here what it was counted from; the page reads it for its
browser of answers. Cost: one row an answer, about a hundred bytes each on disk.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.evaluation import ScoreRule
from schemas.storage import atomic_path
from training.evaluation.cells import Answered


def write_items(path: Path, answers: dict[str, list[Answered]], rule: ScoreRule) -> None:
    """Write one row for every answer of every model, atomically.

    Columns: ``model``, ``task``, ``language``, ``shots``, ``wording``, ``draw``, ``item`` (its id),
    ``text``, ``label`` (empty for text tasks), ``references`` (empty for choice tasks),
    ``prediction`` (the answer that was chosen or written), ``marks``, ``ended`` (null for choice
    tasks), ``log_probs`` (``label`` and ``log_prob`` in nats of each given answer).

    Args:
        path: Of the Parquet file.
        answers: By model, in the order of the rows.
        rule: What decides between given answers.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    score = pa.struct([("label", pa.string()), ("log_prob", pa.float64())])
    schema = pa.schema(
        [
            ("model", pa.string()),
            ("task", pa.string()),
            ("language", pa.string()),
            ("shots", pa.int32()),
            ("wording", pa.string()),
            ("draw", pa.int32()),
            ("item", pa.string()),
            ("text", pa.string()),
            ("label", pa.string()),
            ("references", pa.list_(pa.string())),
            ("prediction", pa.string()),
            ("marks", pa.int32()),
            ("ended", pa.bool_()),
            ("log_probs", pa.list_(score)),
        ]
    )
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as table,
    ):
        for model, cells in answers.items():
            for answered in cells:
                rows = list(_rows(model, answered, rule))
                table.write_table(pa.Table.from_pylist(rows, schema))


def _rows(model: str, answered: Answered, rule: ScoreRule) -> Iterator[dict[str, object]]:
    cell = answered.cell
    columns = zip(
        cell.items,
        answered.predictions(rule),
        answered.marks(rule),
        answered.ended or [None] * len(cell.items),
        _scores(answered),
        strict=True,
    )
    for item, prediction, marks, ended, scores in columns:
        yield {
            "model": model,
            "task": cell.task.name,
            "language": cell.task.language,
            "shots": cell.shot_count,
            "wording": cell.wording.name,
            "draw": cell.draw,
            "item": item.id,
            "text": item.text,
            "label": item.label,
            "references": [] if cell.task.is_choice else list(item.references),
            "prediction": prediction,
            "marks": marks,
            "ended": ended,
            "log_probs": scores,
        }


def _scores(answered: Answered) -> Sequence[list[dict[str, object]]]:
    if not answered.cell.task.is_choice:
        return [[]] * len(answered.cell.items)
    return [
        [{"label": label, "log_prob": value} for label, value in zip(labels, row, strict=True)]
        for labels, row in zip(answered.cell.answers, answered.log_probs, strict=True)
    ]
