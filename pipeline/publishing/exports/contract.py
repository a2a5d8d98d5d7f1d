"""What a format is: the files it writes, how each is written and read back, and who loads it."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from pipeline.publishing.exports.rows import Batch, Part, Row
from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.records import Language


class ExportError(UserError):
    """An export cannot be made or read as asked."""


class Mark(Frozen):
    """What a peer's file has no place for, kept beside it for each of its rows, in order."""

    file: str
    id: str
    language: Language
    instruction_length: int = Field(ge=0)
    """In code points: where the instruction ends that was joined with its input."""


class WrittenFile(NamedTuple):
    """A data file of an export."""

    name: str
    part: Part
    records: int


class Exported(NamedTuple):
    """What configs and loading commands are written about."""

    dataset: str
    """The dataset's name; safe as a file name."""
    files: Sequence[WrittenFile]


class DataFile(NamedTuple):
    """One file of a format for each split, or for each split and language."""

    pattern: str
    """Its name, with ``{split}`` and where wanted ``{dataset}`` and ``{language}``."""
    write: Callable[[Path, Iterator[Batch]], None]
    read: Callable[[Path, Iterable[Mark]], Iterator[Row]]


class DerivedFile(NamedTuple):
    """A file for each split that says in another form what the data files say."""

    pattern: str
    """Its name, with ``{split}``."""
    write: Callable[[Path, Iterator[Batch]], None]


class Format(NamedTuple):
    """A way to hand records to a peer."""

    name: str
    summary: str
    """One line: what the files are."""
    reader: str
    """Who reads it."""
    data: DataFile
    loss: str
    """What its files alone do not say; the marks beside them do."""
    load: Callable[[Exported, str], str]
    """The command or snippet with which the peer loads an export, given its folder."""
    configure: Callable[[Exported], Mapping[str, str]] = lambda exported: {}
    """Small files that the peer needs beside the data, by name."""
    has_marks: bool = True
    """Whether its files need marks; those with columns for id and language do not."""
    derived: DerivedFile | None = None


def first_file(exported: Exported, split: str) -> str | None:
    """Name the first file of a split; None where the split has no records."""
    for file in exported.files:
        if file.part.split == split:
            return file.name
    return None


def data_files(exported: Exported, folder: str) -> str:
    """Write the ``data_files`` argument of ``datasets.load_dataset`` for an export."""
    named: dict[str, str] = {}
    for file in exported.files:
        named.setdefault(file.part.split, f"{folder}/{file.name}")
    return repr(named)


def quote(folder: str, file: str = "") -> str:
    """Write a path for a shell."""
    return shlex.quote(f"{folder}/{file}" if file else folder)
