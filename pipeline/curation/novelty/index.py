"""What every index of known tasks does, whatever it calls similar.

One index holds the tasks of one language: seed tasks, and records in the order in which they were
kept. English and Korean have different measures of similarity and one interface.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol


class Task(NamedTuple):
    """A seed task or record, as far as novelty looks at it."""

    id: str
    text: str
    """The instruction, in NFC."""
    key: bytes
    """Equal for tasks that are the same letter for letter; empty where that is not looked at."""
    barred: bool = False
    """Another stage objects: the task may be the twin of a known one, and is never kept."""


class Standing(NamedTuple):
    """How a task stands to those that are known."""

    kind: Literal["new", "barred", "twin", "repeat"]
    """``new`` is known from now on; a ``twin`` has a known one's key, also when barred."""
    of: str = ""
    """Id of the twin, or of the most similar task above the threshold, the earliest of equals."""
    score: float = 0.0
    """Similarity to it, a fraction."""


class Match(NamedTuple):
    """A known task and how similar it is."""

    id: str
    score: float


class Neighbourhood(NamedTuple):
    """What Alpaca writes down of each record beside its text."""

    nearest: list[Match]
    """The most similar known tasks, best first."""
    mean: float
    """Mean similarity to all known tasks; 0 where there are none."""


class TaskIndex(Protocol):
    """The known tasks of one language."""

    def add(self, tasks: Sequence[Task]) -> None:
        """Make tasks known, however similar they are."""
        ...

    def sift(self, tasks: Sequence[Task]) -> list[Standing]:
        """Judge tasks one after the other; those that are new are known to the next ones.

        The decisions depend on the order of the tasks, never on how they are cut into calls.
        """
        ...

    def survey(self, text: str, count: int = 10) -> Neighbourhood:
        """Compare with all known tasks."""
        ...

    def save(self, path: Path) -> None:
        """Write the index to a file.

        Raises:
            StorageError: The file cannot be written; an earlier one stays.
        """
        ...
