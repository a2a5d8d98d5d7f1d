"""A record as every format sees it, and batches of them: an export never holds all records."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, Protocol

from schemas.identity import short_id
from schemas.records import Language

Split = Literal["train", "validation"]
SPLITS: tuple[Split, ...] = ("train", "validation")
Counts = Mapping[tuple[Split, Language], int]
"""How many records there are of each."""


class Row(NamedTuple):
    """What every format is about: a record without its lineage."""

    id: str
    language: Language
    instruction: str
    input: str
    """Empty where the instruction needs none."""
    output: str


class Part(NamedTuple):
    """The records that go into one file."""

    split: Split
    languages: tuple[Language, ...]


class Column(Protocol):
    """One column of a batch."""

    def to_pylist(self) -> list[str]:
        """Take its values out; those that are asked for here are text."""
        ...


class Batch(Protocol):
    """Some records with all their columns: a record batch of pyarrow's, whose import takes 0.3 s.

    Formats are listed in ``--help``, which need not pay it.
    """

    @property
    def num_rows(self) -> int:
        """How many records there are."""
        ...

    def column(self, i: str) -> Column:
        """Find a column by name."""
        ...


def iterate_rows(batch: Batch) -> Iterator[Row]:
    """Take a batch apart into rows."""
    columns = [batch.column(name).to_pylist() for name in Row._fields]
    return map(Row._make, zip(*columns, strict=True))


def is_intact(row: Row) -> bool:
    """Tell whether a row's texts are those that its id was made from."""
    return row.id == short_id(row.language, row.instruction, row.input, row.output)
