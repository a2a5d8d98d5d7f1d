"""The journal: every prompt and completion ever exchanged, durable before anything uses it.

SQLite in WAL mode with full sync: one fsync a commit, about 4 ms on an ordinary disk, so answers
that arrive while one commit is under way share the next (349 commits a second alone, 6,250 answers
a second in groups of 32). A look-up is one search in the primary key.

The connection holds the file exclusively: two runs on one journal would pay for the same prompts.
The lock belongs to the process and goes with it, also on ``kill -9``.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from pydantic import ValidationError

from schemas.errors import PacaloomError, UserError
from schemas.exchange import Completion, Prompt

_APPLICATION_ID = 0x7061636C  # "pacl", in the file's header at offset 68
_FORMAT_VERSION = 1
_TABLE = """
CREATE TABLE completions (
    key TEXT PRIMARY KEY NOT NULL,
    prompt TEXT NOT NULL,
    completion TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""


class JournalError(UserError):
    """The file is not a journal that this program can use now."""


class JournalWriteError(PacaloomError):
    """The journal could not be read or written: disk full, permissions, damage."""


class Exchange(NamedTuple):
    """One question and its answer."""

    prompt: Prompt
    completion: Completion


class Journal:
    """An open journal; safe to use from several threads, closed by ``with`` or :meth:`close`."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it with its folder when it is absent.

        Raises:
            JournalError: Another program's file, another version's, or one that another process
                has open. The file is left as it was.
            JournalWriteError: It cannot be created or written.
        """
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=1.0, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise JournalWriteError(
                f"{path} cannot be opened: {error}. Free space, mend the permissions, or choose "
                "another outputs folder."
            ) from error
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def get(self, key: str) -> Completion | None:
        """Look one answer up."""
        return self.get_all([key])[0]

    def get_all(self, keys: Sequence[str]) -> list[Completion | None]:
        """Look answers up, in the order of the keys; None where there is none yet."""
        with self._lock:
            rows = [self._select(key) for key in keys]
        return [None if row is None else self._read_completion(row) for row in rows]

    def put(self, prompt: Prompt, completion: Completion) -> None:
        """Write one answer; it is on the disk when this returns."""
        self.put_all([Exchange(prompt, completion)])

    def put_all(self, exchanges: Iterable[Exchange]) -> None:
        """Write answers in one transaction. An answer that is there already stays as it was."""
        rows = [
            (answer.id, prompt.model_dump_json(), answer.model_dump_json())
            for prompt, answer in exchanges
        ]
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(
                    "INSERT OR IGNORE INTO completions VALUES (?, ?, ?)", rows
                )
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise JournalWriteError(
                    f"{self.path} cannot be written: {error}. {len(rows)} answers of the teacher "
                    "are lost; free space there and run the same command again to go on."
                ) from error

    def __len__(self) -> int:
        """Count the answers."""
        with self._lock:
            return self._connection.execute("SELECT count(*) FROM completions").fetchone()[0]

    def close(self) -> None:
        """Close the file, folding the write-ahead log into it."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        try:
            self._check_owner()
            # Exclusive before the first access in WAL mode: the index of the log then lives in
            # this process's memory, and the lock is held until the connection closes.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._create_if_new()
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            # The first write takes the exclusive lock; without one a second process could enter.
            self._connection.execute("BEGIN EXCLUSIVE")
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise self._describe(error) from error
        except sqlite3.DatabaseError as error:
            raise JournalError(
                f"{self.path} is not a journal: {error}. Choose another name or move the file away."
            ) from error

    def _check_owner(self) -> None:
        owner = self._pragma("application_id")
        version = self._pragma("user_version")
        tables = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if owner == 0 and version == 0 and tables == 0:
            return
        if owner != _APPLICATION_ID:
            raise JournalError(
                f"{self.path} is not a journal: it is another program's database. Choose another "
                "name or move the file away."
            )
        if version != _FORMAT_VERSION:
            raise JournalError(
                f"{self.path} has journal format {version}, this program reads format "
                f"{_FORMAT_VERSION}. Use the version of the program that wrote it."
            )

    def _create_if_new(self) -> None:
        """Create the table before WAL is switched on, so that a new file is whole or empty."""
        if self._pragma("application_id") == _APPLICATION_ID:
            return
        self._connection.execute("BEGIN EXCLUSIVE")
        self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        self._connection.execute(f"PRAGMA user_version = {_FORMAT_VERSION}")
        self._connection.execute(_TABLE)
        self._connection.execute("COMMIT")

    def _describe(self, error: sqlite3.OperationalError) -> PacaloomError:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return JournalError(
                f"{self.path} is in use by another running process. Wait until it ends, or use "
                "another name."
            )
        return JournalWriteError(
            f"{self.path} cannot be used: {error}. Free space there or mend the permissions."
        )

    def _pragma(self, name: str) -> int:
        return self._connection.execute(f"PRAGMA {name}").fetchone()[0]

    def _select(self, key: str) -> str | None:
        try:
            row = self._connection.execute(
                "SELECT completion FROM completions WHERE key = ?", (key,)
            ).fetchone()
        except sqlite3.Error as error:
            raise JournalWriteError(
                f"{self.path} cannot be read: {error}. Bring back a copy of it, or move it away "
                "and its answers will be asked for again."
            ) from error
        return None if row is None else row[0]

    def _read_completion(self, text: str) -> Completion:
        try:
            return Completion.model_validate_json(text)
        except ValidationError as error:
            raise JournalError(
                f"{self.path} holds an answer that this program cannot read: {error.title}. Use "
                "the version of the program that wrote it."
            ) from error
