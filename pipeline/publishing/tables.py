"""Records, rejections and judgements as Parquet tables, one row each, written and read back.

Cost: linear; about half a million rows per CPU-second are written with zstd, 50,000 are read back
as records.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from schemas.errors import UserError
from schemas.judgements import CRITERIA, Assessment, Grade, Judgement
from schemas.records import Draft, InstructionRecord, Neighbour, Provenance, Rejection
from schemas.storage import describe_validation_error


class TableError(UserError):
    """A table is missing, damaged, or not one of ours."""


_WAY_OUT = "Curate its records again with `./pacaloom curate`, or name another version."
_LINEAGE = [
    pa.field("task_type", pa.string()),
    pa.field("strategy", pa.string()),
    pa.field("teacher", pa.string()),
    pa.field("completion_id", pa.string()),
    pa.field("position", pa.int32()),
    pa.field("earlier_completion_ids", pa.list_(pa.string())),
    pa.field("seed_ids", pa.list_(pa.string())),
    pa.field("derived_from", pa.string()),
    pa.field("source_licence", pa.string()),
    pa.field("edited", pa.bool_()),
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
        pa.field("id", pa.string()),
        pa.field("stage", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("collides_with", pa.string()),
        pa.field("also", pa.list_(pa.string())),
        *_TEXT,
        *_LINEAGE,
        pa.field("defect", pa.string()),
    ]
)
ASSESSMENT_COLUMNS = pa.schema(
    [
        pa.field("id", pa.string()),
        *(pa.field(name, pa.int8()) for name in CRITERIA),
        *(pa.field(f"{name}_reason", pa.string()) for name in CRITERIA),
        pa.field("mean_score", pa.float64()),
        pa.field("difficulty", pa.float64()),
    ]
)
NEIGHBOUR_COLUMNS = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("nearest", pa.string()),
        pa.field("score", pa.float64()),
    ]
)
_JUDGEMENTS = "judgements.parquet"
_NEIGHBOURS = "neighbours.parquet"


def write_records(path: Path, records: Sequence[InstructionRecord]) -> None:
    """Write kept records in order; an empty sequence gives a table of no rows."""
    rows = [{"id": record.id, **_columns(record)} for record in records]
    _write(path, rows, RECORD_COLUMNS)


def write_rejections(path: Path, rejections: Sequence[Rejection]) -> None:
    """Write rejections in order, each with the whole draft that was dropped."""
    rows = [
        {
            "id": rejection.draft.id,
            "stage": rejection.stage,
            "reason": rejection.reason,
            "detail": rejection.detail,
            "score": rejection.score,
            "collides_with": rejection.collides_with,
            "also": list(rejection.also),
            "defect": rejection.draft.defect,
            **_columns(rejection.draft),
        }
        for rejection in rejections
    ]
    _write(path, rows, REJECTION_COLUMNS)


def read_records(folder: Path) -> list[InstructionRecord]:
    """Read all kept records of a version, train before validation.

    Raises:
        TableError: A table is missing, damaged, or not one of ours.
    """
    records: list[InstructionRecord] = []
    for split in ("train", "validation"):
        table = folder / "data" / f"{split}.parquet"
        with _naming(table):
            records += [
                InstructionRecord.model_validate(_fields(row) | {"provenance": _provenance(row)})
                for row in _read(table, RECORD_COLUMNS)
            ]
    return records


def read_rejections(folder: Path) -> list[Rejection]:
    """Read all rejections of a version in their order.

    Raises:
        TableError: The table is missing, damaged, or not one of ours.
    """
    table = folder / "rejected.parquet"
    with _naming(table):
        return [_rejection(row) for row in _read(table, REJECTION_COLUMNS)]


def write_assessments(folder: Path, assessments: Mapping[str, Assessment]) -> None:
    """Write what judge and student found, by record id, into a version's folder.

    Scores are empty where nobody gave any, and difficulties where nobody measured.
    """
    rows: list[dict[str, object]] = []
    for id_, (judgement, difficulty) in sorted(assessments.items()):
        row: dict[str, object] = {"id": id_, "difficulty": difficulty}
        if judgement is not None:
            row["mean_score"] = judgement.score
            for name, grade in zip(CRITERIA, judgement, strict=True):
                row |= {name: grade.score, f"{name}_reason": grade.reason}
        rows.append(row)
    _write(folder / _JUDGEMENTS, rows, ASSESSMENT_COLUMNS)


def read_assessments(folder: Path) -> dict[str, Assessment]:
    """Read what judge and student found of a version's records; nothing where nobody was asked.

    Raises:
        TableError: The table is damaged, or not one of ours.
    """
    path = folder / _JUDGEMENTS
    if not path.exists():
        return {}
    return {str(row["id"]): _assessment(row) for row in _read(path, ASSESSMENT_COLUMNS)}


def write_neighbours(folder: Path, nearest: Mapping[str, Neighbour]) -> None:
    """Write the most similar task of each record, by record id, into a version's folder."""
    rows = [
        {"id": id_, "nearest": other.id, "score": other.score}
        for id_, other in sorted(nearest.items())
    ]
    _write(folder / _NEIGHBOURS, rows, NEIGHBOUR_COLUMNS)


