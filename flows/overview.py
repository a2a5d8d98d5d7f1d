"""Where this checkout stands: its settings, places, versions, and the Prefect server."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from embedded.fetch import model_path
from embedded.models import EMBEDDED_MODELS
from flows.configuration import (
    SettingShown,
    find_unknown_variables,
    mask_address,
    read_environment_file,
    show_settings,
)
from flows.observing.disk import read_free_gb
from flows.services.notes import find_running
from flows.services.server_state import (
    PATIENT_TIMEOUT_S,
    TIMEOUT_S,
    ask_server,
    complain_about_server,
)
from flows.settings import ENVIRONMENT_FILE, Settings, read_environment, read_settings
from schemas.frozen import Frozen

_PACKAGES = (
    "prefect", "openai", "datasets", "pydantic", "torch", "transformers", "trl", "peft",
    "bitsandbytes", "xllamacpp",
)  # fmt: skip


class Place(Frozen):
    """A folder that is written to."""

    path: Path
    exists: bool
    free_gb: float
    """On its disk, in units of 10^9 bytes."""


class ServerShown(Frozen):
    """The Prefect server that commands and deployments talk to."""

    api_url: str | None
    """None when none was ever started and none is named."""
    is_up: bool = False
    version: str | None = None
    started_by_up: bool = False
    problem: str = ""


class Overview(Frozen):
    """Everything that `settings` tells."""

    settings: tuple[SettingShown, ...]
    environment_file: Path | None
    """None when there is none."""
    outputs: Place
    cache: Place
    cached_models: tuple[str, ...]
    versions: dict[str, str | None]
    """None for a package that is not installed."""
    server: ServerShown
    faults: tuple[str, ...]
    """One line each."""


def look_around() -> Overview:
    """Read the settings and look at what they name.

    Raises:
        EnvironmentFileError: ``.env`` cannot be read as text.
    """
    settings, environment = read_settings(), read_environment()
    file = read_environment_file(ENVIRONMENT_FILE)
    server, complaint = _look_at_server(settings)
    faults = file.faults + find_unknown_variables(environment, file, ENVIRONMENT_FILE)
    return Overview(
        settings=show_settings(settings, environment, file),
        environment_file=ENVIRONMENT_FILE if ENVIRONMENT_FILE.exists() else None,
        outputs=look_at(settings.outputs),
        cache=look_at(settings.cache),
        cached_models=tuple(
            model.name for model in EMBEDDED_MODELS if model_path(settings.cache, model).is_file()
        ),
        versions={
            "python": platform.python_version(),
            "pacaloom": settings.code_version,
            **{name: _find_version(name) for name in _PACKAGES},
        },
        server=server,
        faults=(*faults, *([complaint] if complaint else [])),
    )


def look_at(path: Path) -> Place:
    """Look at a folder, or where it would be made."""
    return Place(path=path, exists=path.is_dir(), free_gb=read_free_gb(path))


def _look_at_server(settings: Settings) -> tuple[ServerShown, str]:
    ours = find_running(settings, "server")
    our_url = f"http://127.0.0.1:{ours.port}/api" if ours else None
    api_url = settings.prefect_api_url or our_url
    if api_url is None:
        return ServerShown(api_url=None), ""
    is_ours = api_url.rstrip("/") == our_url
    state = ask_server(api_url, PATIENT_TIMEOUT_S if is_ours else TIMEOUT_S)
    shown = ServerShown(
        api_url=mask_address(api_url),
        is_up=state.is_up,
        version=state.version,
        started_by_up=is_ours,
        problem=state.problem,
    )
    return shown, complain_about_server(state) if settings.prefect_api_url else ""


def _find_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
