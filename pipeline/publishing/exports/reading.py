"""Read an export back as the records that were exported."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from pipeline.publishing.exports.contract import ExportError, Format, Mark
from pipeline.publishing.exports.formats import find_formats
from pipeline.publishing.exports.rows import Row, Split, is_intact
from pipeline.publishing.exports.source import MARKS, SOURCE, ExportedData, ExportSource
from schemas.storage import describe_validation_error, read_jsonl

_WAY_OUT = "Export it again with `./pacaloom datasets export`."


class ExportedRow(NamedTuple):
    """One record of an export."""

    split: Split
    row: Row


def read_source(folder: Path) -> ExportSource:
    """Read what an export says of where it comes from.

    Raises:
        ExportError: The folder is no export.
    """
    path = folder / SOURCE
    try:
        return ExportSource.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror}. {_WAY_OUT}") from error
    except ValidationError as error:
        raise ExportError(f"{path} is no export's: {describe_validation_error(error)}") from error


def read_export(folder: Path) -> Iterator[ExportedRow]:
    """Read all records, in the order of the files, and hold each against its id.

    Raises:
        ExportError: A file is missing, or a record is not the one that was exported.
    """
    for one in read_unchecked(folder):
        if not is_intact(one.row):
            raise ExportError(
                f"{folder}: record {one.row.id} is not the one that was exported. {_WAY_OUT}"
            )
        yield one


def read_unchecked(folder: Path) -> Iterator[ExportedRow]:
    """Read all records, in the order of the files, as the files have them now.

    Raises:
        ExportError: A file is missing or not as it was written.
    """
    source = read_source(folder)
    (format_,) = find_formats([source.export_format])
    # The marks of a file stand together, in the order of the files.
    marks = read_jsonl(folder / MARKS, Mark) if format_.has_marks else iter(())
    for data in source.data:
        count = 0
        for row in _read(folder / data.path, format_, islice(marks, data.records)):
            count += 1
            yield ExportedRow(data.split, row)
        _check_count(folder, data, count)


def _read(path: Path, format_: Format, marks: Iterator[Mark]) -> Iterator[Row]:
    try:
        yield from format_.data.read(path, marks)
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror}. {_WAY_OUT}") from error
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ExportError(f"{path} is not as it was exported: {reason}. {_WAY_OUT}") from error


def _check_count(folder: Path, data: ExportedData, count: int) -> None:
    if count != data.records:
        raise ExportError(
            f"{folder / data.path} holds {count:,} records, {SOURCE} says {data.records:,}. "
            f"{_WAY_OUT}"
        )
