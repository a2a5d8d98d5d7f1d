"""A bar in Prefect's UI, made at the first report and renewed every few seconds at most."""

import re
import time
from contextlib import suppress
from typing import cast
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.exceptions import PrefectException

_EVERY_S = 5.0
"""Each update is a request to Prefect's server."""


class ProgressArtifact:
    """The bar of one long step."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._id: UUID | None = None
        self._said_at = 0.0

    def update(self, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        if total <= 0 or (done < total and now - self._said_at < _EVERY_S):
            return
        self._said_at = now
        share = 100.0 * min(done / total, 1.0)
        text = f"{self._label}: {done:,} of {total:,}{f', {note}' if note else ''}"
        # A bar is not worth a run: the server may be away or overloaded, the bar deleted.
        with suppress(httpx.HTTPError, PrefectException):
            self._show(share, text)

    def _show(self, share: float, text: str) -> None:
        if self._id is None:
            key = re.sub(r"[^a-z0-9]+", "-", self._label.lower()).strip("-")
            created = create_progress_artifact(
                progress=share, key=f"progress-{key}", description=text
            )
            self._id = cast(UUID, created)
        else:
            update_progress_artifact(artifact_id=self._id, progress=share, description=text)
