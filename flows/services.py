"""Start and stop a Prefect server, a process work pool, the deployments and a worker, all local.

``up`` is what ``make up`` calls. Each process it starts is written down with its pid and start
time, so that ``down`` stops exactly those, never a stranger that got the pid later. Server and
worker listen on and talk to 127.0.0.1 only, and nothing phones home. Cold start: 20 to 40 s.
"""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil
from pydantic import ValidationError

from flows.settings import ROOT, Settings, prefect_environment
from schemas.errors import PacaloomError, UserError
from schemas.frozen import Frozen
from schemas.storage import write_text

WORK_POOL = "local"
DEFAULT_PORT = 4200
_SERVER_START_TIMEOUT_S = 240.0
_STOP_TIMEOUT_S = 15.0
_LONGEST_COMPLAINT = 600


class ServiceError(PacaloomError):
    """Server or worker did not start."""


class PortTakenError(UserError):
    """Another program listens on the port."""


class Service(Frozen):
    """A process that ``up`` started."""

    name: str
    pid: int
    create_time: float
    """Seconds since the epoch as the system reports them; tells a reused pid apart."""
    port: int


class Running(NamedTuple):
    """What ``up`` leaves behind."""

    api_url: str
    logs: Path


def up(settings: Settings, port: int, say: Callable[[str], None]) -> Running:
    """Start what is not running yet; running it twice is harmless.

    Raises:
        PortTakenError: Something else listens on the port.
        ServiceError: A process ended or did not answer in time; its log is named.
    """
    api_url = f"http://127.0.0.1:{port}/api"
    environment = prefect_environment(settings, api_url)
    logs = settings.outputs / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    server = _find(settings, "server")
    if server is None:
        _require_free_port(port)
        say(f"Starting the Prefect server on 127.0.0.1:{port} (log: {logs}/server.log) …")
        command = ["server", "start", "--host", "127.0.0.1", "--port", str(port)]
        _start(settings, "server", command, environment, port)
    elif server.port != port:
        raise UserError(
            f"A Prefect server of ours runs on port {server.port}, wanted {port}. "
            "Stop it first with `make down`."
        )
    _wait_until_healthy(settings, api_url, logs / "server.log")
    say("Creating the work pool and the deployments …")
    _prefect(["work-pool", "create", WORK_POOL, "--type", "process", "--overwrite"], environment)
    _prefect(["--no-prompt", "deploy", "--all"], environment)
    if _find(settings, "worker") is None:
        say(f"Starting a worker (log: {logs}/worker.log) …")
        _start(settings, "worker", ["worker", "start", "--pool", WORK_POOL], environment, port)
    return Running(api_url, logs)


def down(settings: Settings, say: Callable[[str], None]) -> None:
    """Stop the worker, then the server; nothing else."""
    for name in ("worker", "server"):
        process = _process(settings, name)
        if process is None:
            say(f"No {name} of ours is running.")
        else:
            _stop(process)
            say(f"Stopped the {name} (pid {process.pid}).")
        _note_path(settings, name).unlink(missing_ok=True)


def _note_path(settings: Settings, name: str) -> Path:
    return settings.outputs / "prefect" / f"{name}.json"


def _find(settings: Settings, name: str) -> Service | None:
    path = _note_path(settings, name)
    try:
        service = Service.model_validate_json(path.read_bytes())
        process = psutil.Process(service.pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValidationError, psutil.NoSuchProcess):
        return None
    same = abs(process.create_time() - service.create_time) < 1.0
    return service if alive and same else None


def _process(settings: Settings, name: str) -> psutil.Process | None:
    service = _find(settings, name)
    return psutil.Process(service.pid) if service else None


def _start(
    settings: Settings, name: str, command: list[str], environment: Mapping[str, str], port: int
) -> None:
    log = settings.outputs / "logs" / f"{name}.log"
    with log.open("ab") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "prefect", *command],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = psutil.Process(started.pid)
    service = Service(name=name, pid=process.pid, create_time=process.create_time(), port=port)
    try:
        write_text(_note_path(settings, name), service.model_dump_json())
    except BaseException:
        # Not written down, `down` would never find it.
        _stop(process)
        started.wait()
        raise


def _require_free_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(
                f"Port {port} on 127.0.0.1 is taken by another program. "
                "Stop that one, or choose another port: `make up PORT=4300`."
            ) from error


def _wait_until_healthy(settings: Settings, api_url: str, log: Path) -> None:
    deadline = time.monotonic() + _SERVER_START_TIMEOUT_S
    while time.monotonic() < deadline:
        if _find(settings, "server") is None:
            raise ServiceError(f"The Prefect server ended at start: {_last_line(log)} (see {log}).")
        try:
            with urllib.request.urlopen(f"{api_url}/health", timeout=5):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
    raise ServiceError(
        f"The Prefect server did not answer within {_SERVER_START_TIMEOUT_S:.0f} s; see {log}."
    )


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"


def _prefect(arguments: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        # Prefect repeats the whole deployment behind its complaint.
        raise ServiceError(
            f"`prefect {' '.join(arguments)}` failed: {textwrap.shorten(said, _LONGEST_COMPLAINT)}"
        )


def _stop(process: psutil.Process) -> None:
    family = [process, *process.children(recursive=True)]
    process.send_signal(signal.SIGINT if os.name == "nt" else signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=_STOP_TIMEOUT_S)
    for survivor in alive:
        survivor.kill()
    psutil.wait_procs(alive, timeout=_STOP_TIMEOUT_S)
