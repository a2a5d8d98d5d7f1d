"""What a run writes down step by step, so that no step is there twice and none is missing.

A line is appended when its step is done and is on disk before the checkpoint that follows it
counts as complete. A run that continues from a checkpoint cuts off what was written after it. Cost:
a line of about 120 bytes a step; reading, once a start, is linear in the lines.
"""

import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from schemas.errors import PacaloomError
from schemas.manifest import SampleAnswer, TrainingPoint
from schemas.storage import write_jsonl

HISTORY_FILE = "history.jsonl"

Entry = TypeVar("Entry", TrainingPoint, SampleAnswer)


class HistoryError(PacaloomError):
    """What a run wrote down about itself does not fit its checkpoint."""


class StepLog(Generic[Entry]):
    """A file in a run's folder with one line an entry, in the order of their steps."""

    def __init__(
        self, path: Path, model: type[Entry], checkpoint: int | None, expected: Sequence[int]
    ) -> None:
        """Open the file and cut off what follows the checkpoint that the run continues from.

        Args:
            path: Of the file; it need not exist.
            model: Of a line.
            checkpoint: Step of that checkpoint; None for a run that starts from the beginning.
            expected: Steps of the entries that such a checkpoint implies, in order.

        Raises:
            HistoryError: Entries that the checkpoint implies are not there.
            StorageError: The file cannot be written.
        """
        self._path = path
        after = -1 if checkpoint is None else checkpoint
        self.entries = [entry for entry in _read(path, model) if entry.step <= after]
        if [entry.step for entry in self.entries[: len(expected)]] != list(expected):
            raise HistoryError(
                f"{path}: wanted {len(expected)} lines up to step {checkpoint}, as the checkpoint "
                f"beside it has, found {len(self.entries)} whole ones. Remove {path.parent} and "
                "run the same command again; it starts from the beginning."
            )
        write_jsonl(path, self.entries)

    def append(self, *entries: Entry) -> None:
        """Write entries at the end and wait until they are on disk.

        Raises:
            OSError: The disk is full.
        """
        lines = "".join(entry.model_dump_json() + "\n" for entry in entries)
        with self._path.open("ab") as file:
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())
        self.entries += entries


def open_history(run: Path, checkpoint: int | None) -> StepLog[TrainingPoint]:
    """Open the history of a run that continues after a step; None starts it.

    Raises:
        HistoryError: It lacks a step that the checkpoint has.
        StorageError: It cannot be written.
    """
    return StepLog(run / HISTORY_FILE, TrainingPoint, checkpoint, range(1, (checkpoint or 0) + 1))


def _read(path: Path, model: type[Entry]) -> list[Entry]:
    """Read up to the first line that is not whole: the last one that a killed process wrote."""
    entries: list[Entry] = []
    if not path.is_file():
        return entries
    for line in path.read_bytes().splitlines():
        try:
            entries.append(model.model_validate_json(line))
        except ValidationError:
            break
    return entries


class Stopwatch:
    """Counts the seconds of training over all starts of a run, by the wall clock."""

    def __init__(self, seconds: float = 0.0) -> None:
        """Start counting from what earlier starts took."""
        self._since = time.monotonic() - seconds

    @property
    def seconds(self) -> float:
        """Counted so far."""
        return time.monotonic() - self._since

    @contextmanager
    def paused(self) -> Generator[None]:
        """Leave out what the block takes."""
        before = self.seconds
        try:
            yield
        finally:
            self._since = time.monotonic() - before


def tokens_per_second(points: Sequence[TrainingPoint], seconds: float) -> float:
    """Divide the tokens that were trained on, without padding, by the time that it took."""
    return points[-1].tokens / seconds if points and seconds > 0 else 0.0
