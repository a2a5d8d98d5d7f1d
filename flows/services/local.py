"""Start and stop a Prefect server, a process work pool, the deployments and a worker, all local.

``up`` is what ``make up`` calls. Each process it starts is written down with its pid and start
time, so that ``down`` stops exactly those, never a stranger that got the pid later. Server and
worker listen on and talk to 127.0.0.1 only, and nothing phones home. Cold start: 10 to 30 s, of
which the migrations of a new database take half.
"""

import selectors
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from flows.services.checks import WORK_POOL, NotReadyError, find_faults
from flows.services.database import database_path
from flows.services.notes import NAMES, find_process, find_running, note_path, read_note
from flows.services.processes import (
    last_line,
    log_path,
    start_prefect,
    stop_family,
    stop_worker,
)
from flows.services.server_state import has_worker_since
from flows.settings import ROOT, Settings, prefect_environment
from schemas.errors import PacaloomError

_PREPARE_TIMEOUT_S = 300.0
_WORKER_TIMEOUT_S = 120.0
_LOCK_PATIENCE_S = 300.0
_LONGEST_COMPLAINT = 600
_SILENCE_S = 10.0
_POLL_S = 0.5
_WORKER_QUERY_S = "3"
"""How long a run waits until the worker looks for it, unless the user says otherwise; Prefect's own
10 s cost as little."""

Say = Callable[[str], None]


class ServiceError(PacaloomError):
    """Server or worker did not start."""


class Running(NamedTuple):
    """What ``up`` leaves behind."""

    api_url: str
    logs: Path


def up(settings: Settings, port: int, say: Say) -> Running:
    """Start what is not running yet; running it twice is harmless.

    Raises:
        NotReadyError: Names everything that stands in the way; nothing was started.
        ServiceError: A process ended or did not answer in time; its log is named.
    """
    _check(settings, port, say)
    with _alone(settings, say) as has_waited:
        if has_waited:
            # For what the other has started or stopped.
            _check(settings, port, say)
        _forget_gone(settings, say)
        return _start_all(settings, port, say)


def down(settings: Settings, say: Say) -> None:
    """Stop the worker and its flow runs, then the server; nothing else."""
    with _alone(settings, say):
        for name in NAMES:
            note = read_note(settings, name)
            process = find_process(note) if note else None
            if name == "worker" and note is not None:
                stop_worker(process, _api_url(note.port), say)
            elif process is not None:
                stop_family(process)
            what = f"Stopped the {name} (pid {process.pid})." if process else ""
            say(what or f"No {name} of ours is running.")
            note_path(settings, name).unlink(missing_ok=True)


def _check(settings: Settings, port: int, say: Say) -> None:
    faults = find_faults(settings, port)
    for fault in faults:
        if fault.is_warning:
            say(f"Warning: {fault.text}")
    if serious := [fault for fault in faults if not fault.is_warning]:
        raise NotReadyError(serious)


def _start_all(settings: Settings, port: int, say: Say) -> Running:
    api_url = _api_url(port)
    environment = prefect_environment(settings, api_url)
    logs = settings.outputs / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    if find_running(settings, "server") is None:
        is_new = not database_path(settings).exists()
        wait = "it makes its database first, 10 to 40 s" if is_new else "5 to 20 s"
        say(f"Starting the Prefect server on 127.0.0.1:{port}: {wait} (log: {logs}/server.log) …")
        command = ["server", "start", "--host", "127.0.0.1", "--port", str(port)]
        start_prefect(settings, "server", command, environment, port)
    _prepare(settings, api_url, environment, say)
    _start_worker(settings, port, environment, say)
    return Running(api_url, logs)


