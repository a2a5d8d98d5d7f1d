"""Run a composition's steps as Prefect tasks, with artifacts and logs in Prefect's UI.

Importing this takes seconds; only a Prefect flow does. One task is one round, stage or run, never
one request: a task costs about 5 ms here and 20 kB in the server's database.
"""

import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import CancelledRun, MissingContextError

from flows.approval import Question
from flows.deployed.announcing import announce, find_origin
from flows.deployed.artifact_pages import ArtifactPages
from flows.deployed.insistence import WAITS_S, insist
from flows.deployed.progress_artifact import ProgressArtifact
from flows.deployed.run_guard import guard_run
from flows.deployed.server_absence import outlast
from flows.deployed.suspension import ask_in_form
from flows.engine import Artifact, PlainEngine, Result, line_progress
from flows.milestones import Milestone
from flows.settings import read_environment
from pipeline.curation.shards import Examination
from schemas.errors import PacaloomError
from schemas.progress import Progress

_STEP = ContextVar[Callable[[], object]]("step")
"""What the task that is about to begin does. Not part of the task, which Prefect pickles whole and
sends to the workers of a cluster: a step holds the settings, with their keys."""


class PrefectEngine:
    """Each step is a task of the flow run that this is used in."""

    def __init__(self, waits_s: Sequence[float] = WAITS_S) -> None:
        """Make it in the flow run; budgets speak from threads that know of none.

        Args:
            waits_s: Before what the network kept from succeeding is tried again.
        """
        self._waits_s = waits_s
        self._origin = find_origin()
        self._flow_logger = get_run_logger()
        for name in ("prefect", "prefect.flow_runs", "prefect.task_runs"):
            for handler in logging.getLogger(name).handlers:
                handler.addFilter(_without_traceback)
        self._pages = ArtifactPages()
        if self.run_id:
            guard_run(self.run_id, read_environment())

    def run(self, label: str, step: Callable[[], Result]) -> Result:
        # Steps hold open engines and journals, which no cache key or result file could carry.
        as_task = task(name=label, task_run_name=label, cache_policy=NO_CACHE, persist_result=False)
        before = _STEP.set(step)
        try:
            return cast("Result", as_task(_run_step)())
        finally:
            _STEP.reset(before)

    @property
    def run_id(self) -> str:
        return self._origin.run_id

    @property
    def is_deployed(self) -> bool:
        return self._origin.is_deployed

    def insist(self, label: str, attempt: Callable[[], Result]) -> Result:
        """Try again in the same process, with each wait as a task that the UI shows.

        A retry of a Prefect task could not: an attempt has tasks of its own and may suspend the
        run, which no task can; nor a retry of the flow, which knows no condition.
        """

        def wait(line: str, seconds: float) -> None:
            self.run(line, lambda: time.sleep(seconds))

        return insist(label, attempt, self._waits_s, wait, self.warn)

    def approve(self, question: Question, wait_hours: float) -> bool:
        if not self.is_deployed:
            # Only a worker could start the run again; whoever typed a command may be there.
            return PlainEngine().approve(question, wait_hours)
        given = ask_in_form(question, wait_hours, self._put)
        self.say(f"{question.title} Answered {given.answer}. {given.remark}".rstrip())
        return given.answer == "yes"

    def reach(self, milestone: Milestone) -> None:
        announce(milestone, self._origin, self.warn)

    def show(self, artifact: Artifact) -> str:
        return outlast(lambda: self._pages.put(artifact), self.warn)

    def say(self, message: str) -> None:
        self._log(logging.INFO, message)

    def use_cluster(self, address: str) -> Examination:
        # dask takes half a second to import.
        from flows.cluster import examine_on_cluster

        return examine_on_cluster(address)

    @contextmanager
    def progress(self, label: str) -> Generator[Progress]:
        """Log a line now and then, and keep a progress artifact in the UI up to date."""
        lines = line_progress(label, self.say)
        artifact = ProgressArtifact(label)

        def report(done: int, total: int, note: str = "") -> None:
            lines(done, total, note)
            artifact.update(done, total, note)

        yield report

    def warn(self, message: str) -> None:
        self._log(logging.WARNING, message)

    def _log(self, level: int, message: str) -> None:
        """Log for the task that is under way, and for the flow where none is."""
        try:
            logger = get_run_logger()
        except MissingContextError:
            logger = self._flow_logger
        logger.log(level, "%s", message)

    def _put(self, question: Question, how_to_answer: str) -> None:
        self.show(Artifact(f"question-{question.key}", question.title, how_to_answer))
        self.warn(f"{question.title} The run is suspended until somebody answers.")


def _run_step() -> object:
    return _STEP.get()()


def _without_traceback(record: logging.LogRecord) -> bool:
    """Keep the message of an error that says what to do, and spare people where it was raised.

    Nor need they know where in Prefect a run that they cancelled has ended.
    """
    if record.exc_info and isinstance(record.exc_info[1], PacaloomError | CancelledRun):
        record.exc_info = None
    return True
