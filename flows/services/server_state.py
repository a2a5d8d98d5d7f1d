"""Ask a Prefect server whether it is there and which version it is, without importing Prefect."""

import json
import re
import ssl
import urllib.error
import urllib.request
from datetime import datetime
from http.client import HTTPException
from importlib.metadata import version
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from flows.configuration import mask_address
from schemas.errors import UserError

_VERSION = re.compile(r"\d+\.\d+\.\w+(?:[.+-]\w+)*")
_LONGEST_ANSWER = 1_000_000
TIMEOUT_S = 3.0
PATIENT_TIMEOUT_S = 20.0
"""For a server that should be there: on a busy machine it is silent for seconds at a time."""


class ServerVersionError(UserError):
    """A Prefect server is not the one that these flows can run on."""


class ServerState(NamedTuple):
    """What a server answered."""

    api_url: str
    is_up: bool
    version: str | None
    """None when it does not tell: a proxy, Prefect Cloud, or a server that asks for a password."""
    problem: str = ""
    """Why there is no answer."""


def ask_server(api_url: str, timeout_s: float = TIMEOUT_S) -> ServerState:
    """Ask an address for its health and version."""
    try:
        answer = _get(f"{api_url.rstrip('/')}/admin/version", timeout_s)
    except urllib.error.HTTPError as error:
        # Whatever speaks HTTP and wants a password may be a server.
        return ServerState(
            api_url, is_up=error.code in {401, 403}, version=None, problem=str(error)
        )
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        # Prefect may be told of other certificates than Python knows.
        is_up = isinstance(reason, ssl.SSLError)
        return ServerState(api_url, is_up, None, str(getattr(reason, "strerror", None) or reason))
    found = _read_version(answer)
    problem = "" if found else "what answers there is no Prefect server"
    return ServerState(api_url, is_up=found is not None, version=found, problem=problem)


def is_healthy(api_url: str) -> bool:
    """Tell whether a server is ready to take requests."""
    try:
        return _get(f"{api_url}/health", timeout_s=5.0) == b"true"
    except (OSError, HTTPException):
        return False


def has_worker_since(api_url: str, pool: str, since: float) -> bool:
    """Tell whether a worker of a pool has reported itself later than a time of the epoch."""
    try:
        answer = json.loads(_get(f"{api_url}/work_pools/{pool}/workers/filter", 10.0, b"{}"))
    except (OSError, HTTPException, ValueError):
        return False
    times = [one["last_heartbeat_time"] for one in answer]
    return any(datetime.fromisoformat(one).timestamp() > since for one in times if one)


def require_server(api_url: str) -> None:
    """Stop before anything runs when the server of PREFECT_API_URL cannot be used.

    Raises:
        ServerVersionError: It does not answer, or is too different from the Prefect that is
            installed here.
    """
    complaint = complain_about_server(ask_server(api_url, PATIENT_TIMEOUT_S))
    if complaint:
        raise ServerVersionError(complaint)


def complain_about_server(state: ServerState) -> str:
    """Say in one line why the server of PREFECT_API_URL cannot be used; empty when it can.

    Prefect promises that a client works with servers of its own version and newer ones of the same
    major; with an older one, what is missing there shows only when it is asked for.
    """
    where = mask_address(state.api_url)
    if not state.is_up:
        return (
            f"PREFECT_API_URL={where}: wanted a Prefect server, found none ({state.problem}). "
            "Start one with `make up`, mend the address, or unset it to run without a server."
        )
    misfit = complain_about_version(state.version) if state.version else ""
    if not misfit:
        return ""
    return (
        f"PREFECT_API_URL={where}: {misfit}. Update that server, start one of your own with `make "
        "up`, or unset PREFECT_API_URL to run without a server."
    )


def complain_about_version(found: str) -> str:
    """Say why flows of the installed Prefect cannot run on a server; empty when they can."""
    ours = version("prefect")
    if _is_usable(found, ours):
        return ""
    return f"wanted Prefect {ours} or a newer {ours.split('.')[0]}.x, found {found}"


def _is_usable(theirs: str, ours: str) -> bool:
    found, wanted = _release(theirs), _release(ours)
    # A patch release changes nothing between server and client.
    return found[0] == wanted[0] and found[:2] >= wanted[:2]


def _release(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _read_version(answer: bytes) -> str | None:
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    return found if isinstance(found, str) and _VERSION.fullmatch(found) else None


def _get(url: str, timeout_s: float, body: bytes | None = None) -> bytes:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError("wanted an address that begins with http:// or https://")
    opener = urllib.request.build_opener(
        # No proxy stands between us and a server on this machine.
        *([urllib.request.ProxyHandler({})] if is_this_machine(url) else [])
    )
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        url, body, {"Content-Type": "application/json"}
    )
    with opener.open(request, timeout=timeout_s) as answer:
        return answer.read(_LONGEST_ANSWER)


def is_this_machine(url: str) -> bool:
    """Tell whether an address is one that only this machine reaches."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
