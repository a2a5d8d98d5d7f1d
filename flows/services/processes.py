"""Start Prefect's own processes, and end them with everything that they started."""

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from flows.deployed.run_processes import API_VARIABLE, find_parent, find_processes
from flows.services.notes import Name, describe, write_note
from flows.settings import ROOT, Settings

_STOP_TIMEOUT_S = 15.0
_LEAVE_S = 3.0
"""Our own children look every second whether their parent is there."""


def start_prefect(
    settings: Settings,
    name: Name,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    port: int,
) -> None:
    """Start a Prefect command that stays, and write it down."""
    with log_path(settings, name).open("ab") as output:
        started = subprocess.Popen(  # noqa: S603 - arguments of our own
            [sys.executable, "-m", "prefect", *arguments],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = psutil.Process(started.pid)
    try:
        write_note(settings, describe(name, process, port))
    except BaseException:
        # Not written down, `down` would never find it.
        stop_family(process)
        started.wait()
        raise


def log_path(settings: Settings, name: Name) -> Path:
    """Name the file that takes what a service prints."""
    return settings.outputs / "logs" / f"{name}.log"


def last_line(log: Path) -> str:
    """Return what a service said last."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "no output"


def stop_family(process: psutil.Process) -> None:
    """Ask a process to end, give it and its children time, and end what is left."""
    family = process.children(recursive=True)
    _ask_to_end([process])
    _end([process], family)


def stop_worker(worker: psutil.Process | None, api_url: str, say: Callable[[str], None]) -> None:
    """End the flow runs of a server on this machine with what they started, and their worker.

    The runs first: each tells the server itself that it was ended, while the worker, asked to end,
    would cut them off. Of a worker that was killed there may be runs without a parent.
    """
    _end_flow_runs(api_url, say)
    workers = [worker] if worker is not None else []
    others = worker.children(recursive=True) if worker is not None else []
    _ask_to_end(workers)
    # It may have started another one in the meantime.
    _end_flow_runs(api_url, say)
    # Asked a second time, it would kill itself before it has told the server.
    _end(workers, others)


def _end_flow_runs(api_url: str, say: Callable[[str], None]) -> None:
    for run_id, family in find_processes().families.items():
        ours = [one for one in family if _talks_to(one, api_url)]
        if ours:
            pids = {one.pid for one in ours}
            say(f"Ending flow run {run_id}; what it has done is kept.")
            first = [one for one in ours if find_parent(one) not in pids]
            _ask_to_end(first)
            _end(first, ours)


def _ask_to_end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        try:
            process.send_signal(signal.SIGTERM)
        except psutil.NoSuchProcess:
            continue


def _end(asked: Sequence[psutil.Process], family: Sequence[psutil.Process]) -> None:
    """Wait for those that were asked to end, and kill what is left of them and their family."""
    _, alive = psutil.wait_procs(list(asked), timeout=_STOP_TIMEOUT_S)
    _, left = psutil.wait_procs(list(family), timeout=_LEAVE_S)
    for survivor in {*alive, *left}:
        try:
            survivor.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs([*alive, *left], timeout=_STOP_TIMEOUT_S)


def _talks_to(process: psutil.Process, api_url: str) -> bool:
    try:
        return process.environ().get(API_VARIABLE) == api_url
    except (psutil.Error, OSError):
        return False
