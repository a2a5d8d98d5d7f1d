"""Read a journal while a run writes it, without a lock and without touching it.

A run holds its journal exclusively, so no second connection may open it; and a reader that took
the lock would turn away a run that starts in that moment. What lies on the disk is sound at every
instant, though, because a crash may come at every instant: the file, with the whole transactions
of the write-ahead log laid over it. So the log (4 MB as a rule) is copied beside a hard link to the
file, and SQLite opens the pair read-only and without locks (its VFS ``unix-none``), finds what was
committed and leaves both alone.

The one thing that can go wrong is that the run folds newer pages into the file during the read.
That changes the file's time, or the log's header, so what was read counts only when both are the
same afterwards; otherwise it is read again. Copying takes 2 ms.

SQLite closes a file by giving up all locks that the process has on it: never read a journal here
that the same process has open as a run.
"""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeVar

from pipeline.generation.journal.file import APPLICATION_ID, FORMAT_VERSION
from schemas.errors import PacaloomError

Result = TypeVar("Result")

_ATTEMPTS = 5
_PREFIX = ".metrics-"
_LEFTOVER_AFTER_S = 600.0
_LOG_HEADER_BYTES = 32
"""Its salts are drawn anew when the log begins from the start."""


class SnapshotError(PacaloomError):
    """A journal cannot be read now."""


class FileState(NamedTuple):
    """What shows that a journal has changed."""

    inode: int
    changed_ns: int
    size: int
    log_changed_ns: int
    log_size: int


def find_state(path: Path) -> FileState:
    """Look at a journal from outside.

    Raises:
        OSError: It is gone.
    """
    file = path.stat()
    try:
        log = _log_of(path).stat()
    except FileNotFoundError:
        return FileState(file.st_ino, file.st_mtime_ns, file.st_size, 0, 0)
    return FileState(file.st_ino, file.st_mtime_ns, file.st_size, log.st_mtime_ns, log.st_size)


def read_snapshot(path: Path, read: Callable[[sqlite3.Connection], Result]) -> Result:
    """Have a journal read as it stood at one moment.

    Args:
        path: The journal.
        read: May be called several times, and only the last one counts. Keep it short: while a
            run writes at full speed, its log is folded into the file about once a second.

    Raises:
        SnapshotError: It is no journal of ours, damaged, cannot be linked, or changed all the time.
    """
    try:
        # A link has to lie on the disk of the file itself.
        path = path.resolve()
        for _ in range(_ATTEMPTS):
            before = path.stat()
            with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=path.parent) as folder:
                result = _read_pair(path, Path(folder), read)
            after = path.stat()
            same = (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
            if same and not isinstance(result, _Unsettled):
                if isinstance(result, sqlite3.Error):
                    raise SnapshotError(f"{path}: not a journal, or damaged: {result}") from result
                return result
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be linked and read: {error}") from error
    raise SnapshotError(f"{path}: changed while it was read, {_ATTEMPTS} times")


def remove_leftovers(folder: Path) -> None:
    """Remove the links of a reader that was killed: a journal that is deleted would live on."""
    for path in folder.glob(f"{_PREFIX}*"):
        try:
            is_old = time.time() - path.stat().st_mtime > _LEFTOVER_AFTER_S
        except FileNotFoundError:
            # Another exporter has just finished with it.
            continue
        if is_old:
            shutil.rmtree(path, ignore_errors=True)


class _Unsettled:
    """The log began anew while it was copied."""


def _read_pair(
    path: Path, folder: Path, read: Callable[[sqlite3.Connection], Result]
) -> Result | sqlite3.Error | _Unsettled:
    """Read, or say what SQLite found wrong, which may be nothing but a change in mid-read."""
    link = folder / "journal"
    os.link(path, link)
    if not _copy_log(_log_of(path), _log_of(link)):
        return _Unsettled()
    address = f"{link.as_uri()}?mode=ro&vfs=unix-none"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            # Before the first access: the log's index then lives in memory, not in a shared file.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA query_only = ON")
            _check(connection, path)
            return read(connection)
    except sqlite3.Error as error:
        return error


def _copy_log(log: Path, target: Path) -> bool:
    """Copy the write-ahead log if there is one; False when it began anew meanwhile."""
    try:
        with log.open("rb") as source:
            header = source.read(_LOG_HEADER_BYTES)
            source.seek(0)
            with target.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
            source.seek(0)
            return source.read(_LOG_HEADER_BYTES) == header
    except FileNotFoundError:
        return True


def _check(connection: sqlite3.Connection, path: Path) -> None:
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (owner, version) != (APPLICATION_ID, FORMAT_VERSION):
        raise SnapshotError(f"{path}: not a journal of format {FORMAT_VERSION}")


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
