"""Records and rejections as Parquet tables, one row each.

Cost: linear; about half a million rows per CPU-second are written with zstd.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.records import Draft, InstructionRecord, Rejection

_LINEAGE = [
    pa.field("task_type", pa.string()),
    pa.field("strategy", pa.string()),
    pa.field("teacher", pa.string()),
    pa.field("completion_id", pa.string()),
    pa.field("position", pa.int32()),
    pa.field("seed_ids", pa.list_(pa.string())),
    pa.field("derived_from", pa.string()),
    pa.field("source_licence", pa.string()),
]
_TEXT = [
    pa.field("instruction", pa.string()),
    pa.field("input", pa.string()),
    pa.field("output", pa.string()),
    pa.field("language", pa.string()),
]
RECORD_COLUMNS = pa.schema([pa.field("id", pa.string()), *_TEXT, *_LINEAGE])
REJECTION_COLUMNS = pa.schema(
    [
        pa.field("stage", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("collides_with", pa.string()),
        *_TEXT,
        *_LINEAGE,
        pa.field("defect", pa.string()),
    ]
)


def write_records(path: Path, records: Sequence[InstructionRecord]) -> None:
    """Write kept records in order; an empty sequence gives a table of no rows."""
    rows = [{"id": record.id, **_columns(record)} for record in records]
    _write(path, rows, RECORD_COLUMNS)


def write_rejections(path: Path, rejections: Sequence[Rejection]) -> None:
    """Write rejections in order, each with the whole draft that was dropped."""
    rows = [
        {
            "stage": rejection.stage,
            "reason": rejection.reason,
            "detail": rejection.detail,
            "score": rejection.score,
            "collides_with": rejection.collides_with,
            "defect": rejection.draft.defect,
            **_columns(rejection.draft),
        }
        for rejection in rejections
    ]
    _write(path, rows, REJECTION_COLUMNS)


def _columns(item: InstructionRecord | Draft) -> dict[str, object]:
    origin = item.provenance
    return {
        "instruction": item.instruction,
        "input": item.input,
        "output": item.output,
        "language": item.language,
        "task_type": origin.task_type,
        "strategy": origin.strategy,
        "teacher": origin.teacher,
        "completion_id": origin.completion_id,
        "position": origin.position,
        "seed_ids": list(origin.seed_ids),
        "derived_from": origin.derived_from,
        "source_licence": origin.source_licence,
    }


def _write(path: Path, rows: Sequence[Mapping[str, object]], schema: pa.Schema) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, compression="zstd")
