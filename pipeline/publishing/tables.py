"""Records, rejections and judgements as Parquet tables, one row each, written and read back.

Whole columns are handed over, never a mapping a row. Cost: linear; a CPU-second writes about
200,000 records of 600 characters, and reads 120,000 back and checks them.
"""

import gc
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from schemas.errors import UserError
from schemas.judgements import CRITERIA, Assessment, Grade, Judgement
from schemas.records import Draft, InstructionRecord, Neighbour, Rejection
from schemas.storage import describe_validation_error


class TableError(UserError):
    """A table is missing, damaged, or not one of ours."""


Column = Sequence[object]
Row = tuple[object, ...]

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
_TEXT_NAMES = [field.name for field in _TEXT]
_LINEAGE_NAMES = [field.name for field in _LINEAGE]
_DECISION_NAMES = ["stage", "reason", "detail", "score", "collides_with", "also"]
_IDS = pa.schema([pa.field("id", pa.string())])
_JUDGEMENTS = "judgements.parquet"
_NEIGHBOURS = "neighbours.parquet"
_BATCH_ROWS = 10_000


def write_records(path: Path, records: Sequence[InstructionRecord]) -> None:
    """Write kept records in order; an empty sequence gives a table of no rows."""
    columns = {"id": [record.id for record in records], **_columns(records)}
    _write(path, columns, RECORD_COLUMNS)


def write_rejections(path: Path, rejections: Sequence[Rejection]) -> None:
    """Write rejections in order, each with the whole draft that was dropped."""
    drafts = [rejection.draft for rejection in rejections]
    columns = {
        "id": [draft.id for draft in drafts],
        **_take(rejections, _DECISION_NAMES),
        **_columns(drafts),
        "defect": [draft.defect for draft in drafts],
    }
    _write(path, columns, REJECTION_COLUMNS)


def read_records(folder: Path) -> list[InstructionRecord]:
    """Read all kept records of a version, train before validation.

    Raises:
        TableError: A table is missing, damaged, or not one of ours.
    """
    tables = (folder / "data" / f"{split}.parquet" for split in ("train", "validation"))
    return [record for table in tables for record in read_split(table)]


def read_split(table: Path) -> list[InstructionRecord]:
    """Read the kept records of one side.

    Raises:
        TableError: The table is missing, damaged, or not one of ours.
    """
    names = [*_TEXT_NAMES, *_LINEAGE_NAMES]
    with _naming(table), _collector_paused():
        return [
            InstructionRecord.model_validate(_nest(row))
            for row in _read(table, RECORD_COLUMNS, names)
        ]


def read_ids(table: Path) -> list[str]:
    """Read the ids of records or rejections as they stand in a table.

    Raises:
        TableError: The table is missing or damaged, or has none.
    """
    return [str(id_) for (id_,) in _read(table, _IDS, _IDS.names)]


def read_rejections(folder: Path) -> list[Rejection]:
    """Read all rejections of a version in their order.

    Raises:
        TableError: The table is missing, damaged, or not one of ours.
    """
    table = folder / "rejected.parquet"
    names = [*_TEXT_NAMES, *_LINEAGE_NAMES, "defect", *_DECISION_NAMES]
    width = len(_TEXT_NAMES) + len(_LINEAGE_NAMES)
    rejections: list[Rejection] = []
    with _naming(table), _collector_paused():
        for row in _read(table, REJECTION_COLUMNS, names):
            draft = {**_nest(row[:width]), "defect": row[width]}
            decision = dict(zip(_DECISION_NAMES, row[width + 1 :], strict=True))
            rejections.append(Rejection.model_validate({**decision, "draft": draft}))
    return rejections


def write_assessments(folder: Path, assessments: Mapping[str, Assessment]) -> None:
    """Write what judge and student found, by record id, into a version's folder.

    Scores are empty where nobody gave any, and difficulties where nobody measured.
    """
    ids = sorted(assessments)
    found = [assessments[id_] for id_ in ids]
    columns: dict[str, Column] = {"id": ids, "difficulty": [one.difficulty for one in found]}
    judgements = [one.judgement for one in found]
    columns["mean_score"] = [None if one is None else one.score for one in judgements]
    for place, name in enumerate(CRITERIA):
        grades = [None if one is None else one[place] for one in judgements]
        columns[name] = [None if grade is None else grade.score for grade in grades]
        columns[f"{name}_reason"] = [None if grade is None else grade.reason for grade in grades]
    _write(folder / _JUDGEMENTS, columns, ASSESSMENT_COLUMNS)


