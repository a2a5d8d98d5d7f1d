"""Logs that nobody will read: old ones go, and of very long ones the end stays.

A server may have nothing to say for a month. What it says afterwards would be lost in a file that
is gone, so a log stays while somebody has it open.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from flows.retention.disk import is_real_folder, last_written_s, list_readable, measure
from flows.retention.things import Candidate

_DAY_S = 86_400
_LOG = re.compile(r".+\.(log|jsonl)(\.\d+)?(\.gz)?")
_OF_TRACKERS = frozenset({"tensorboard", "trackio", "wandb", "mlruns"})
"""Experiment trackers keep their data below the logs; it is theirs."""
LONGEST = 50_000_000
"""Bytes of a log, beyond which only its end stays."""
KEPT_END = 5_000_000


def propose_logs(outputs: Path, log_days: float, now_s: float) -> Iterator[Candidate]:
    """Propose logs without a line for so many days, and the front of those that are too long."""
    idle = {path: (now_s - last_written_s(path)) / _DAY_S for path in _find_logs(outputs / "logs")}
    in_use = _find_open() if any(days >= log_days for days in idle.values()) else set[str]()
    for path, idle_days in idle.items():
        key = path.relative_to(outputs).as_posix()
        size = measure(path)
        if idle_days >= log_days and str(path) not in in_use:
            yield Candidate("log", key, f"no line for {idle_days:.0f} days", size)
        elif size > LONGEST:
            why = f"longer than {LONGEST / 1e6:.0f} MB: its last {KEPT_END / 1e6:.0f} MB stay"
            yield Candidate("front of a log", key, why, size - KEPT_END)


def shorten(path: Path) -> None:
    """Leave the last lines of a log in place, so that who has it open writes on behind them."""
    with path.open("r+b") as file:
        file.seek(-KEPT_END, 2)
        # From the first whole line on.
        file.readline()
        end = file.read()
        file.seek(0)
        file.write(end)
        file.truncate()


def _find_logs(folder: Path) -> Iterator[Path]:
    for path in list_readable(folder):
        if is_real_folder(path) and path.name not in _OF_TRACKERS:
            yield from _find_logs(path)
        elif path.is_file() and not path.is_symlink() and _LOG.fullmatch(path.name):
            yield path


def _find_open() -> set[str]:
    """Find all files that processes on this machine have open; a tenth of a second."""
    found: set[str] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            found |= {file.path for file in process.open_files()}
    return found
