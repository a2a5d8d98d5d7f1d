"""The structured log of all runs: one JSON object a line in ``outputs/logs/runs.jsonl``.

Several processes append to it at once, each line in a single write to the locked file, so lines
never mix. At 10 MB the file becomes ``runs.1.jsonl`` and the oldest of five is
removed: 50 MB at most. A line costs 25 µs of CPU. For reading there is ``jq``.
"""

import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import Field, JsonValue, ValidationError

from flows.observing.masking import Mask
from schemas.frozen import Frozen

Level = Literal["info", "warning", "error"]
Event = Literal[
    "run-started",
    "run-ended",
    "run-failed",
    "run-stopped",
    "run-crashed",
    "step-started",
    "step-ended",
    "step-failed",
    "attempt-failed",
    "said",
    "shown",
    "asked",
    "answered",
    "reached",
    "not-notified",
    "not-told",
]

_MOST_BYTES = 10_000_000
_KEPT_FILES = 5
_LONGEST_MESSAGE = 4_000
_TAIL_BYTES = 1_000_000


class LogLine(Frozen):
    """One line; what is empty is left out."""

    time: str
    """UTC, as ``2026-11-23T05:20:11.123Z``."""
    level: Level
    event: Event
    flow: str
    """``generate``, ``curate``, …"""
    name: str = ""
    """Of the journal, dataset or student that the run is about."""
    run: str
    """Id of the Prefect flow run, the same over its restarts; of a command ``local-…``."""
    step: str = ""
    dataset: str = ""
    """``NAME/VERSION``, as soon as it is known."""
    model: str = ""
    """``NAME/VERSION``, as soon as it is known."""
    seconds: float | None = None
    message: str = ""
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    """Of ``reached`` the milestone, of ``run-started`` the parameters that were given."""


class RunLog:
    """Appends lines to one file of a folder."""

    def __init__(
        self,
        folder: Path,
        mask: Mask,
        *,
        most_bytes: int = _MOST_BYTES,
        kept_files: int = _KEPT_FILES,
    ) -> None:
        """Open nothing yet.

        Args:
            folder: Is made when the first line is written.
            mask: Takes the secrets out of messages and facts.
            most_bytes: Size from which a new file is begun.
            kept_files: How many there are at most, the one that is written included.
        """
        self.path = folder / "runs.jsonl"
        self._mask = mask
        self._most_bytes = most_bytes
        self._kept_files = kept_files

    @property
    def has_place(self) -> bool:
        """Whether the folder around it is there."""
        return self.path.parent.parent.is_dir()

    def write(self, line: LogLine) -> None:
        """Append one line, in one write.

        Raises:
            OSError: The folder or the file cannot be written.
        """
        masked = line.model_copy(
            update={
                # What a user names may be no Unicode, and an address with a password in it.
                "name": self._mask.hide(line.name),
                "dataset": self._mask.hide(line.dataset),
                "model": self._mask.hide(line.model),
                "step": self._mask.hide(line.step),
                "message": self._mask.hide(line.message)[:_LONGEST_MESSAGE],
                "facts": self._mask.hide_within(line.facts),
            }
        )
        data = masked.model_dump_json(exclude_defaults=True).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with self.path.open("a+b", buffering=0) as file:
                # While another process writes, the size may be that of half a line.
                fcntl.flock(file, fcntl.LOCK_EX)
                size = os.fstat(file.fileno()).st_size
                if size and size + len(data) > self._most_bytes:
                    self._rotate(file)
                    continue
                # A line that a full disk cut short must not spoil this one.
                is_cut = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
                file.write(b"\n" + data if is_cut else data)
                return

    def read_back(self, run: str) -> Iterator[LogLine]:
        """Yield the lines of one run, the newest first, as far as the file's end holds them."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
                lines = file.read().splitlines()
        except FileNotFoundError:
            return
        wanted = run.encode()
        for line in reversed(lines):
            if wanted not in line:
                continue
            try:
                found = LogLine.model_validate_json(line)
            except ValidationError:  # cut short, or of a version that says more
                continue
            if found.run == run:
                yield found

    def _rotate(self, file: BinaryIO) -> None:
        """Give the locked file its number, unless another process did so just before."""
        try:
            is_current = os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            return
        if not is_current:
            return
        for number in reversed(range(1, self._kept_files - 1)):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self.path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"runs.{number}.jsonl")


def tell_time() -> str:
    """Return the time as lines have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