def read_neighbours(folder: Path) -> dict[str, Neighbour]:
    """Read the most similar task of each record; nothing where nobody looked.

    Raises:
        TableError: The table is damaged, or not one of ours.
    """
    path = folder / _NEIGHBOURS
    if not path.exists():
        return {}
    return {
        str(row["id"]): Neighbour(cast("str", row["nearest"]), cast("float", row["score"]))
        for row in _read(path, NEIGHBOUR_COLUMNS)
    }


@contextmanager
def _naming(path: Path) -> Generator[None]:
    """Name the table whose row is none of ours."""
    try:
        yield
    except ValidationError as error:
        raise TableError(
            f"{path} has a row that is none of ours: {describe_validation_error(error)}. {_WAY_OUT}"
        ) from error


def _read(path: Path, schema: pa.Schema) -> Iterator[dict[str, object]]:
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise TableError(f"{path} cannot be read: there is no such file. {_WAY_OUT}") from error
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise TableError(
            f"{path} cannot be read as a table of records: {reason}. {_WAY_OUT}"
        ) from error
    missing = set(schema.names) - set(table.column_names)
    if missing:
        raise TableError(
            f"{path} lacks the columns {', '.join(sorted(missing))}: it is of another version of "
            f"Pacaloom. {_WAY_OUT}"
        )
    for batch in table.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()


def _assessment(row: Mapping[str, object]) -> Assessment:
    difficulty = cast("float | None", row["difficulty"])
    if row["mean_score"] is None:
        return Assessment(None, difficulty)
    grades = (
        Grade(cast("int", row[name]), cast("str", row[f"{name}_reason"])) for name in CRITERIA
    )
    return Assessment(Judgement(*grades), difficulty)


def _rejection(row: Mapping[str, object]) -> Rejection:
    names = ("stage", "reason", "detail", "score", "collides_with", "also")
    draft = _fields(row) | {"defect": row["defect"], "provenance": _provenance(row)}
    return Rejection.model_validate({name: row[name] for name in names} | {"draft": draft})


def _fields(row: Mapping[str, object]) -> dict[str, object]:
    return {field.name: row[field.name] for field in _TEXT}


def _provenance(row: Mapping[str, object]) -> Provenance:
    return Provenance.model_validate({field.name: row[field.name] for field in _LINEAGE})


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
        "earlier_completion_ids": list(origin.earlier_completion_ids),
        "seed_ids": list(origin.seed_ids),
        "derived_from": origin.derived_from,
        "source_licence": origin.source_licence,
        "edited": origin.edited,
    }


def _write(path: Path, rows: Sequence[Mapping[str, object]], schema: pa.Schema) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, compression="zstd")
