"""What a journal holds in numbers, read in one pass: about 3 CPU-s for 1,000,000 answers.

Not grouped in SQL: that sorts all rows in a temporary file, and the latencies take a second pass.
"""

import math
import sqlite3
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from pipeline.generation.journal.reading import reading
from schemas.frozen import Frozen

Key = TypeVar("Key", str, int)


class Tally(Frozen):
    """Answers and what they took."""

    answers: int = 0
    requests: int = 0
    """Requests sent until the answers came: the sum of their attempts."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class JournalStatistics(Frozen):
    """What is in a journal."""

    journal: Path
    bytes: int
    total: Tally
    by_model: dict[str, Tally]
    by_strategy: dict[str, Tally]
    by_language: dict[str, Tally]
    finish_reasons: dict[str, int]
    attempts: dict[int, int]
    """Answers by the number of requests that they took."""
    latency_p50_s: float | None
    latency_p95_s: float | None
    """Nearest rank; None without an answer."""
    first_arrival: str | None
    last_arrival: str | None
    """UTC, ISO 8601."""
    runs: int
    """Runs with a ledger of what they have spent."""
    spent_usd: float
    """Sum of their ledgers, which knew the endpoint's price; the answers alone do not tell it."""
    pending_batches: int


class _Group(NamedTuple):
    model: str
    strategy: str
    language: str
    finish_reason: str
    attempts: int
    answers: int
    prompt_tokens: int
    completion_tokens: int


class _Rows(NamedTuple):
    groups: list[_Group]
    latencies: "array[float]"
    span: tuple[float | None, float | None]
    """First and last arrival."""


_ROWS = """
SELECT model, strategy, language, finish_reason, attempts,
       prompt_tokens, completion_tokens, latency_s, arrived_s
FROM completions
"""
_ISO = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', ?, 'unixepoch')"


def read_statistics(path: Path) -> JournalStatistics:
    """Count what is in a journal.

    Raises:
        JournalError: There is none, it is no journal of ours, or a running process has it.
        JournalWriteError: It is damaged.
    """
    with reading(path) as connection:
        rows = _read_rows(connection)
        # Dates in SQL, which answers NULL where one is too far away.
        first, last = (connection.execute(_ISO, (at,)).fetchone()[0] for at in rows.span)
        runs, usd = connection.execute("SELECT count(*), total(usd) FROM spendings").fetchone()
        batches = connection.execute("SELECT count(*) FROM batches").fetchone()[0]
    groups, latencies = rows.groups, sorted(rows.latencies)
    return JournalStatistics(
        journal=path,
        bytes=path.stat().st_size,
        total=_tally(groups),
        by_model=_tally_by(lambda group: group.model, groups),
        by_strategy=_tally_by(lambda group: group.strategy, groups),
        by_language=_tally_by(lambda group: group.language, groups),
        finish_reasons=_count_by(lambda group: group.finish_reason, groups),
        attempts=_count_by(lambda group: group.attempts, groups),
        latency_p50_s=_nearest_rank(latencies, 0.50),
        latency_p95_s=_nearest_rank(latencies, 0.95),
        first_arrival=first,
        last_arrival=last,
        runs=runs,
        spent_usd=usd,
        pending_batches=batches,
    )


def _read_rows(connection: sqlite3.Connection) -> _Rows:
    sums: dict[tuple[str, str, str, str, int], list[int]] = {}
    latencies = array("d")
    first = last = None
    for *what, prompt_tokens, completion_tokens, latency_s, arrived_s in connection.execute(_ROWS):
        group = sums.setdefault(tuple(what), [0, 0, 0])
        group[0] += 1
        group[1] += prompt_tokens
        group[2] += completion_tokens
        latencies.append(latency_s)
        first = arrived_s if first is None else min(first, arrived_s)
        last = arrived_s if last is None else max(last, arrived_s)
    groups = [_Group(*what, *counts) for what, counts in sums.items()]
    return _Rows(groups, latencies, (first, last))


def _tally(groups: Sequence[_Group]) -> Tally:
    return Tally(
        answers=sum(group.answers for group in groups),
        requests=sum(group.answers * group.attempts for group in groups),
        prompt_tokens=sum(group.prompt_tokens for group in groups),
        completion_tokens=sum(group.completion_tokens for group in groups),
    )


def _tally_by(name: Callable[[_Group], str], groups: Sequence[_Group]) -> dict[str, Tally]:
    names = sorted({name(group) for group in groups})
    return {one: _tally([group for group in groups if name(group) == one]) for one in names}


def _count_by(name: Callable[[_Group], Key], groups: Sequence[_Group]) -> dict[Key, int]:
    counts: Counter[Key] = Counter()
    for group in groups:
        counts[name(group)] += group.answers
    return dict(counts.most_common())


def _nearest_rank(ordered: Sequence[float], share: float) -> float | None:
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None