def read_assessments(folder: Path) -> dict[str, Assessment]:
    """Read what judge and student found of a version's records; nothing where nobody was asked.

    Raises:
        TableError: The table is damaged, or not one of ours.
    """
    path = folder / _JUDGEMENTS
    if not path.exists():
        return {}
    reasons = [f"{name}_reason" for name in CRITERIA]
    names = ["id", "difficulty", "mean_score", *CRITERIA, *reasons]
    with _collector_paused():
        return {
            str(id_): Assessment(_judge(mean, grades), cast("float | None", difficulty))
            for id_, difficulty, mean, *grades in _read(path, ASSESSMENT_COLUMNS, names)
        }


def write_neighbours(folder: Path, nearest: Mapping[str, Neighbour]) -> None:
    """Write the most similar task of each record, by record id, into a version's folder."""
    ids = sorted(nearest)
    columns: dict[str, Column] = {
        "id": ids,
        "nearest": [nearest[id_].id for id_ in ids],
        "score": [nearest[id_].score for id_ in ids],
    }
    _write(folder / _NEIGHBOURS, columns, NEIGHBOUR_COLUMNS)


def read_neighbours(folder: Path) -> dict[str, Neighbour]:
    """Read the most similar task of each record; nothing where nobody looked.

    Raises:
        TableError: The table is damaged, or not one of ours.
    """
    path = folder / _NEIGHBOURS
    if not path.exists():
        return {}
    with _collector_paused():
        return {
            str(id_): Neighbour(cast("str", other), cast("float", score))
            for id_, other, score in _read(path, NEIGHBOUR_COLUMNS, NEIGHBOUR_COLUMNS.names)
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


@contextmanager
def _collector_paused() -> Generator[None]:
    """Make many objects at once, none of which is part of a cycle.

    The collector would look through all of them again and again: 1.7 s in place of 0.3 s for
    60,000 records.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(path: Path, schema: pa.Schema, names: Sequence[str]) -> Iterator[Row]:
    """Read the named columns row by row, once all columns are known to be there."""
    try:
        # Opened here: Arrow refuses names that are no UTF-8 and takes some for addresses.
        with path.open("rb") as file:
            # In this thread alone: one of Arrow's may outlive the interpreter whose file it holds,
            # which aborts the process at its end (apache/arrow#50482). It takes the same time.
            table = pq.ParquetFile(file, pre_buffer=False).read(use_threads=False)
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
    for batch in table.select(names).to_batches(max_chunksize=_BATCH_ROWS):
        yield from zip(*map(_values, batch.columns), strict=True)


def _values(array: pa.Array) -> Sequence[object]:
    """Give the values of a column; those of lists cut from one list, ten times as fast."""
    if not pa.types.is_list(array.type) or array.null_count:
        return array.to_pylist()
    ends = array.offsets.to_pylist()
    values = array.values.to_pylist()
    return [values[start:end] for start, end in pairwise(ends)]


def _judge(mean: object, grades: Sequence[object]) -> Judgement | None:
    """Put scores and, behind them, reasons together; nothing where there is no mean score."""
    if mean is None:
        return None
    count = len(CRITERIA)
    return Judgement(
        *(
            Grade(cast("int", score), cast("str", reason))
            for score, reason in zip(grades[:count], grades[count:], strict=True)
        )
    )


def _nest(row: Row) -> dict[str, object]:
    """Name the texts of a row, and its lineage inside them."""
    texts = len(_TEXT_NAMES)
    return {
        **dict(zip(_TEXT_NAMES, row[:texts], strict=True)),
        "provenance": dict(zip(_LINEAGE_NAMES, row[texts:], strict=True)),
    }


def _columns(items: Sequence[InstructionRecord] | Sequence[Draft]) -> dict[str, Column]:
    origins = [item.provenance for item in items]
    return {**_take(items, _TEXT_NAMES), **_take(origins, _LINEAGE_NAMES)}


def _take(items: Sequence[object], names: Sequence[str]) -> dict[str, Column]:
    return {name: list(map(attrgetter(name), items)) for name in names}


def _write(path: Path, columns: Mapping[str, Column], schema: pa.Schema) -> None:
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    with path.open("wb") as file:
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), file, compression="zstd")
