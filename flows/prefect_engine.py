"""Run a composition's steps as Prefect tasks, with artifacts and logs in Prefect's UI.

Importing this takes seconds; only a Prefect flow does. One task is one round, stage or run, never
one request: a task costs about 5 ms here and 20 kB in the server's database.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.engine import Artifact, Result, line_progress
from schemas.errors import PacaloomError
from schemas.progress import Progress


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

    @contextmanager
    def progress(self, label: str) -> Generator[Progress]:
        yield line_progress(label, self.say)


def _without_traceback(record: logging.LogRecord) -> bool:
    """Keep the message of an error that says what to do, and spare people where it was raised."""
    if record.exc_info and isinstance(record.exc_info[1], PacaloomError):
        record.exc_info = None
    return True
