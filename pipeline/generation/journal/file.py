"""Open a journal file: ours, of this format, undamaged as far as its header tells, and ours alone.

A file of another kind is refused before anything is written, so that it stays as it was. A new
file gets its tables in one transaction with a rollback journal: killed in between, it is empty or
whole, and an empty file is a new journal.

Memory stays the same however long the journal grows: 4 MB of cached pages hold the upper levels
of the index on keys (30 MB at 1,000,000 answers), and 32 MB made nothing faster; what else is read
often, the system's own cache holds. No memory map, which would count as this process's memory.

Texts are stored as they are: zlib at level 1 takes 35-75 µs for a prompt of 2 kB, as much as 9 % of
a core at 1,200 answers a second, to save 1.3 kB. An export can be compressed.
"""

import sqlite3
from pathlib import Path

from schemas.errors import PacaloomError, UserError

APPLICATION_ID = 0x7061636C
"""``pacl``, in the file's header at offset 68."""
FORMAT_VERSION = 2
_CACHE_KIB = 4096

_TABLES = (
    # In order of arrival: a new answer goes to the end of the file, and only a small index of
    # keys is written at random places. `prompt` is last, so that a look-up need not read it.
    """
    CREATE TABLE completions (
        number INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        arrived_s REAL NOT NULL,
        model TEXT NOT NULL,
        strategy TEXT NOT NULL,
        language TEXT NOT NULL,
        finish_reason TEXT NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        latency_s REAL NOT NULL,
        attempts INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        text TEXT NOT NULL,
        prompt TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE spendings (
        run TEXT PRIMARY KEY NOT NULL,
        requests INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        usd REAL NOT NULL,
        seconds REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE batches (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        model TEXT NOT NULL,
        keys TEXT NOT NULL
    ) STRICT
    """,
)


class JournalError(UserError):
    """The file is not a journal that this program can use now."""


class JournalWriteError(PacaloomError):
    """The journal could not be read or written: disk full, permissions, damage."""


def open_journal_file(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """Open the file for this process alone, until the connection closes.

    Args:
        path: The file.
        create: Make it, with its folder, when it is absent; otherwise absence is an error.

    Raises:
        JournalError: Another program's file, another version's, or one that another process has
            open. The file is left as it was.
        JournalWriteError: It cannot be created or written.
    """
    if not create and not (path.is_file() and path.stat().st_size):
        found = "an empty file" if path.is_file() else "nothing"
        raise JournalError(f"{path}: wanted a journal, found {found}. {_describe_others(path)}")
    connection = _connect(path)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def describe_damage(path: Path, key: str, reason: str) -> JournalWriteError:
    """Say that an answer cannot be read; without a key, that the file cannot."""
    what = f"answer {key}" if key else "it"
    return JournalWriteError(
        f"{path}: {what} cannot be read: {reason}. Bring back a copy of the journal, or move it "
        "away and its answers will be asked for again."
    )


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise JournalWriteError(
            f"{path} cannot be opened: {error}. Free space, mend the permissions, or choose "
            "another outputs folder."
        ) from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    try:
        _check_owner(connection, path)
        # Exclusive before the first access in WAL mode: the index of the log then lives in this
        # process's memory, and the lock is held until the connection closes.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        _create_if_new(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # The first write takes the exclusive lock; without one a second process could enter.
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise _describe(error, path) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        # SQLite quotes a damaged schema, and Python cannot read the quotation.
        raise JournalError(
            f"{path} is not a journal, or damaged: {error}. Bring back a copy of it, or move it "
            "away and its answers will be asked for again."
        ) from error


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    owner = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if owner == 0 and version == 0 and tables == 0:
        return
    if owner != APPLICATION_ID:
        raise JournalError(
            f"{path} is not a journal: it is another program's database. Choose another name or "
            "move the file away."
        )
    if version != FORMAT_VERSION:
        raise JournalError(
            f"{path} has journal format {version}, this program reads format {FORMAT_VERSION}. "
            "Use the version of the program that wrote it, or another name."
        )


def _create_if_new(connection: sqlite3.Connection) -> None:
    """Create the tables before WAL is switched on, so that a new file is whole or empty."""
    if _pragma(connection, "application_id") == APPLICATION_ID:
        return
    connection.execute("BEGIN EXCLUSIVE")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    for table in _TABLES:
        connection.execute(table)
    connection.execute("COMMIT")


def _describe(error: sqlite3.OperationalError, path: Path) -> PacaloomError:
    if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return JournalError(
            f"{path} is in use by another running process. Wait until it ends, or use another name."
        )
    return JournalWriteError(
        f"{path} cannot be used: {error}. Free space there or mend the permissions."
    )


def _describe_others(path: Path) -> str:
    names = sorted(other.stem for other in path.parent.glob("*.sqlite") if other != path)
    return f"There are: {', '.join(names)}." if names else f"There is none in {path.parent}."


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]