def _start_worker(settings: Settings, port: int, environment: Mapping[str, str], say: Say) -> None:
    worker = find_running(settings, "worker")
    process = find_process(worker) if worker else None
    if worker is not None and process is not None:
        if worker.port == port:
            return
        say(f"The worker serves port {worker.port}: it is started anew for {port}.")
        stop_worker(process, _api_url(worker.port), say)
    log = log_path(settings, "worker")
    say(f"Starting a worker (log: {log}) …")
    own = {"PREFECT_WORKER_QUERY_SECONDS": _WORKER_QUERY_S, **environment}
    before = time.time()
    start_prefect(settings, "worker", ["worker", "start", "--pool", WORK_POOL], own, port)
    while not has_worker_since(_api_url(port), WORK_POOL, before):
        if find_running(settings, "worker") is None:
            raise ServiceError(f"The worker ended at start: {last_line(log)} (see {log}).")
        if time.time() - before > _WORKER_TIMEOUT_S:
            raise ServiceError(f"The worker has not come within {_WORKER_TIMEOUT_S:.0f} s: {log}.")
        time.sleep(_POLL_S)


def _prepare(settings: Settings, api_url: str, environment: Mapping[str, str], say: Say) -> None:
    """Have the server prepared while it starts, and see that neither process fails."""
    log = log_path(settings, "server")
    with (settings.outputs / "logs" / "up.log").open("w+b") as complaints:
        with subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "flows.services.preparing", api_url, WORK_POOL],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            # Lines that lie in a buffer of ours would not wake the selector.
            bufsize=0,
        ) as child:
            try:
                _follow(settings, child, log, say)
            finally:
                child.kill()
        complaint = last_line(Path(complaints.name))
    if child.returncode:
        raise ServiceError(
            f"The server could not be prepared: {textwrap.shorten(complaint, _LONGEST_COMPLAINT)}"
        )


def _follow(settings: Settings, child: subprocess.Popen[bytes], log: Path, say: Say) -> None:
    """Pass on what a child says until it ends, and say that it works when it says nothing."""
    started = said = time.monotonic()
    for line in _read_lines(child):
        now = time.monotonic()
        if line:
            say(f"  {line}")
            said = now
        elif now - said > _SILENCE_S:
            say(f"  … still at it ({now - started:.0f} s)")
            said = now
        if find_running(settings, "server") is None:
            raise ServiceError(f"The Prefect server ended: {last_line(log)} (see {log}).")
        if now - started > _PREPARE_TIMEOUT_S:
            limit = f"{_PREPARE_TIMEOUT_S:.0f} s"
            raise ServiceError(f"The Prefect server was not ready within {limit}; see {log}.")
    child.wait()


def _read_lines(child: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield what a child says line by line, and nothing now and then while it is silent."""
    if child.stdout is None:
        return
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(_POLL_S):
                yield ""
            elif line := child.stdout.readline():
                yield line.decode(errors="replace").rstrip()
            else:
                return


def _forget_gone(settings: Settings, say: Say) -> None:
    for name in NAMES:
        path = note_path(settings, name)
        note = read_note(settings, name)
        if not path.is_file() or (note is not None and find_process(note) is not None):
            continue
        who = f"The {name} of before (pid {note.pid}) is gone" if note else f"{path} is no note"
        say(f"{who}: it was killed, or the machine restarted. Forgotten.")
        path.unlink(missing_ok=True)


@contextmanager
def _alone(settings: Settings, say: Say) -> Generator[bool]:
    """Keep a second `up` or `down` on the same outputs waiting; yield whether it had to."""
    path = settings.outputs / "prefect" / "up.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    has_waited = False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        has_waited = True
        say("Another `up` or `down` is at work on these outputs; waiting …")
        try:
            lock.acquire(timeout=_LOCK_PATIENCE_S)
        except Timeout as error:
            raise ServiceError(
                f"Another `up` or `down` has held {path} for {_LOCK_PATIENCE_S / 60:.0f} minutes. "
                "See whether it still works, and end it if not."
            ) from error
    try:
        yield has_waited
    finally:
        lock.release()


def _api_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/api"
