"""A grid of topic, kind of task and difficulty, and which of its cells the pool lacks most.

The kind that lags most behind its share comes first, its share being that of its cells in the grid,
times an emphasis where the run gives one; of that kind the least covered cell; among equal ones the
least covered topic, and then chance. Covered means drafts under way plus records admitted, and for
kinds the seed tasks too: those carry no topic, so they cover a kind and no cell. A prompt that
brought nothing counts a quarter: a cell that the teacher cannot fill would otherwise be asked for
until the run ends.

A draw costs the kinds and the cells of one kind, about 200 comparisons, whatever the pool holds.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar

from schemas.records import TaskType

Difficulty = Literal["easy", "medium", "hard"]
DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "medium", "hard")

_IN_VAIN = 0.25

_Choice = TypeVar("_Choice")


class Cell(NamedTuple):
    """One combination that a prompt may ask for."""

    topic: str
    """Id of the topic, the same in both languages."""
    task_type: TaskType
    difficulty: Difficulty


class Coverage:
    """What was asked for and what came of it, for one language."""

    def __init__(
        self,
        cells: Sequence[Cell],
        seeds_by_type: Mapping[TaskType, int],
        emphasis: Mapping[TaskType, float] = MappingProxyType({}),
    ) -> None:
        self._emphasis = emphasis
        self._cells: dict[TaskType, list[Cell]] = {}
        self._topic_sizes: dict[str, int] = {}
        for cell in cells:
            self._cells.setdefault(cell.task_type, []).append(cell)
            self._topic_sizes[cell.topic] = self._topic_sizes.get(cell.topic, 0) + 1
        self._in_cell = dict.fromkeys(cells, 0.0)
        self._in_topic = dict.fromkeys(self._topic_sizes, 0.0)
        self._in_type: dict[TaskType, float] = {}
        for kind in self._cells:
            self._in_type[kind] = float(seeds_by_type.get(kind, 0))

    def take(self, rng: Random) -> Cell:
        """Choose the cell to ask for next, and count a draft of it as under way."""
        kind = _choose(list(self._cells), self._lag, rng)
        cell = _choose(self._cells[kind], self._rank, rng)
        self._count(cell, 1.0)
        return cell

    def settle(self, cell: Cell, admitted_count: int) -> None:
        """Account for what became of a draft under way."""
        self._count(cell, (admitted_count or _IN_VAIN) - 1.0)

    def _lag(self, kind: TaskType) -> tuple[float]:
        return (self._in_type[kind] / len(self._cells[kind]) / self._emphasis.get(kind, 1.0),)

    def _rank(self, cell: Cell) -> tuple[float, float]:
        topic_share = self._in_topic[cell.topic] / self._topic_sizes[cell.topic]
        return self._in_cell[cell], topic_share

    def _count(self, cell: Cell, amount: float) -> None:
        # Quarters and whole numbers add up exactly, so the same history gives the same ranks.
        self._in_cell[cell] += amount
        self._in_topic[cell.topic] += amount
        self._in_type[cell.task_type] += amount


def _choose(
    choices: Sequence[_Choice], rank: Callable[[_Choice], tuple[float, ...]], rng: Random
) -> _Choice:
    """Draw one of those that rank lowest."""
    ranks = [rank(choice) for choice in choices]
    lowest = min(ranks)
    return rng.choice([choice for choice, own in zip(choices, ranks, strict=True) if own == lowest])
