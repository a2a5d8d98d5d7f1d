"""What a journal holds in numbers, kept between scrapes, so that each reads only what is new.

Answers are only ever added, so the number of the last one read is where the next scrape begins.
When the file is another one, or that answer is no longer what it was, everything is counted anew;
Prometheus takes the smaller counters for a restart, which it is. Cost: 5 CPU-s for the first
1,000,000 answers, afterwards 5 ms and 4 µs for each new one; nothing but a look at the file's time
while nobody writes.
"""

import sqlite3
import time
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from flows.metrics.journal_snapshot import FileState, find_state, read_snapshot
from flows.metrics.series import Histogram

LATENCY_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
"""From a fast endpoint's short answer to a small machine's long one."""
OTHER = "(other)"
_CHUNK = 5_000
"""Answers of one snapshot: 15 ms, far less than a run at full speed takes to fold its log."""
_MOST_GROUPS = 400
"""Names in an imported journal may be anything; the rest is counted together."""
_SETTLED_NS = 2 * 10**9
"""A file's time may stand still for one tick of the kernel while it is written twice."""

_ROWS = """
SELECT number, key, model, strategy, language, finish_reason, attempts, prompt_tokens,
       completion_tokens, latency_s, arrived_s
FROM completions WHERE number > ? ORDER BY number LIMIT ?
"""


class Group(NamedTuple):
    """What answers are told apart by."""

    model: str
    strategy: str
    language: str
    finish_reason: str


_REST = Group(OTHER, OTHER, OTHER, OTHER)


class Tally:
    """What the answers of a group took; added to in place."""

    __slots__ = ("answers", "buckets", "completion_tokens", "prompt_tokens", "requests", "seconds")

    def __init__(self) -> None:
        self.answers = 0
        self.requests = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.seconds = 0.0
        self.buckets = [0] * (len(LATENCY_BOUNDS_S) + 1)

    @property
    def latency(self) -> Histogram:
        return Histogram(LATENCY_BOUNDS_S, self.buckets, self.seconds)


class Ledgers(NamedTuple):
    """What the runs of a journal have written down beside the answers."""

    usd: float = 0.0
    batches: int = 0


class _Row(NamedTuple):
    number: int
    key: str
    model: str
    strategy: str
    language: str
    finish_reason: str
    attempts: int
    prompt_tokens: int
    completion_tokens: int
    latency_s: float
    arrived_s: float


class _Chunk(NamedTuple):
    is_continued: bool
    """The last answer that was read is still there."""
    rows: list[_Row]
    ledgers: Ledgers


class JournalTally:
    """All that was read of one journal."""

    def __init__(self, path: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self.path = path
        self._clock = clock
        self._state: FileState | None = None
        self._inode: int | None = None
        self._forget()

    def refresh(self) -> None:
        """Read what is new.

        Raises:
            SnapshotError: It cannot be read now; what was read before stays.
            OSError: It is gone.
        """
        state = find_state(self.path)
        if state == self._state or state.size == 0:
            return
        if state.inode != self._inode:
            self._forget()
            self._inode = state.inode
        while self._read_chunk():
            pass
        newest = max(state.changed_ns, state.log_changed_ns)
        self._state = state if self._clock() - newest > _SETTLED_NS else None

    def _forget(self) -> None:
        self.groups: dict[Group, Tally] = {}
        self.ledgers = Ledgers()
        self.last_arrival_s: float | None = None
        self._last: tuple[int, str] | None = None

    def _read_chunk(self) -> bool:
        """Read some answers; True when there may be more."""
        last = self._last
        chunk = read_snapshot(self.path, lambda connection: _read(connection, last))
        if not chunk.is_continued:
            self._forget()
            return True
        for row in chunk.rows:
            self._count(row)
        self.ledgers = chunk.ledgers
        return len(chunk.rows) == _CHUNK

    def _count(self, row: _Row) -> None:
        group = Group(row.model, row.strategy, row.language, row.finish_reason)
        if group not in self.groups and len(self.groups) >= _MOST_GROUPS:
            group = _REST
        tally = self.groups.setdefault(group, Tally())
        tally.answers += 1
        tally.requests += row.attempts
        tally.prompt_tokens += row.prompt_tokens
        tally.completion_tokens += row.completion_tokens
        tally.seconds += row.latency_s
        tally.buckets[bisect_left(LATENCY_BOUNDS_S, row.latency_s)] += 1
        self._last = (row.number, row.key)
        self.last_arrival_s = max(row.arrived_s, self.last_arrival_s or 0.0)


def _read(connection: sqlite3.Connection, last: tuple[int, str] | None) -> _Chunk:
    number, key = last or (0, "")
    if last is not None:
        found = connection.execute("SELECT key FROM completions WHERE number = ?", (number,))
        if found.fetchone() != (key,):
            return _Chunk(False, [], Ledgers())
    rows = [_Row(*values) for values in connection.execute(_ROWS, (number, _CHUNK))]
    usd = connection.execute("SELECT total(usd) FROM spendings").fetchone()[0]
    batches = connection.execute("SELECT count(*) FROM batches").fetchone()[0]
    return _Chunk(True, rows, Ledgers(usd, batches))
