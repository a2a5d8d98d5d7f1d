"""Send a dataset version to a Hugging Face Hub, or say what would be sent.

huggingface_hub is imported when this is called, with its telemetry off.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pydantic import SecretStr

from flows.paths import journal_path
from flows.resources import find_dataset
from flows.settings import Settings, enter_hub_environment
from pipeline.publishing.hub.contents import JOURNAL, Contents, LeftOut, gather_contents
from pipeline.publishing.hub.plan import PushPlan
from schemas.errors import UserError


class MissingTokenError(UserError):
    """A push needs a token."""


class PushParams(NamedTuple):
    """What the user asks for."""

    dataset: str
    """NAME, NAME/VERSION or a version's folder."""
    to: str
    """``OWNER/REPO``."""
    endpoint: str | None = None
    """Address of the hub; None takes that of the settings."""
    yes: bool = False
    """Send; otherwise only say what would be sent."""
    public: bool = False
    with_journal: bool = False
    with_review: bool = False
    message: str | None = None


class PushOutcome(NamedTuple):
    """What was done, or would be."""

    reference: str
    """``NAME/VERSION``."""
    target: str
    """``OWNER/REPO at ENDPOINT``."""
    url: str
    """Where people find the version."""
    plan: PushPlan
    left_out: tuple[LeftOut, ...]
    commit: str | None
    """None for a dry run."""
    has_token: bool


def push_dataset(
    params: PushParams, settings: Settings, wait: Callable[[float], None] = time.sleep
) -> PushOutcome:
    """Send a version with ``yes``; otherwise look and compare only.

    Args:
        params: What to send where.
        settings: Hold token and endpoint.
        wait: Called with seconds between attempts.

    Raises:
        UserError: No token, a damaged version, a name that cannot be, a refusal of the hub.
        HubError: The hub failed or could not be reached.
    """
    enter_hub_environment(settings)
    from pipeline.publishing.hub.push import Patience, PushRequest, look_and_plan, push_version
    from pipeline.publishing.hub.repository import HubRepository

    token = _reveal(settings.hf_token)
    repository = HubRepository(params.to, params.endpoint or settings.hf_endpoint, token)
    if params.yes and token is None:
        raise MissingTokenError(
            f"A push to {repository.target} needs a token with write access, and HF_TOKEN is not "
            "set. Make one in the hub's settings and put it into the environment or .env."
        )
    patience = Patience(wait)
    with _gather(params, settings) as contents:
        message = params.message or f"Publish {contents.manifest.name} {contents.manifest.version}"
        request = PushRequest(contents, params.public, message)
        if params.yes:
            plan, commit = push_version(repository, request, patience)
        else:
            plan, commit = look_and_plan(repository, request, patience), None
    return PushOutcome(
        reference=contents.reference,
        target=repository.target,
        url=f"{repository.endpoint}/datasets/{repository.name}/tree/{contents.manifest.version}",
        plan=plan,
        left_out=contents.left_out,
        commit=commit,
        has_token=token is not None,
    )


def _reveal(token: SecretStr | None) -> str | None:
    return None if token is None else token.get_secret_value()


@contextmanager
def _gather(params: PushParams, settings: Settings) -> Generator[Contents]:
    folder = find_dataset(params.dataset, settings)
    if not params.with_journal:
        yield gather_contents(folder, with_review=params.with_review, journal=None)
        return
    from pipeline.generation.journal.exchange import export_journal
    from pipeline.publishing.versions import open_version

    with TemporaryDirectory() as scratch:
        exported = Path(scratch) / JOURNAL
        export_journal(journal_path(settings.outputs, open_version(folder).name), exported)
        yield gather_contents(folder, with_review=params.with_review, journal=exported)
