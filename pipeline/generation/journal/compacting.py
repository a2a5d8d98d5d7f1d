"""Give back what a journal's file holds for nothing: free pages, and the log of a killed run.

No answer is lost at any moment: SQLite writes the smaller file into its write-ahead log first, so a
kill leaves the file as it was before or after. That log takes as much room as the answers, and so
does the copy in the system's folder for temporary files; the room is checked first. The file is
never replaced by another: a process that had opened it would go on writing into the old one.

Cost: reading and writing the answers three times, 1 to 2 s for 100 MB on an ordinary disk; looking
costs a read of 100 bytes.
"""

import os
import shutil
import sqlite3
import struct
import tempfile
from pathlib import Path
from typing import NamedTuple

from pipeline.generation.journal.file import (
    APPLICATION_ID,
    JournalError,
    JournalWriteError,
    describe_damage,
    open_journal_file,
)

_HEADER = struct.Struct(">16x H 10x I 4x I 28x I 28x")
"""Page size, pages, free pages, application id: sqlite.org/fileformat2.html, section 1.3."""
_LEAST_SHARE = 0.05
"""Of the file that has to be free: less comes back with the next answers anyway."""


_TEMPORARY = ("/var/tmp", "/usr/tmp", "/tmp")  # noqa: S108 - named as SQLite does, not written to
"""Where SQLite puts what is temporary unless TMPDIR says where: the first that it may write to
(sqlite.org/tempfiles.html, section 5). Python looks into /tmp first, which may be another disk."""


class Slack(NamedTuple):
    """What a journal's file holds for nothing, as far as its header tells."""

    size_bytes: int
    free_bytes: int
    """In pages without anything in them."""
    log_bytes: int
    """Of the write-ahead log, which an orderly end folds in."""

    @property
    def is_worth_it(self) -> bool:
        """Whether compacting gives back something to speak of."""
        return self.log_bytes > 0 or self.free_bytes > _LEAST_SHARE * self.size_bytes

    @property
    def total_bytes(self) -> int:
        """What compacting gives back; a log may hold answers, which go into the file."""
        return self.free_bytes + self.log_bytes


class Compacted(NamedTuple):
    """Bytes of file and log, before and after."""

    before_bytes: int
    after_bytes: int


def measure_slack(path: Path) -> Slack:
    """Look at a journal without opening it as one, so that another process that has it can go on.

    Never in a process that has the journal open itself: closing a file gives up the locks that the
    process has on it.

    Raises:
        JournalError: It is no journal of ours.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
    except OSError as error:
        raise JournalError(f"{path} cannot be read: {error.strerror}.") from error
    if len(header) < _HEADER.size or not header.startswith(b"SQLite format 3\0"):
        raise JournalError(f"{path} is not a journal: it is no SQLite file.")
    page_size, pages, free_pages, owner = _HEADER.unpack(header)
    if owner != APPLICATION_ID:
        raise JournalError(f"{path} is not a journal: it is another program's database.")
    # 1 stands for 65,536, which two bytes cannot hold.
    page_size = 65_536 if page_size == 1 else page_size
    log = path.with_name(f"{path.name}-wal")
    return Slack(
        page_size * pages, page_size * free_pages, log.stat().st_size if log.is_file() else 0
    )


def compact(path: Path) -> Compacted:
    """Give free pages and the log back; nobody else can open the journal meanwhile.

    Raises:
        JournalError: It is no journal of ours, or a running process has it.
        JournalWriteError: There is no room for it, or the file is damaged; it stays as it was.
    """
    before = measure_slack(path)
    _check_room(path, before)
    connection = open_journal_file(path, create=False)
    try:
        _check_whole(connection, path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if _find_free_share(connection) > _LEAST_SHARE:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise JournalWriteError(
            f"{path} cannot be compacted: {error}. It is as it was; free space and try again."
        ) from error
    finally:
        connection.close()
    after = measure_slack(path)
    return Compacted(before.size_bytes + before.log_bytes, after.size_bytes + after.log_bytes)


def find_temporary_folder() -> Path:
    """Find the folder that SQLite copies a journal into while it is compacted."""
    chosen = tempfile.gettempdir()
    if chosen not in _TEMPORARY:
        return Path(chosen)
    may_write = os.W_OK | os.X_OK
    return Path(next((one for one in _TEMPORARY if os.access(one, may_write)), chosen))


def _check_room(path: Path, slack: Slack) -> None:
    """See that the copy and the log have room, on one disk or on two."""
    needed = slack.size_bytes - slack.free_bytes + slack.log_bytes
    folders = {path.parent: needed, find_temporary_folder(): needed}
    on_one_disk = len({folder.stat().st_dev for folder in folders}) == 1
    for folder, bytes_ in folders.items():
        wanted = bytes_ * (2 if on_one_disk else 1)
        free = shutil.disk_usage(folder).free
        if free < wanted:
            raise JournalWriteError(
                f"{path} is not compacted: that needs {wanted / 1e6:,.0f} MB in {folder} for a "
                f"while, {free / 1e6:,.0f} MB are free."
            )


def _find_free_share(connection: sqlite3.Connection) -> float:
    free: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    return free / pages


def _check_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a damaged file: rewriting it could lose what can still be read."""
    found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        raise describe_damage(path, "", found)
