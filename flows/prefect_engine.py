"""Run a composition's steps as Prefect tasks, with artifacts and logs in Prefect's UI.

Importing this takes seconds; only a Prefect flow does. One task is one round, stage or run, never
one request: a task costs about 5 ms here and 20 kB in the server's database.
"""

import logging
import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect import get_run_logger, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE

from flows.engine import Artifact, Result, line_progress
from pipeline.curation.shards import Examination
from schemas.errors import PacaloomError
from schemas.progress import Progress

_ARTIFACT_EVERY_S = 5.0
"""Each update is a request to Prefect's server."""


class PrefectEngine:
    """Each step is a task of the flow run that this is used in."""

    def __init__(self) -> None:
        for name in ("prefect", "prefect.flow_runs", "prefect.task_runs"):
            for handler in logging.getLogger(name).handlers:
                handler.addFilter(_without_traceback)

    def run(self, label: str, step: Callable[[], Result]) -> Result:
        # Steps hold open engines and journals, which no cache key or result file could carry.
        @task(name=label, task_run_name=label, cache_policy=NO_CACHE, persist_result=False)
        def run_step() -> Result:
            return step()

        return run_step()

    def show(self, artifact: Artifact) -> None:
        create_markdown_artifact(
            key=artifact.key, markdown=artifact.markdown, description=artifact.title
        )

    def say(self, message: str) -> None:
        get_run_logger().info("%s", message)

    def use_cluster(self, address: str) -> Examination:
        # dask takes half a second to import.
        from flows.cluster import examine_on_cluster

        return examine_on_cluster(address)

    @contextmanager
    def progress(self, label: str) -> Generator[Progress]:
        """Log a line now and then, and keep a progress artifact in the UI up to date."""
        lines = line_progress(label, self.say)
        artifact = _ProgressArtifact(label)

        def report(done: int, total: int, note: str = "") -> None:
            lines(done, total, note)
            artifact.update(done, total, note)

        yield report


class _ProgressArtifact:
    """A bar in Prefect's UI, made at the first report and renewed every few seconds at most."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._id: UUID | None = None
        self._said_at = 0.0

    def update(self, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        if total <= 0 or (done < total and now - self._said_at < _ARTIFACT_EVERY_S):
            return
        self._said_at = now
        share = 100.0 * min(done / total, 1.0)
        text = f"{self._label}: {done:,} of {total:,}{f', {note}' if note else ''}"
        if self._id is None:
            key = re.sub(r"[^a-z0-9]+", "-", self._label.lower()).strip("-")
            created = create_progress_artifact(
                progress=share, key=f"progress-{key}", description=text
            )
            self._id = cast(UUID, created)
        else:
            update_progress_artifact(artifact_id=self._id, progress=share, description=text)


def _without_traceback(record: logging.LogRecord) -> bool:
    """Keep the message of an error that says what to do, and spare people where it was raised."""
    if record.exc_info and isinstance(record.exc_info[1], PacaloomError):
        record.exc_info = None
    return True
