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


class EnvironmentFileError(UserError):
    """``.env`` is not what it should be."""


class Settings(BaseSettings):
    """What the environment decides. The key is masked wherever this is printed."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        # PACALOOM_OUTPUTS= would otherwise be the current directory.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    """Address of an OpenAI-compatible teacher, ending in ``/v1``."""
    api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    outputs: Path = Field(default=ROOT / "outputs", validation_alias="PACALOOM_OUTPUTS")
    cache: Path = Field(
        default=platformdirs.user_cache_path("pacaloom"), validation_alias="PACALOOM_CACHE"
    )
    """Where the embedded models are kept, outside the checkout."""
    prefect_api_url: str | None = Field(default=None, validation_alias="PREFECT_API_URL")
    """A Prefect server to run flows on; without one, commands are plain calls."""
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

    @field_validator(
        "base_url", "api_key", "redis_password", "hf_token", "prefect_api_url", mode="before"
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
        return self.base_url is not None or self.api_key is not None

    @property
    def terms(self) -> frozenset[str]:
        """The accepted terms by name."""
        return frozenset(term.strip() for term in self.accepted_terms.split(",") if term.strip())

    @cached_property
    def code_version(self) -> str:
        """Commit of the checkout, ``-dirty`` when files were changed, ``unknown`` without git."""
        try:
            found = subprocess.run(
                ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            )
        except (OSError, subprocess.SubprocessError):
            return "unknown"
        return found.stdout.strip()


def read_settings() -> Settings:
    """Read the environment and ``.env``.

    Raises:
        EnvironmentFileError: ``.env`` cannot be read as text.
    """
    try:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFileError(
            f"{ROOT / '.env'}: wanted lines of NAME=VALUE in UTF-8, but it cannot be read: {error}."
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
        "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(settings.outputs / "prefect" / "results"),
        "PREFECT_HOME": str(home),
        "PACALOOM_OUTPUTS": str(settings.outputs),
        "PACALOOM_CACHE": str(settings.cache),
    }
    if api_url:
        ours["PREFECT_API_URL"] = api_url
    return {**os.environ, **ours}


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
