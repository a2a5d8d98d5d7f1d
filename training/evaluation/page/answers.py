"""Lay out every answer of every model so that a page can hold and filter them.

One block a task: each text, label and answer stands in it once, and each model's answers to a cell
are columns of small numbers. Cost: linear; memory: all answers, about 200 bytes each.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from schemas.errors import UserError
from schemas.storage import describe_validation_error

_BATCH_ROWS = 5_000
_THOUSAND = 1_000
"""Probabilities are kept in thousandths: the page shows whole per cents."""


class ItemsError(UserError):
    """A file that holds no answers of an evaluation."""


class Score(NamedTuple):
    """How likely one of the given answers is."""

    label: str
    log_prob: float
    """In nats."""


class ItemRow(NamedTuple):
    """What one model made of one item, asked in one way; a row of ``items.parquet``."""

    model: str
    task: str
    shots: int
    wording: str
    draw: int
    item: str
    text: str
    label: str
    references: tuple[str, ...]
    prediction: str
    marks: int
    """0 to 100."""
    ended: bool | None
    """Of written answers."""
    log_probs: tuple[Score, ...]


class Column(NamedTuple):
    """One model's answers to one cell; item by item."""

    model: str
    shots: int
    wording: str
    draw: int
    items: list[int]
    """Places in the block."""
    marks: list[int]
    predictions: list[int]
    """Places among the strings."""
    ended: list[bool | None]
    chances: list[int]
    """Of each item's answers, in thousandths, one item after the other; empty for written ones."""


class Block(NamedTuple):
    """A task's items, and what all models made of them."""

    task: str
    ids: list[str]
    texts: list[str]
    labels: list[str]
    references: list[tuple[str, ...]]
    answers: list[list[int]]
    """Of each item, what it could be answered with: places among the strings."""
    strings: list[str]
    columns: list[Column]

    @property
    def row_count(self) -> int:
        """Answers of all models."""
        return sum(len(column.items) for column in self.columns)

    @property
    def chance(self) -> float:
        """What guessing would score; 0 where answers are written."""
        sizes = [len(answers) for answers in self.answers if answers]
        return sum(1 / size for size in sizes) / len(sizes) if sizes else 0.0

    def to_json(self) -> dict[str, object]:
        """Lay out for the page; items that stand in their own order need no places."""
        whole = list(range(len(self.ids)))
        return {
            **self._asdict(),
            "columns": [
                {**column._asdict(), "items": None if column.items == whole else column.items}
                for column in self.columns
            ],
        }


def read_items(path: Path) -> Iterator[ItemRow]:
    """Read ``items.parquet`` row by row.

    Raises:
        ItemsError: The file is none, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            missing = sorted(set(ItemRow._fields) - set(file.schema_arrow.names))
            if missing:
                raise ItemsError(
                    f"{path} holds no answers of an evaluation: wanted the columns "
                    f"{', '.join(ItemRow._fields)}, found none called {', '.join(missing)}."
                )
            check = TypeAdapter(list[ItemRow]).validate_python
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(ItemRow._fields)):
                yield from check(batch.to_pylist())
    except ValidationError as error:
        fault = describe_validation_error(error)
        raise ItemsError(f"{path} holds no answers of an evaluation: {fault}.") from error
    except (OSError, pa.ArrowInvalid) as error:
        raise ItemsError(f"{path} cannot be read as Parquet: {error}") from error


def collect_blocks(rows: Iterable[ItemRow]) -> list[Block]:
    """Put the answers of each task together; tasks, items and cells as they first occur."""
    builders: dict[str, _Builder] = {}
    for row in rows:
        builder = builders.get(row.task)
        if builder is None:
            builder = builders[row.task] = _Builder(row.task)
        builder.add(row)
    return [builder.block for builder in builders.values()]


class _Builder:
    """Knows where each item, string and cell of a task stands."""

    def __init__(self, task: str) -> None:
        self.block = Block(task, [], [], [], [], [], [], [])
        self._items: dict[str, int] = {}
        self._strings: dict[str, int] = {}
        self._columns: dict[tuple[str, int, str, int], Column] = {}

    def add(self, row: ItemRow) -> None:
        column = self._find_column(row)
        column.items.append(self._find_item(row))
        column.marks.append(row.marks)
        column.predictions.append(self._find_string(row.prediction))
        column.ended.append(row.ended)
        column.chances.extend(_weigh([score.log_prob for score in row.log_probs]))

    def _find_item(self, row: ItemRow) -> int:
        place = self._items.get(row.item)
        if place is None:
            place = self._items[row.item] = len(self._items)
            self.block.ids.append(row.item)
            self.block.texts.append(row.text)
            self.block.labels.append(row.label)
            self.block.references.append(row.references)
            self.block.answers.append([self._find_string(one.label) for one in row.log_probs])
        return place

    def _find_string(self, text: str) -> int:
        place = self._strings.get(text)
        if place is None:
            place = self._strings[text] = len(self._strings)
            self.block.strings.append(text)
        return place

    def _find_column(self, row: ItemRow) -> Column:
        key = row.model, row.shots, row.wording, row.draw
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = Column(*key, [], [], [], [], [])
            self.block.columns.append(column)
        return column


def _weigh(log_probs: Sequence[float]) -> list[int]:
    """Share certainty among the given answers, in thousandths."""
    if not log_probs:
        return []
    most = max(log_probs)
    # An answer that a model holds for impossible has -inf; all of them, and nothing can be told.
    weights = [math.exp(one - most) if math.isfinite(most) else 1.0 for one in log_probs]
    return [round(_THOUSAND * weight / sum(weights)) for weight in weights]
