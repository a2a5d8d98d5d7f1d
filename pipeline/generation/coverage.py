"""A grid of topic, kind of task and difficulty, and which of its cells the pool lacks most.

The kind that lags most behind its share comes first, its share being that of its cells in the grid;
of that kind the least covered cell; among equal ones the least covered topic, and then chance.
Covered means drafts under way plus records admitted, and for kinds the seed tasks too: those carry
no topic, so they cover a kind and no cell. A prompt that brought nothing counts a quarter: a cell
that the teacher cannot fill would otherwise be asked for until the run ends.

A draw costs the kinds and the cells of one kind, about 200 comparisons, whatever the pool holds.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from schemas.records import TaskType

Difficulty = Literal["easy", "medium", "hard"]
DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "medium", "hard")

_IN_VAIN = 0.25


class Cell(NamedTuple):
    """One combination that a prompt may ask for."""

    topic: str
    """Id of the topic, the same in both languages."""
    task_type: TaskType
    difficulty: Difficulty


class Filled(NamedTuple):
    """How many cells of a row of the grid hold a record."""

    filled_count: int
    cell_count: int


class CoverageReport(NamedTuple):
    """How far the grid is filled with admitted records; seed tasks do not count here."""

    total: Filled
    by_topic: dict[str, Filled]
    by_task_type: dict[TaskType, Filled]


class Coverage:
    """What was asked for and what came of it, for one language."""

    def __init__(self, cells: Sequence[Cell], seeds_by_type: Mapping[TaskType, int]) -> None:
        self._cells: dict[TaskType, list[Cell]] = {}
        self._topic_sizes: dict[str, int] = {}
        for cell in cells:
            self._cells.setdefault(cell.task_type, []).append(cell)
            self._topic_sizes[cell.topic] = self._topic_sizes.get(cell.topic, 0) + 1
        self._in_cell = dict.fromkeys(cells, 0.0)
        self._in_topic = dict.fromkeys(self._topic_sizes, 0.0)
        self._in_type = {kind: float(seeds_by_type.get(kind, 0)) for kind in self._cells}
        self._filled: set[Cell] = set()

    def take(self, rng: Random) -> Cell:
        """Choose the cell to ask for next, and count a draft of it as under way."""
        lags: dict[TaskType, float] = {
            kind: covered / len(self._cells[kind]) for kind, covered in self._in_type.items()
        }
        least = min(lags.values())
        kind = rng.choice([kind for kind, lag in lags.items() if lag == least])
        ranks = [(self._rank(cell), cell) for cell in self._cells[kind]]
        lowest = min(rank for rank, _ in ranks)
        cell = rng.choice([cell for rank, cell in ranks if rank == lowest])
        self._count(cell, 1.0)
        return cell

    def settle(self, cell: Cell, admitted_count: int) -> None:
        """Account for what became of a draft under way."""
        self._count(cell, (admitted_count or _IN_VAIN) - 1.0)
        if admitted_count:
            self._filled.add(cell)

    def report(self) -> CoverageReport:
        """Count the cells that hold a record, by topic and by kind of task."""
        topics = dict.fromkeys(self._topic_sizes, 0)
        kinds = dict.fromkeys(self._cells, 0)
        for cell in self._filled:
            topics[cell.topic] += 1
            kinds[cell.task_type] += 1
        return CoverageReport(
            Filled(len(self._filled), len(self._in_cell)),
            {topic: Filled(count, self._topic_sizes[topic]) for topic, count in topics.items()},
            {kind: Filled(count, len(self._cells[kind])) for kind, count in kinds.items()},
        )

    def _rank(self, cell: Cell) -> tuple[float, float]:
        topic_share = self._in_topic[cell.topic] / self._topic_sizes[cell.topic]
        return self._in_cell[cell], topic_share

    def _count(self, cell: Cell, amount: float) -> None:
        # Quarters and whole numbers add up exactly, so the same history gives the same ranks.
        self._in_cell[cell] += amount
        self._in_topic[cell.topic] += amount
        self._in_type[cell.task_type] += amount
