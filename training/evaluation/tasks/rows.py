"""Read the rows of a table that a user has: JSON lines, a JSON list, CSV, TSV or Parquet."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from pydantic import JsonValue

from schemas.storage import RecordFileError

TABLE_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".txt", ".parquet")
HARNESS_SUFFIXES = (".yaml", ".yml")
"""Of task files of lm-evaluation-harness, which name their tables."""


class FileRow(NamedTuple):
    """One row and where it stands."""

    number: int
    """Of its line, or of the row where rows are no lines; from 1."""
    fields: dict[str, JsonValue]


def read_rows(path: Path) -> list[FileRow]:
    """Read all rows of a file, by its suffix; ``.txt`` is read as TSV.

    Raises:
        RecordFileError: The file is not there or cannot be read, or a row is no object.
    """
    try:
        return list(_read(path))
    except FileNotFoundError as error:
        raise RecordFileError(f"{path}: no such file.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordFileError(f"{path}: cannot be read as a table in UTF-8: {error}.") from error


def _read(path: Path) -> Iterator[FileRow]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        yield from _read_parquet(path)
    elif suffix == ".jsonl":
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield FileRow(number, _parse(path, number, line))
    elif suffix == ".json":
        yield from _read_list(path)
    else:
        # Published TSV is not quoted, and its texts are full of quotation marks.
        dialect = csv.excel if suffix == ".csv" else _Tabs
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, dialect=dialect, restkey="", restval="")
            for fields in reader:
                if "" in fields:
                    raise RecordFileError(
                        f"{path}:{reader.line_num}: wanted {len(reader.fieldnames or ())} columns "
                        "as in the first line, found more. Quote fields that hold the separator."
                    )
                yield FileRow(reader.line_num, cast("dict[str, JsonValue]", dict(fields)))


class _Tabs(csv.excel_tab):
    quoting = csv.QUOTE_NONE
    quotechar = None


def _read_list(path: Path) -> Iterator[FileRow]:
    text = path.read_text(encoding="utf-8-sig")
    try:
        values: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordFileError(f"{path}: wanted a JSON list of objects: {error}.") from error
    if not isinstance(values, list):
        raise RecordFileError(f"{path}: wanted a JSON list of objects, found one {_kind(values)}.")
    for number, value in enumerate(cast("list[object]", values), start=1):
        yield FileRow(number, _check(path, number, value))


def _read_parquet(path: Path) -> Iterator[FileRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise RecordFileError(f"{path}: cannot be read as Parquet: {error}.") from error
    for number, fields in enumerate(rows, start=1):
        yield FileRow(number, fields)


def _parse(path: Path, number: int, line: str) -> dict[str, JsonValue]:
    try:
        return _check(path, number, json.loads(line))
    except (ValueError, RecursionError) as error:
        raise RecordFileError(f"{path}:{number}: wanted a JSON object: {error}.") from error


def _check(path: Path, number: int, value: object) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise RecordFileError(f"{path}:{number}: wanted a JSON object, found {_kind(value)}.")
    return cast("dict[str, JsonValue]", value)


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "list"
    return "object" if isinstance(value, dict) else "value"
