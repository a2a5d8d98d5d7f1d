"""Whether this machine has the memory, the disk and the packages for what is to run."""

import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from embedded.fetch import model_path
from embedded.models import find_model
from flows.observing.disk import read_free_gb
from flows.services.fault import Fault
from flows.settings import Settings

_SERVER_MB = 450
"""Measured: the server 280, a worker 130."""
_DEMO_MB = 4000
_SERVER_GB = 0.2
"""Its database takes 20 kB a task run, and the logs grow."""
_DEMO_MODELS = ("qwen2.5-coder-1.5b", "smollm2-135m")

_SERVER_NEEDS = {
    "prefect": "these flows were made and tested for it",
    "fastapi": "with another one Prefect's server does not start",
    "sqlalchemy": "with another one Prefect schedules nothing, without a word",
}


def check_memory(available_mb: float) -> list[Fault]:
    """Compare the memory that can be had with what server, worker and runs take."""
    if available_mb < _SERVER_MB:
        return [
            Fault(
                f"Memory: server and worker need {_SERVER_MB} MB, {available_mb:.0f} MB are "
                "available here. End another program, or raise the container's limit."
            )
        ]
    if available_mb < _DEMO_MB:
        return [
            Fault(
                f"Memory: `retrain/demo` needs about {_DEMO_MB / 1000:.0f} GB, "
                f"{available_mb / 1000:.1f} GB are available here. Server, worker and curation "
                "fit; training and the embedded teacher may not.",
                is_warning=True,
            )
        ]
    return []


def check_disk(settings: Settings, measure: Callable[[Path], float] = read_free_gb) -> list[Fault]:
    """Compare the free disk with what the server, the runs and the embedded models need."""
    faults: list[Fault] = []
    left = measure(settings.outputs)
    if left < _SERVER_GB:
        faults.append(
            Fault(
                f"Disk: the server needs {_SERVER_GB:.1f} GB for its database and logs, "
                f"{left:.2f} GB are free at {settings.outputs}. Free some, or choose another "
                "folder (PACALOOM_OUTPUTS)."
            )
        )
    elif left < settings.min_free_gb:
        faults.append(
            Fault(
                f"Disk: runs stop below {settings.min_free_gb:g} GB (PACALOOM_MIN_FREE_GB), "
                f"{left:.2f} GB are free at {settings.outputs}.",
                is_warning=True,
            )
        )
    missing_gb = sum(
        model.size_bytes / 1e9
        for model in map(find_model, _DEMO_MODELS)
        if not model_path(settings.cache, model).is_file()
    )
    if missing_gb > (there := measure(settings.cache)):
        faults.append(
            Fault(
                f"Disk: the embedded models that `retrain/demo` will fetch take {missing_gb:.1f} "
                f"GB, {there:.2f} GB are free at {settings.cache} (PACALOOM_CACHE).",
                is_warning=True,
            )
        )
    return faults


def check_versions(pyproject: Path) -> list[Fault]:
    """Compare Python and the installed packages with the pins of the project."""
    try:
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    except FileNotFoundError:
        return []
    faults: list[Fault] = []
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = Requirement(f"python{project['requires-python']}")
    if not wanted.specifier.contains(found):
        faults.append(
            Fault(f"Python: wanted {wanted.specifier}, found {found}. `make setup PYTHON=…`.")
        )
    for line in project["dependencies"]:
        faults += _check_package(Requirement(line))
    return faults


def _check_package(wanted: Requirement) -> list[Fault]:
    why = _SERVER_NEEDS.get(wanted.name, "something that was tested with it may not work")
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        found = "none"
    else:
        if wanted.specifier.contains(found, prereleases=True):
            return []
    return [
        Fault(
            f"Package {wanted.name}: wanted {wanted.specifier}, found {found}; {why}. "
            "`rm .venv/.ready && make setup` installs what is locked.",
            is_warning=wanted.name not in _SERVER_NEEDS,
        )
    ]
