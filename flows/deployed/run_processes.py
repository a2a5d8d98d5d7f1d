"""Which processes of this machine work on Prefect flow runs, and for whom.

A worker names the run in the environment of the process that it starts, and what that process
starts inherits the name: so a run's whole family is found, however little of it is left. A run that
a person started without a worker is known by the pid and start time that it has told the server.
"""

import platform
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import psutil

RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"
"""Prefect's: set by a worker for the process of a flow run."""
API_VARIABLE = "PREFECT_API_URL"
_HOST, _PID, _STARTED = "pacaloom.host", "pacaloom.pid", "pacaloom.started"
_SAME_START_S = 1.0
_END_TIMEOUT_S = 10.0

Label = bool | int | float | str


class RunProcess(NamedTuple):
    """The process that works on a flow run."""

    host: str
    pid: int
    started: float
    """Seconds since the epoch as the system reports them; tells a reused pid apart."""


def describe_this_process() -> RunProcess:
    """Describe the process that calls this."""
    process = psutil.Process()
    return RunProcess(platform.node(), process.pid, process.create_time())


def write_labels(process: RunProcess) -> dict[str, Label]:
    """Return the labels that a flow run bears on the server."""
    return {_HOST: process.host, _PID: process.pid, _STARTED: process.started}


def read_labels(labels: Mapping[str, Label]) -> RunProcess | None:
    """Read what :func:`write_labels` wrote; None when a run bears no such labels."""
    host, pid, started = (labels.get(key) for key in (_HOST, _PID, _STARTED))
    if not isinstance(host, str) or not isinstance(pid, int):
        return None
    return RunProcess(host, pid, float(started)) if isinstance(started, int | float) else None


def is_alive(process: RunProcess) -> bool:
    """Tell whether that very process of this machine still runs."""
    return find_process(process.pid, process.started) is not None


def find_process(pid: int, started: float) -> psutil.Process | None:
    """Find the process of this machine that was noted so, if that very one still runs."""
    try:
        found = psutil.Process(pid)
        is_same = abs(found.create_time() - started) < _SAME_START_S
        return found if is_same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


class Processes(NamedTuple):
    """What was found on this machine at one moment."""

    families: dict[str, list[psutil.Process]]
    """Flow run id -> the processes that work on it."""
    workers: dict[int, str]
    """Pid of each Prefect worker -> address of its server, empty when it is not in its
    environment."""

    def is_supervised(self, run_id: str) -> bool:
        """Tell whether the worker that started a run's family is alive."""
        return any(find_parent(one) in self.workers for one in self.families.get(run_id, ()))


def find_processes() -> Processes:
    """Look at every process of this machine that this user may look at."""
    families: dict[str, list[psutil.Process]] = {}
    workers: dict[int, str] = {}
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if _is_worker(process.cmdline()):
                workers[process.pid] = environment.get(API_VARIABLE, "")
            elif run_id := environment.get(RUN_VARIABLE):
                families.setdefault(run_id, []).append(process)
        except (psutil.Error, OSError):
            # Gone in the meantime, or another user's.
            continue
    return Processes(families, workers)


def end_processes(processes: Sequence[psutil.Process]) -> None:
    """Kill them and wait until they are gone; what they had to keep is on disk already."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(list(processes), timeout=_END_TIMEOUT_S)


def find_parent(process: psutil.Process) -> int:
    """Return the pid of a process's parent; 0 when the process is gone."""
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return 0


def _is_worker(command: Sequence[str]) -> bool:
    """Tell ``prefect worker start …`` and ``python -m prefect worker start …``."""
    before = next((n for n, word in enumerate(command) if word == "worker"), 0)
    return before > 0 and "prefect" in command[before - 1] and "start" in command[before:]
