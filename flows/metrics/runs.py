"""How runs ended, by the run log: those of commands and those of deployments alike.

The log is read on from where the last scrape stopped, over a change of file too. It keeps 50 MB, so
an exporter that is started anew counts from the oldest line that is left: a counter that began
again, as Prometheus expects of restarts. Cost: 0.1 s for a full log at the start.
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from flows.metrics.series import Family, Series
from flows.observing.run_log import LogLine

RUNS = Family(
    "pacaloom_run_events_total",
    "counter",
    ("flow", "event"),
    "Runs that started, ended, failed, were stopped or crashed, as the run log has them.",
)
ATTEMPTS_FAILED = Family(
    "pacaloom_run_attempts_failed_total",
    "counter",
    ("flow",),
    "Attempts of runs that failed for a reason that may pass, such as a network.",
)
LAST_FAILED = Family(
    "pacaloom_last_run_failed",
    "gauge",
    ("flow", "name"),
    "1 when the run that was over last has failed or crashed.",
)
LAST_END = Family(
    "pacaloom_last_run_end_timestamp_seconds",
    "gauge",
    ("flow", "name"),
    "When the latest run was over.",
)
LAST_SECONDS = Family("pacaloom_last_run_seconds", "gauge", ("flow", "name"), "Time that it took.")

_MOST_NAMES = 1_000
_EVENTS = ("started", "ended", "failed", "stopped", "crashed")
_OVER = {"run-ended", "run-failed", "run-crashed"}
"""A stopped run is continued, by a person or an answer."""
_BAD = {"run-failed", "run-crashed"}
_TOLD = (b'"event":"run-', b'"event":"attempt-failed"')


class _Place(NamedTuple):
    inode: int
    offset: int


class RunCollector:
    """The run log of an outputs folder."""

    name = "runs"
    families = (RUNS, ATTEMPTS_FAILED, LAST_FAILED, LAST_END, LAST_SECONDS)

    def __init__(self, outputs: Path) -> None:
        self._folder = outputs / "logs"
        self._place: _Place | None = None
        self._events: Counter[tuple[str, str]] = Counter()
        self._attempts: Counter[str] = Counter()
        self._latest: dict[tuple[str, str], LogLine] = {}

    def collect(self, series: Series) -> list[str]:
        for line in self._read_on():
            self._count(line)
        for flow in sorted({flow for flow, _ in self._events}):
            for event in _EVENTS:
                series.add(RUNS, self._events[flow, event], flow, event)
        for flow, count in self._attempts.items():
            series.add(ATTEMPTS_FAILED, count, flow)
        for key, line in self._latest.items():
            series.add(LAST_FAILED, line.event in _BAD, *key)
            series.add(LAST_END, datetime.fromisoformat(line.time).timestamp(), *key)
            if line.seconds is not None:
                series.add(LAST_SECONDS, line.seconds, *key)
        return []

    def _count(self, line: LogLine) -> None:
        if line.event == "attempt-failed":
            self._attempts[line.flow] += 1
            return
        self._events[line.flow, line.event.removeprefix("run-")] += 1
        key = (line.flow, line.name)
        if line.event in _OVER and (key in self._latest or len(self._latest) < _MOST_NAMES):
            self._latest[key] = line

    def _read_on(self) -> Iterator[LogLine]:
        """Yield what was written since the last time, oldest first."""
        for path in self._find_unread():
            try:
                with path.open("rb") as file:
                    found = os.fstat(file.fileno())
                    file.seek(self._find_begin(found))
                    for data in file:
                        # The last one may be under way.
                        if not data.endswith(b"\n"):
                            break
                        self._place = _Place(found.st_ino, file.tell())
                        if line := _parse(data):
                            yield line
            except FileNotFoundError:
                # Renamed in this moment; the next scrape finds it by its number.
                continue

    def _find_begin(self, found: os.stat_result) -> int:
        if self._place is None or self._place.inode != found.st_ino:
            return 0
        # A new file may have the inode of a removed one.
        return self._place.offset if self._place.offset <= found.st_size else 0

    def _find_unread(self) -> list[Path]:
        """List the files from the one that was read last on, or all, oldest first."""
        files = sorted(self._folder.glob("runs.[0-9].jsonl"), reverse=True)
        current = self._folder / "runs.jsonl"
        files += [current] if current.is_file() else []
        inodes = [path.stat().st_ino for path in files]
        if self._place is not None and self._place.inode in inodes:
            return files[inodes.index(self._place.inode) :]
        return files


def _parse(data: bytes) -> LogLine | None:
    if not any(mark in data for mark in _TOLD):
        return None
    try:
        line = LogLine.model_validate_json(data)
        datetime.fromisoformat(line.time)
    except ValueError:
        # Cut by a full disk, or written by a later version.
        return None
    return line if line.event.startswith("run-") or line.event == "attempt-failed" else None
