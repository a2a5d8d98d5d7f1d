"""An engine around any other, which sees what a run does: writes it down, and tells people.

Nothing that it adds can end a run, but for the floor of free space.
"""

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import get_ident

from flows.approval import Question
from flows.engine import Artifact, Engine, NotToldError, Result
from flows.milestones import Milestone, RunFailed
from flows.observing.disk import DiskFloor
from flows.observing.identity import learn
from flows.observing.news import News, Writer
from flows.observing.notifications import Notifier
from flows.observing.pages import Pages
from flows.observing.run_notes import RunNotes
from pipeline.curation.shards import Examination
from schemas.errors import PacaloomError
from schemas.progress import Progress

_PUT_ASIDE = "Pause"
"""What Prefect raises through a flow that it suspends; importing it would take seconds."""


class ObservingEngine:
    """Passes everything on to the engine that runs the steps."""

    def __init__(
        self,
        inner: Engine,
        notes: RunNotes,
        floor: DiskFloor,
        notifier: Notifier,
        writer: Writer,
    ) -> None:
        self._inner = inner
        self._notes = notes
        self._floor = floor
        self._notifier = notifier
        self._writer = writer
        self._pages = Pages(self._put)
        self._thread = get_ident()
        self._reached_elsewhere: deque[Milestone] = deque()
        self._told: set[News] = set()

    @property
    def run_id(self) -> str:
        return self._inner.run_id

    def run(self, label: str, step: Callable[[], Result]) -> Result:
        self.pass_on()
        self._floor.check()
        outer, self._notes.step = self._notes.step, label
        started = time.monotonic()
        self._notes.add("step-started")
        try:
            result = self._inner.run(label, step)
        except BaseException as error:
            self._notes.add(
                "step-failed",
                describe(error),
                level="error" if isinstance(error, Exception) else "warning",
                seconds=time.monotonic() - started,
            )
            raise
        else:
            self._notes.add("step-ended", seconds=time.monotonic() - started)
            return result
        finally:
            self._notes.step = outer

    def insist(self, label: str, attempt: Callable[[], Result]) -> Result:
        def observed() -> Result:
            try:
                return attempt()
            except PacaloomError as error:
                if error.may_pass:
                    self._notes.add("attempt-failed", f"{label}: {error}", level="warning")
                raise

        return self._inner.insist(label, observed)

    def approve(self, question: Question, wait_hours: float) -> bool:
        self._notes.add("asked", question.title)
        try:
            answer = self._inner.approve(question, wait_hours)
        except BaseException as error:
            if type(error).__name__ == _PUT_ASIDE:
                self._notify(self._writer.ask(question, wait_hours))
            raise
        self._notes.add("answered", f"{question.title} {'yes' if answer else 'no'}")
        return answer

    def reach(self, milestone: Milestone) -> None:
        """Pass it on where the run is, because neither Prefect nor a notification may be elsewhere.

        Budgets tell from the thread that asks the teacher, which must not wait.
        """
        if get_ident() != self._thread:
            self._reached_elsewhere.append(milestone)
            return
        before = self._notes.identity
        self._notes.identity = learn(before, milestone)
        self._notes.add("reached", milestone.kind, facts=milestone.model_dump(mode="json"))
        self._announce(milestone)
        if self._notes.identity != before:
            self._pages.renew(self._notes.identity)
        self._tell(milestone)

    def show(self, artifact: Artifact) -> str:
        self._notes.add("shown", artifact.title, facts={"key": artifact.key})
        return self._pages.add(artifact, self._notes.identity)

    def say(self, message: str) -> None:
        self.pass_on()
        self._notes.add("said", message)
        self._inner.say(self._sign(message))

    def use_cluster(self, address: str) -> Examination:
        return self._inner.use_cluster(address)

    @contextmanager
    def progress(self, label: str) -> Generator[Progress]:
        with self._inner.progress(label) as report:

            def observe(done: int, total: int, note: str = "") -> None:
                report(done, total, note)
                self.pass_on()
                self._floor.check_now_and_then()

            yield observe

    def fail(self, failure: RunFailed, *, seconds: float, is_mistake: bool, is_known: bool) -> None:
        """Tell of the end of a run that failed.

        Args:
            failure: Why.
            seconds: How long the run took.
            is_mistake: It was asked for what cannot be.
            is_known: Nobody need be notified.
        """
        self.pass_on()
        self._notes.add("run-failed", failure.message, level="error", seconds=seconds)
        if not is_mistake:
            self._notes.write_held()
        # People first: a server that is away is waited for.
        if not is_known:
            self._tell(failure)
        self._announce(failure)

    def _announce(self, milestone: Milestone) -> None:
        try:
            self._inner.reach(milestone)
        except NotToldError as error:
            self._warn(str(error))
            self._notify(self._writer.tell_of_standstill(str(error)))
        except Exception as error:  # noqa: BLE001 - the work is done, or failed for a better reason
            self._warn(f"Nobody could be told of {milestone.kind}: {describe(error)}")

    def _put(self, artifact: Artifact) -> str:
        try:
            return self._inner.show(artifact)
        except Exception as error:  # noqa: BLE001 - a page is not worth a run
            self._warn(f"{artifact.title} could not be shown: {describe(error)}")
            return ""

    def _warn(self, message: str) -> None:
        self._notes.add("not-told", message, level="warning")
        self._try_to_say(message)

    def _try_to_say(self, message: str) -> None:
        """Say what the log has already, or cannot have."""
        with suppress(Exception):
            self._inner.say(message)

    def _tell(self, milestone: Milestone) -> None:
        news = self._writer.tell(milestone)
        if news is not None:
            self._notify(news)

    def _notify(self, news: News) -> None:
        # A stage that is tried again reaches the same once more.
        if news in self._told:
            return
        self._told.add(news)
        for failure in self._notifier.send(news):
            self._notes.add("not-notified", failure, level="warning")
            self._try_to_say(failure)

    def pass_on(self) -> None:
        """Pass on what was reached in other threads."""
        if get_ident() == self._thread:
            while self._reached_elsewhere:
                self.reach(self._reached_elsewhere.popleft())

    def _sign(self, message: str) -> str:
        """Add the ids to a line that people search for among those of many runs."""
        identity = self._notes.identity
        versions = [*filter(None, (identity.dataset, identity.model))]
        if not self.run_id or not versions:
            return message
        return f"{message} [{', '.join(versions)}]"


def describe(error: BaseException) -> str:
    """Say in one line what went wrong; our own errors are written for people."""
    text = " ".join(str(error).split())
    if isinstance(error, PacaloomError):
        return text
    if type(error).__name__ == _PUT_ASIDE:
        return "Suspended until somebody answers; it begins anew then."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
