"""What ``up`` has started, written down, so that ``down`` stops exactly that.

A note names pid and start time, because a pid alone is given to a stranger some day, and the
machine, because an outputs folder may be shared or moved.
"""

import platform
from pathlib import Path
from typing import Literal

import psutil
from pydantic import ValidationError

from flows.deployed import run_processes
from flows.settings import Settings
from schemas.frozen import Frozen
from schemas.storage import write_text

Name = Literal["server", "worker"]
NAMES: tuple[Name, ...] = ("worker", "server")
"""In the order in which they are stopped."""


class Service(Frozen):
    """A process that ``up`` started."""

    name: Name
    pid: int
    create_time: float
    """Seconds since the epoch as the system reports them; tells a reused pid apart."""
    port: int
    """Of the server."""
    host: str = ""
    """The machine it runs on."""

    @property
    def is_foreign(self) -> bool:
        """Whether it was started on another machine, where nothing is known of it from here."""
        return self.host not in {"", platform.node()}


def describe(name: Name, process: psutil.Process, port: int) -> Service:
    """Describe a process that was just started."""
    return Service(
        name=name,
        pid=process.pid,
        create_time=process.create_time(),
        port=port,
        host=platform.node(),
    )


def note_path(settings: Settings, name: Name) -> Path:
    """Name the file of a note."""
    return settings.outputs / "prefect" / f"{name}.json"


def write_note(settings: Settings, service: Service) -> None:
    """Write a service down."""
    write_text(note_path(settings, service.name), service.model_dump_json())


def read_note(settings: Settings, name: Name) -> Service | None:
    """Read a note; one that cannot be read is none."""
    try:
        return Service.model_validate_json(note_path(settings, name).read_bytes())
    except (OSError, ValidationError):
        return None


def find_process(service: Service) -> psutil.Process | None:
    """Find the process of a note, if that very one still runs on this machine."""
    return (
        None if service.is_foreign else run_processes.find_process(service.pid, service.create_time)
    )


def find_running(settings: Settings, name: Name) -> Service | None:
    """Return the note of a service that runs."""
    service = read_note(settings, name)
    return service if service is not None and find_process(service) is not None else None


def find_server(settings: Settings) -> str | None:
    """Find the API of the server to ask: that of PREFECT_API_URL, else the one of ``up``."""
    if settings.prefect_api_url:
        return settings.prefect_api_url
    service = find_running(settings, "server")
    return f"http://127.0.0.1:{service.port}/api" if service else None
