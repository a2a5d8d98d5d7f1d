"""Read a journal as a whole, or one exchange of it by the start of its id; nothing is written.

Every exchange that leaves here was checked: the answer against its checksum, the prompt against
its key, about 40 µs for both. The file is held as a run holds it, so that nobody reads a journal
that is being written.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pipeline.generation.journal.file import JournalError, describe_damage, open_journal_file
from pipeline.generation.journal.rows import (
    ROW_COLUMNS,
    DamagedRowError,
    Row,
    StoredExchange,
    read_exchange,
)
from schemas.identity import ID_LENGTH

_MOST_NAMED = 5


@contextmanager
def reading(path: Path) -> Generator[sqlite3.Connection]:
    """Lend a connection to a journal that exists; what SQLite cannot read is a clear error.

    Raises:
        JournalError: There is none, it is no journal of ours, or a running process has it.
        JournalWriteError: It is damaged.
    """
    connection = open_journal_file(path, create=False)
    try:
        connection.execute("PRAGMA query_only = ON")
        yield connection
    except sqlite3.Error as error:
        raise describe_damage(path, "", str(error)) from error
    finally:
        connection.close()


def read_exchanges(path: Path, connection: sqlite3.Connection) -> Generator[StoredExchange]:
    """Read all exchanges in the order in which they were written.

    Raises:
        JournalWriteError: One is damaged; the message names its key.
    """
    last = ""
    statement = f"SELECT {ROW_COLUMNS} FROM completions ORDER BY number"  # noqa: S608
    try:
        for values in connection.execute(statement):
            yield _read(path, Row(*values))
            last = values[0]
    except sqlite3.Error as error:
        raise describe_damage(path, f"after {last or 'none'}", str(error)) from error


def look_up(path: Path, connection: sqlite3.Connection, id_: str) -> StoredExchange | None:
    """Look up one exchange by its completion's whole id; for many, about 0.1 ms each.

    Raises:
        JournalWriteError: It is damaged.
    """
    row = connection.execute(
        f"SELECT {ROW_COLUMNS} FROM completions WHERE key = ?",  # noqa: S608 - names of our own
        (id_,),
    ).fetchone()
    return _read(path, Row(*row)) if row else None


def find_exchange(path: Path, id_: str) -> StoredExchange:
    """Find an exchange by its completion's id, or by a start of it that no other has.

    Raises:
        JournalError: There is none or more than one; the message names the first few.
    """
    start = id_.lower()
    if not 1 <= len(start) <= ID_LENGTH or set(start) - set("0123456789abcdef"):
        raise JournalError(
            f"A completion id is {ID_LENGTH} digits of 0-9 and a-f, or its start; found {id_!r}."
        )
    with reading(path) as connection:
        # "g" follows "f": all keys that begin so, through the index.
        rows = connection.execute(
            f"SELECT {ROW_COLUMNS} FROM completions WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",  # noqa: S608, E501
            (start, start + "g", _MOST_NAMED + 1),
        ).fetchall()
    if not rows:
        raise JournalError(
            f"{path} has no answer {id_!r}. A record names its own in provenance.completion_id."
        )
    if len(rows) > 1:
        more = " …" if len(rows) > _MOST_NAMED else ""
        names = " ".join(row[0] for row in rows[:_MOST_NAMED])
        raise JournalError(f"{path} has several answers {id_!r}: {names}{more}. Give more digits.")
    return _read(path, Row(*rows[0]))


def _read(path: Path, row: Row) -> StoredExchange:
    try:
        return read_exchange(row)
    except DamagedRowError as error:
        raise describe_damage(path, row.key, str(error)) from error
