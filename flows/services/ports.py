"""Who has the port that the server needs."""

import errno
import shlex
import socket
from pathlib import Path

import psutil

from flows.services.fault import Fault
from flows.services.server_state import (
    PATIENT_TIMEOUT_S,
    TIMEOUT_S,
    ask_server,
    complain_about_version,
)

_HIGHEST_PORT = 2**16 - 1
_INTERPRETER = "python"


def check_port(port: int) -> list[Fault]:
    """Say who has the port, if it cannot be had."""
    error = _try_to_listen(port)
    if error is None:
        return []
    other = f"another port: `make up PORT={_find_free_port(port)}`"
    if error.errno == errno.EACCES:
        return [Fault(f"Port {port} may be used by the administrator only: choose {other}.")]
    if error.errno != errno.EADDRINUSE:
        return [Fault(f"Port {port} on 127.0.0.1 cannot be used ({error.strerror}): try {other}.")]
    process = _find_listener(port)
    outputs = read_outputs(process)
    timeout_s = TIMEOUT_S if outputs is None else PATIENT_TIMEOUT_S
    state = ask_server(f"http://127.0.0.1:{port}/api", timeout_s)
    if state.version is None:
        return [
            Fault(
                f"Port {port} on 127.0.0.1 is taken by {_describe(process)}. Stop that one, or "
                f"choose {other}."
            )
        ]
    if outputs is not None:
        way = f"Stop it with `PACALOOM_OUTPUTS={shlex.quote(outputs)} make down`"
        return [
            Fault(
                f"Port {port} on 127.0.0.1 is taken by the Prefect {state.version} server of the "
                f"outputs in {outputs} (pid {process.pid if process else 'unknown'}). {way}, or "
                f"choose {other}."
            )
        ]
    misfit = complain_about_version(state.version)
    use = misfit or f"To use it: `export PREFECT_API_URL={state.api_url}`"
    return [
        Fault(
            f"Port {port} on 127.0.0.1 is taken by a Prefect {state.version} server that `up` did "
            f"not start ({_describe(process)}). {use}. Or choose {other}."
        )
    ]


def _try_to_listen(port: int) -> OSError | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error
    return None


def _find_free_port(port: int) -> int:
    beyond = range(max(port, 1024) + 1, _HIGHEST_PORT + 1)
    return next((one for one in beyond if _try_to_listen(one) is None), port)


def _find_listener(port: int) -> psutil.Process | None:
    """Find the process that listens; another user's stays unknown."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    for one in connections:
        is_it = one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
        if is_it and one.pid is not None:
            try:
                return psutil.Process(one.pid)
            except psutil.NoSuchProcess:
                return None
    return None


def _describe(process: psutil.Process | None) -> str:
    """Name pid and program, without its arguments, in which secrets may stand."""
    if process is None:
        return "another user's program"
    try:
        command = process.cmdline()
        name = process.name()
    except psutil.Error:
        return f"pid {process.pid}"
    if name.startswith(_INTERPRETER) and len(command) > 1:
        is_module = command[1] == "-m" and len(command) > 2
        name = f"{name} -m {command[2]}" if is_module else f"{name} {Path(command[1]).name}"
    return f"pid {process.pid} ({name})"


def read_outputs(process: psutil.Process | None) -> str | None:
    """Read of which outputs folder a server of ours is."""
    try:
        return process.environ().get("PACALOOM_OUTPUTS") if process else None
    except (psutil.Error, OSError):
        return None
