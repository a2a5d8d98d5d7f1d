"""The file of decisions: lines are appended and synced, and nothing that was written is changed.

Two servers may review the same dataset at once, so a lock file guards each look and each append,
and an append says which decision its author had seen: it is refused when another one has come
since. A line that a crash cut short is moved to a file of its own before the next one is written.
Reading is incremental: a decision costs what was appended since the last one.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout
from pydantic import ValidationError

from schemas.errors import PacaloomError
from schemas.review import DecisionTable, ReviewDecision, StandingDecision
from schemas.storage import RecordFileError, StorageError, describe_validation_error

_LOCK_SECONDS = 10


class DecisionConflictError(PacaloomError):
    """Another decision about the record was made since its author looked."""

    def __init__(self, standing: StandingDecision | None) -> None:
        """Name what stands now."""
        self.standing = standing
        super().__init__(_describe_conflict(standing))


class StoredDecisions(NamedTuple):
    """What a file holds."""

    decisions: list[ReviewDecision]
    torn: str
    """What a crash left of a last line; empty where it is whole."""


class DecisionLog:
    """The decisions about one dataset, as the file has them now."""

    def __init__(self, path: Path) -> None:
        """Read what is there; a file that does not exist yet is made by the first decision.

        Raises:
            RecordFileError: A line is no decision, or the file cannot be read.
            StorageError: The folder cannot be written.
        """
        self.path = path
        self._table = DecisionTable()
        self._file: tuple[int, int] | None = None
        self._read_bytes = 0
        self._lines = 0
        self.look()

    def look(self) -> list[StandingDecision]:
        """List what stands, oldest first, others' decisions included."""
        with _locked(self.path):
            self._catch_up()
            return self._table.list_standing()

    def append(self, decision: ReviewDecision, seen: int | None) -> StandingDecision | None:
        """Write a decision down for good, and return what stands about its record then.

        Args:
            decision: The new one.
            seen: Place of the decision that its author saw standing; None where there was none.

        Raises:
            DecisionConflictError: Something else stands by now; nothing was written.
            StorageError: The file cannot be written; nothing was.
        """
        with _locked(self.path):
            self._catch_up()
            standing = self._table.find(decision.record)
            if (standing.place if standing else None) != seen:
                raise DecisionConflictError(standing)
            if decision.verdict == "withdraw" and standing is None:
                return None
            self._write(decision.model_dump_json().encode() + b"\n")
            self._catch_up()
            return self._table.find(decision.record)

    def _catch_up(self) -> None:
        file, size = _identify(self.path)
        if file != self._file or size < self._read_bytes:
            # Somebody has put another file in its place, or taken it away.
            self._table, self._read_bytes, self._lines = DecisionTable(), 0, 0
            self._file = file
        whole, _ = _split_torn(_read(self.path, self._read_bytes))
        for decision in _parse(whole, self.path, self._lines):
            self._table.add(decision)
        self._read_bytes += len(whole)
        self._lines += whole.count(b"\n")

    def _write(self, line: bytes) -> None:
        try:
            is_new = not self.path.exists()
            _mend_end(self.path, self._read_bytes)
            with self.path.open("ab", buffering=0) as file:
                end = file.tell()
                try:
                    _write_all(file, line)
                except OSError:
                    # Half a line on a full disk is none.
                    os.truncate(self.path, end)
                    raise
            if is_new:
                _sync_folder(self.path.parent)
        except OSError as error:
            raise StorageError(
                f"{self.path} cannot be written: {error.strerror}. Free space there or mend the "
                "permissions, then decide again."
            ) from error


def read_stored_decisions(path: Path) -> StoredDecisions:
    """Read all decisions in the order in which they were made; none where there is no file.

    Raises:
        RecordFileError: Names the line that is no decision.
    """
    if not path.exists():
        return StoredDecisions([], "")
    with _locked(path):
        content = _read(path, 0)
    whole, torn = _split_torn(content)
    return StoredDecisions(_parse(whole, path, 0), torn.decode("utf-8", "replace"))


@contextmanager
def _locked(path: Path) -> Generator[None]:
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=_LOCK_SECONDS):
            yield
    except Timeout as error:
        raise StorageError(
            f"{path} has been locked by another process for {_LOCK_SECONDS} s. Try again; if "
            f"nobody reviews this dataset, remove {lock}."
        ) from error
    except OSError as error:
        raise StorageError(
            f"{path} cannot be locked: {error.strerror or error}. Mend the permissions, or choose "
            "another folder with PACALOOM_OUTPUTS."
        ) from error


class _Identity(NamedTuple):
    file: tuple[int, int] | None
    """Device and inode; None where there is no file."""
    size: int


def _identify(path: Path) -> _Identity:
    try:
        found = path.stat()
    except FileNotFoundError:
        return _Identity(None, 0)
    return _Identity((found.st_dev, found.st_ino), found.st_size)


def _read(path: Path, start: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise RecordFileError(f"{path} cannot be read: {error.strerror}.") from error


def _split_torn(content: bytes) -> tuple[bytes, bytes]:
    """Divide before a last line that is no decision and has no end."""
    end = content.rfind(b"\n") + 1
    try:
        ReviewDecision.model_validate_json(content[end:])
    except ValidationError:
        return content[:end], content[end:]
    # Whole but for its end, as some editors leave a file.
    return content, b""


def _parse(lines: bytes, path: Path, first: int) -> list[ReviewDecision]:
    decisions: list[ReviewDecision] = []
    for number, line in enumerate(lines.split(b"\n"), start=first + 1):
        if not line.strip():
            continue
        try:
            decisions.append(ReviewDecision.model_validate_json(line))
        except ValidationError as error:
            raise RecordFileError(
                f"{path}:{number}: {describe_validation_error(error)}. Mend the line or remove it."
            ) from error
    return decisions


def _mend_end(path: Path, whole_bytes: int) -> None:
    """Set aside what a crash left of a last line, and end one that only lacks its end."""
    torn = _read(path, whole_bytes)
    if torn:
        with path.with_suffix(".torn").open("ab", buffering=0) as aside:
            _write_all(aside, torn + b"\n")
        os.truncate(path, whole_bytes)
    if whole_bytes and _read(path, whole_bytes - 1) != b"\n":
        with path.open("ab", buffering=0) as file:
            _write_all(file, b"\n")


def _write_all(file: RawIOBase, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) or 0 :]
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _describe_conflict(standing: StandingDecision | None) -> str:
    if standing is None:
        return "The decision was taken back meanwhile. Look at the record again."
    _, decision = standing
    return f"{decision.author} has decided meanwhile: {decision.verdict}. Look at it again."
