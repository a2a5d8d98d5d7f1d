"""The only place that reads the environment: where things are kept, and which teacher to ask.

Everything below this layer gets its settings as arguments. ``.env`` in the project's folder is
read too; a variable that is really set wins over it.
"""

import os
import subprocess
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: seeds, tasks and the default outputs are found from here."""
ENVIRONMENT_FILE = ROOT / ".env"


class EnvironmentFileError(UserError):
    """``.env`` is not what it should be."""


class Settings(BaseSettings):
    """What the environment decides. The key is masked wherever this is printed."""

    model_config = SettingsConfigDict(
        env_file=ENVIRONMENT_FILE,
        # PACALOOM_OUTPUTS= would otherwise be the current directory.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        # `./pacaloom settings` prints the text under each field.
        use_attribute_docstrings=True,
    )

    base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    """Address of an OpenAI-compatible teacher, ending in ``/v1``; without it and without a key the
    embedded teacher serves."""
    api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    """Key of the teacher's endpoint; with a key and no address it is OpenAI's."""
    endpoints: str | None = Field(default=None, validation_alias="PACALOOM_ENDPOINTS")
    """Addresses of several endpoints that serve one teacher, in the place of OPENAI_BASE_URL,
    separated by spaces, each with a weight or none: ``http://10.0.0.1:8000/v1*2
    http://10.0.0.2:8000/v1``."""
    endpoint_keys: SecretStr | None = Field(default=None, validation_alias="PACALOOM_ENDPOINT_KEYS")
    """Keys of those endpoints, separated by spaces: one for all, or one each in their order and
    ``none`` for a server that wants none. OPENAI_API_KEY is never sent to them."""
    outputs: Path = Field(default=ROOT / "outputs", validation_alias="PACALOOM_OUTPUTS")
    """Folder of everything that runs write: journals, datasets, models, evaluations, logs."""
    cache: Path = Field(
        default=platformdirs.user_cache_path("pacaloom"), validation_alias="PACALOOM_CACHE"
    )
    """Where the embedded models are kept, outside the checkout."""
    prefect_api_url: str | None = Field(default=None, validation_alias="PREFECT_API_URL")
    """A Prefect server to run flows on; without one, commands are plain calls."""
    prefect_auth: SecretStr | None = Field(default=None, validation_alias="PREFECT_API_AUTH_STRING")
    """``user:password`` of that server, where it asks for one."""
    redis_password: SecretStr | None = Field(
        default=None, validation_alias="PACALOOM_REDIS_PASSWORD"
    )
    """Password of the Redis that ``near_duplicates.storage`` names."""
    hf_token: SecretStr | None = Field(default=None, validation_alias="HF_TOKEN")
    """Write token of the Hugging Face Hub, for ``datasets push``."""
    hf_endpoint: str = Field(default="https://huggingface.co", validation_alias="HF_ENDPOINT")
    """Address of the hub."""
    accepted_terms: str = Field(default="", validation_alias="PACALOOM_ACCEPT_TERMS")
    """Licence terms that the user accepts, separated by commas: ``gemma``."""
    min_free_gb: float = Field(
        default=1.0, ge=0, allow_inf_nan=False, validation_alias="PACALOOM_MIN_FREE_GB"
    )
    """GB that stay free on the disk of the outputs: with less, a run stops and can be continued;
    0 lets it go on."""
    notify: SecretStr | None = Field(default=None, validation_alias="PACALOOM_NOTIFY")
    """Where people are told of failures, verdicts, budgets and questions: Apprise addresses,
    separated by spaces."""
    prefect_ui_url: str | None = Field(default=None, validation_alias="PREFECT_UI_URL")
    """Address of Prefect's pages for people, where it is not the server's own."""

    @field_validator(
        "base_url",
        "api_key",
        "endpoints",
        "endpoint_keys",
        "redis_password",
        "hf_token",
        "prefect_api_url",
        "prefect_auth",
        "notify",
        "prefect_ui_url",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        # A key read from a file brings its line break along.
        return (value.strip() or None) if isinstance(value, str) else value

    @field_validator("outputs", "cache")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def has_endpoint(self) -> bool:
        """Whether a teacher of the user's own is configured; otherwise the embedded one serves."""
        return any((self.base_url, self.api_key, self.endpoints, self.endpoint_keys))

    @property
    def terms(self) -> frozenset[str]:
        """The accepted terms by name."""
        return frozenset(term.strip() for term in self.accepted_terms.split(",") if term.strip())

    @cached_property
    def code_version(self) -> str:
        """Commit of the checkout or of the image, ``-dirty`` when files were changed."""
        return find_code_version(ROOT)


def find_code_version(root: Path) -> str:
    """Ask git; without it, as in an image, read what the build has written down.

    Returns:
        ``unknown`` where neither tells.
    """
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
        return found.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        built = root / "code-version"
        return built.read_text(encoding="utf-8").strip() if built.is_file() else "unknown"


def name_variables() -> dict[str, str]:
    """Return the name of each field's environment variable, in the order of the fields."""
    return {
        field: str(info.validation_alias or field.upper())
        for field, info in Settings.model_fields.items()
    }


def read_settings() -> Settings:
    """Read the environment and ``.env``.

    Raises:
        EnvironmentFileError: ``.env`` cannot be read as text.
    """
    try:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFileError(
            f"{ENVIRONMENT_FILE}: wanted lines of NAME=VALUE in UTF-8, but it cannot be read: "
            f"{error}."
        ) from error


def prefect_environment(settings: Settings, api_url: str | None) -> dict[str, str]:
    """Return the environment for Prefect processes of ours.

    Args:
        settings: Prefect's database and profile are kept under their outputs.
        api_url: The server to talk to; None makes Prefect start a temporary one of its own.
    """
    home = settings.outputs / "prefect" / ("server" if api_url else "temporary")
    # Prefect does not make it, and then its database cannot be opened.
    home.mkdir(parents=True, exist_ok=True)
    ours = {
        # Two separate switches, and both are needed for silence.
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # A temporary server on a fresh database needs longer than Prefect's 20 s.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        # In memory they would be lost with the server, and Prefect ends a run that has lost its
        # place, minutes after the server is back.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
        "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(settings.outputs / "prefect" / "results"),
        "PREFECT_HOME": str(home),
        "PACALOOM_OUTPUTS": str(settings.outputs),
        "PACALOOM_CACHE": str(settings.cache),
    }
    if api_url:
        ours["PREFECT_API_URL"] = api_url
    # Ended flow runs go after 90 days, unless the user says otherwise; Prefect's own default keeps
    # them for ever. What they made stays in our outputs.
    retention = {
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(90 * 86_400),
    }
    return {**retention, **os.environ, **ours}


def enter_prefect_environment(settings: Settings) -> None:
    """Set the environment of this process for Prefect; only before Prefect is first imported."""
    os.environ.update(prefect_environment(settings, settings.prefect_api_url))


def enter_hub_environment(settings: Settings) -> None:
    """Set the environment of this process for the hub's library; only before its first import."""
    os.environ.update(
        {
            "HF_ENDPOINT": settings.hf_endpoint,
            # Without this, it also asks huggingface.co who the agents are that may have called it.
            "HF_HUB_DISABLE_TELEMETRY": "1",
            # The token is HF_TOKEN or none, never one that another program has stored.
            "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
            # Files go by LFS over plain HTTP, which mirrors, proxies and our tests speak too.
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
    )


def read_environment() -> dict[str, str]:
    """Return the environment of this process, for children that need all of it."""
    return dict(os.environ)


def enter_tracking_environment(settings: Settings, trackers: Sequence[str], model: str) -> None:
    """Let trackers write below the outputs and send nothing, where the user says nothing else.

    Args:
        settings: Their outputs get a folder ``logs``.
        trackers: Those that were asked for.
        model: Name under which the runs of a model are found together.
    """
    logs = settings.outputs / "logs"
    ours = {
        "tensorboard": {"TENSORBOARD_LOGGING_DIR": str(logs / "tensorboard" / model)},
        # trackio is served by gradio.
        "trackio": {"TRACKIO_DIR": str(logs / "trackio"), "GRADIO_ANALYTICS_ENABLED": "False"},
        "mlflow": {
            "MLFLOW_TRACKING_URI": f"sqlite:///{logs / 'mlflow.db'}",
            "MLFLOW_EXPERIMENT_NAME": model,
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        "wandb": {
            "WANDB_MODE": "offline",
            "WANDB_DIR": str(logs),
            "WANDB_PROJECT": model,
            "WANDB_ERROR_REPORTING": "false",
        },
    }
    for tracker in trackers:
        # Neither wandb nor SQLite makes it.
        logs.mkdir(parents=True, exist_ok=True)
        for name, value in ours[tracker].items():
            os.environ.setdefault(name, value)
