"""The journal: every prompt and completion ever exchanged, durable before anything uses it.

SQLite in WAL mode with full sync: one fsync a commit, about 4 ms on an ordinary disk, so answers
that arrive while one commit is under way share the next (349 commits a second alone, 6,250 answers
a second in groups of 32). A look-up is one search in the index of keys.

Beside the answers there are two more rooms: what each run has spent, and batches that an endpoint
works on. The connection holds the file exclusively: two runs on one journal would pay for the same
prompts. The lock belongs to the process and goes with it, also on ``kill -9``.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self

from pipeline.generation.budget.caps import Spending
from pipeline.generation.journal.file import (
    JournalError,
    JournalWriteError,
    describe_damage,
    open_journal_file,
)
from pipeline.generation.journal.rows import (
    ANSWER_COLUMNS,
    INSERT,
    AnswerRow,
    DamagedRowError,
    StoredExchange,
    make_row,
    read_completion,
)
from schemas.exchange import Completion, Exchange, Prompt

__all__ = ["Journal", "JournalError", "JournalWriteError", "PendingBatch"]

_SELECT = (
    f"SELECT {ANSWER_COLUMNS} FROM completions "  # noqa: S608 - names of our own
    "WHERE key IN (SELECT value FROM json_each(?))"
)
_NO_SPENDINGS: Mapping[str, Spending] = MappingProxyType({})


class PendingBatch(NamedTuple):
    """Prompts that were handed to an endpoint's batch service and not collected yet."""

    id: str
    """As the endpoint knows it."""
    model: str
    keys: tuple[str, ...]
    """``Prompt.key`` of each."""


class Journal:
    """An open journal; safe to use from several threads, closed by ``with`` or :meth:`close`."""

    def __init__(
        self, path: Path, *, create: bool = True, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the file.

        Args:
            path: The file.
            create: Make it, with its folder, when it is absent; otherwise absence is an error.
            clock: Tells Unix time; each answer keeps when it arrived.

        Raises:
            JournalError: Another program's file, another version's, or one that another process
                has open. The file is left as it was.
            JournalWriteError: It cannot be created or written.
        """
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._connection = open_journal_file(path, create=create)

    def get(self, key: str) -> Completion | None:
        """Look one answer up."""
        return self.get_all([key])[0]

    def get_all(self, keys: Sequence[str]) -> list[Completion | None]:
        """Look answers up, in the order of the keys; None where there is none yet.

        Raises:
            JournalWriteError: An answer is damaged; the message names its key.
        """
        try:
            found = self._select(keys)
        except sqlite3.Error as error:
            raise self._damage(self._find_unreadable(keys), str(error)) from error
        return [found.get(key) for key in keys]

    def put(self, prompt: Prompt, completion: Completion) -> None:
        """Write one answer; it is on the disk when this returns."""
        self.put_all([Exchange(prompt, completion)])

    def put_all(
        self, exchanges: Iterable[Exchange], spendings: Mapping[str, Spending] = _NO_SPENDINGS
    ) -> None:
        """Write answers, and spendings by run, in one transaction.

        An answer that is there already stays as it was; a spending replaces the run's earlier one.
        """
        now = self._clock()
        self._write([StoredExchange(exchange, now) for exchange in exchanges], spendings)

    def copy_in(self, stored: Iterable[StoredExchange]) -> int:
        """Write answers of another journal with the times when they came, as :meth:`put_all`.

        Returns:
            How many were not there yet.
        """
        return self._write(list(stored), _NO_SPENDINGS)

    def read_spending(self, run: str) -> Spending:
        """Read what a run has spent so far: nothing when it is new."""
        row = self._read("SELECT * FROM spendings WHERE run = ?", run)
        return Spending(*row[0][1:]) if row else Spending()

    def read_batches(self) -> list[PendingBatch]:
        """List the batches under way, oldest first."""
        rows = self._read("SELECT id, model, keys FROM batches ORDER BY number")
        return [PendingBatch(id_, model, tuple(json.loads(keys))) for id_, model, keys in rows]

    def write_batch(self, batch: PendingBatch) -> None:
        """Remember a batch, or replace what is known of it; on the disk when this returns."""
        with self._transaction(f"Batch {batch.id} is not remembered"):
            self._connection.execute(
                "INSERT INTO batches (id, model, keys) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET model = excluded.model, keys = excluded.keys",
                (batch.id, batch.model, json.dumps(batch.keys)),
            )

    def remove_batch(self, id_: str) -> None:
        """Forget a batch once its answers are in the journal; an unknown one is no error."""
        with self._transaction(f"Batch {id_} will be collected again"):
            self._connection.execute("DELETE FROM batches WHERE id = ?", (id_,))

    def __len__(self) -> int:
        """Count the answers."""
        return self._read("SELECT count(*) FROM completions")[0][0]

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

    def _write(self, stored: list[StoredExchange], spendings: Mapping[str, Spending]) -> int:
        rows = [make_row(one) for one in stored]
        with self._transaction(f"{len(rows)} answers of the teacher are lost"):
            before = self._connection.total_changes
            self._connection.executemany(INSERT, rows)
            added = self._connection.total_changes - before
            self._connection.executemany(
                "INSERT OR REPLACE INTO spendings VALUES (?, ?, ?, ?, ?, ?)",
                [(run, *spending) for run, spending in spendings.items()],
            )
        return added

    @contextmanager
    def _transaction(self, loss: str) -> Generator[None]:
        """Write all or nothing; ``loss`` says what a failure means."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except (sqlite3.Error, OverflowError) as error:  # a count beyond 64 bits
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise JournalWriteError(
                    f"{self.path} cannot be written: {error}. {loss}; free space there and run "
                    "the same command again to go on."
                ) from error

    def _read(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._damage("", str(error)) from error

    def _select(self, keys: Sequence[str]) -> dict[str, Completion]:
        found: dict[str, Completion] = {}
        with self._lock:
            for values in self._connection.execute(_SELECT, (json.dumps(keys),)):
                row = AnswerRow(*values)
                try:
                    found[row.key] = read_completion(row)
                except DamagedRowError as error:
                    raise self._damage(row.key, str(error)) from error
        return found

    def _find_unreadable(self, keys: Sequence[str]) -> str:
        """Name the first key whose row SQLite cannot read; empty when it is not the row."""
        for key in keys:
            try:
                self._select([key])
            except sqlite3.Error:
                return key
        return ""

    def _damage(self, key: str, reason: str) -> JournalWriteError:
        return describe_damage(self.path, key, reason)
