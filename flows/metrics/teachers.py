"""What teachers were asked and answered, from the journals, while runs write them too.

Requests under way and the present concurrency are in nobody's file, so they are not shown. What is
true in their place: how many answers a second came (``rate`` of the counter, as new as the last
commit), how many requests these took, and whether a run holds the journal now.

Cost in US dollars comes from the ledgers, because only the run knows its endpoint's price: a
journal holds no address, and the price table is good at the provider's own host alone. A run with
a cap writes down what it has reserved, and puts it right when answers come; hence a gauge, which
may fall, and no counter. Requests that ended without an answer are in the ledgers' dollars only.
"""

import fcntl
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from flows.metrics.journal_snapshot import SnapshotError, remove_leftovers
from flows.metrics.journal_tally import JournalTally
from flows.metrics.series import Family, Series

_BY_MODEL = ("name", "model")

ANSWERS = Family(
    "pacaloom_teacher_answers_total",
    "counter",
    ("name", "model", "strategy", "language", "finish_reason"),
    "Answers in the journal.",
)
REQUESTS = Family(
    "pacaloom_teacher_requests_total",
    "counter",
    _BY_MODEL,
    "Requests sent until these answers came.",
)
RETRIES = Family(
    "pacaloom_teacher_retries_total",
    "counter",
    _BY_MODEL,
    "Requests sent again until these answers came.",
)
TOKENS = Family(
    "pacaloom_teacher_tokens_total",
    "counter",
    ("name", "model", "kind"),
    "Tokens of prompts and completions, as the endpoint counted them.",
)
LATENCY = Family(
    "pacaloom_teacher_latency_seconds",
    "histogram",
    _BY_MODEL,
    "Time from sending the request that was answered to its answer; in a batch, of the batch.",
)
SPENT = Family(
    "pacaloom_teacher_spent_usd",
    "gauge",
    ("name",),
    "US dollars by the runs' ledgers; while a run is under way, with what it has reserved.",
)
BATCHES = Family(
    "pacaloom_teacher_pending_batches",
    "gauge",
    ("name",),
    "Batches handed to an endpoint and not collected yet.",
)
LAST_ANSWER = Family(
    "pacaloom_teacher_last_answer_timestamp_seconds",
    "gauge",
    ("name",),
    "When the newest answer came.",
)
IN_USE = Family(
    "pacaloom_journal_in_use", "gauge", ("name",), "1 while a process holds the journal."
)
SIZE = Family(
    "pacaloom_journal_size_bytes", "gauge", ("name",), "Size of the journal, its log included."
)

# SQLite's lock bytes: an exclusive lock covers the 510 from the third on.
_LOCK = struct.Struct("hhqqi4x")
_LOCK_START, _LOCK_LENGTH = 0x40000002, 510


class TeacherCollector:
    """All journals of an outputs folder."""

    name = "teachers"
    families = (
        ANSWERS, REQUESTS, RETRIES, TOKENS, LATENCY, SPENT, BATCHES, LAST_ANSWER, IN_USE, SIZE,
    )  # fmt: skip

    def __init__(self, outputs: Path) -> None:
        self._journals = outputs / "journals"
        self._tallies: dict[Path, JournalTally] = {}

    def collect(self, series: Series) -> list[str]:
        remove_leftovers(self._journals)
        paths = sorted(path for path in self._journals.glob("[!.]*.sqlite") if path.is_file())
        self._tallies = {path: self._tallies.get(path) or JournalTally(path) for path in paths}
        problems: list[str] = []
        for path, tally in self._tallies.items():
            try:
                tally.refresh()
            except SnapshotError as error:
                # What was read before is still true.
                problems.append(str(error))
            except FileNotFoundError:
                continue
            _add(series, path.stem, tally)
            _add_file(series, path)
        return problems


def _add(series: Series, name: str, tally: JournalTally) -> None:
    for group, sums in tally.groups.items():
        series.add(ANSWERS, sums.answers, name, *group)
        series.add(REQUESTS, sums.requests, name, group.model)
        series.add(RETRIES, sums.requests - sums.answers, name, group.model)
        series.add(TOKENS, sums.prompt_tokens, name, group.model, "prompt")
        series.add(TOKENS, sums.completion_tokens, name, group.model, "completion")
        series.add_histogram(LATENCY, sums.latency, name, group.model)
    series.add(SPENT, tally.ledgers.usd, name)
    series.add(BATCHES, tally.ledgers.batches, name)
    if tally.last_arrival_s is not None:
        series.add(LAST_ANSWER, tally.last_arrival_s, name)


def _add_file(series: Series, path: Path) -> None:
    try:
        series.add(SIZE, sum(_sizes(path)), path.stem)
        if sys.platform == "linux":
            series.add(IN_USE, _is_held(path), path.stem)
    except OSError:
        # It went, or is not ours to read, which reading it has told.
        return


def _sizes(path: Path) -> Iterator[int]:
    yield path.stat().st_size
    log = path.with_name(path.name + "-wal")
    if log.is_file():
        yield log.stat().st_size


def _is_held(path: Path) -> bool:
    """Ask the kernel who would be in the way of a lock, without taking one."""
    question = _LOCK.pack(fcntl.F_WRLCK, 0, _LOCK_START, _LOCK_LENGTH, 0)
    with path.open("rb") as file:
        answer = fcntl.fcntl(file, fcntl.F_GETLK, question)
    kind: int = _LOCK.unpack(answer)[0]
    return kind != fcntl.F_UNLCK
