"""How a composition runs its steps: as plain calls here, as Prefect tasks in ``prefect_engine``.

A composition (``flows/compositions.py``) is written once against :class:`Engine`. No step needs
cached results to be resumable: each continues by itself from what is on disk (journal, published
versions, checkpoints, scored cells), which holds across engines and machines.
"""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol, TypeVar

from flows.approval import NotApprovedError, Question
from flows.milestones import Milestone
from pipeline.curation.shards import Examination
from schemas.errors import PacaloomError, UserError
from schemas.progress import Progress

Result = TypeVar("Result")

_PLAIN_LINE_EVERY_S = 10.0

_BAR_WINDOW_S = 600.0
"""A step of training may take longer than the 30 s that rich looks back for its estimate."""


class EngineError(UserError):
    """The engine cannot do what was asked for; another one can."""


class NotToldError(PacaloomError):
    """What should have followed a milestone does not; the work itself is done."""


class Artifact(NamedTuple):
    """Something for people to look at beside the run."""

    key: str
    """Lower-case letters, digits and dashes; the same key over runs shows a history."""
    title: str
    markdown: str


class Engine(Protocol):
    """What a composition may ask of whoever runs it."""

    @property
    def run_id(self) -> str:
        """Names the run over its restarts; empty when each call is a run of its own."""
        ...

    def run(self, label: str, step: Callable[[], Result]) -> Result:
        """Run one step and return its result; an exception is the step's own."""
        ...

    def insist(self, label: str, attempt: Callable[[], Result]) -> Result:
        """Run what asks the network, and where waiting may help, wait and run it again.

        What raises an error with ``may_pass`` is called anew, so it has to continue by itself.
        """
        ...

    def approve(self, question: Question, wait_hours: float) -> bool:
        """Ask a person, who may be away; a suspended run begins anew when the answer comes.

        Raises:
            NotApprovedError: Nobody can be asked.
        """
        ...

    def reach(self, milestone: Milestone) -> None:
        """Tell whoever waits for it that this was reached.

        Raises:
            NotToldError: They could not be told.
        """
        ...

    def show(self, artifact: Artifact) -> str:
        """Publish something for people; the same key in the same run replaces what was there.

        Returns the id of its page, empty where there are no pages.
        """
        ...

    def say(self, message: str) -> None:
        """Tell people one line."""
        ...

    def progress(self, label: str) -> AbstractContextManager[Progress]:
        """Lend a progress callback for one long step."""
        ...

    def use_cluster(self, address: str) -> Examination:
        """Examine drafts on the Dask cluster of a scheduler.

        Raises:
            UserError: This engine cannot, or no scheduler answers.
        """
        ...


class PlainEngine:
    """Plain calls; people are told on standard error, with a bar and ETA on a terminal."""

    run_id = ""

    def run(self, label: str, step: Callable[[], Result]) -> Result:
        return step()

    def insist(self, label: str, attempt: Callable[[], Result]) -> Result:
        """Run it once: who sits at the command sees the error, and calls again to continue."""
        return attempt()

    def approve(self, question: Question, wait_hours: float) -> bool:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise NotApprovedError(
                f"{question.title} Wanted a yes or no, but there is no terminal to ask at: run "
                "this where somebody can answer, or add --approval.auto-approve."
            )
        self.say(f"\n{question.grounds}\n")
        sys.stderr.write(f"{question.title} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes", "ㅛ"}

    def reach(self, milestone: Milestone) -> None:
        """Do nothing: the command ends with the same facts."""

    def show(self, artifact: Artifact) -> str:
        """Do nothing: the same facts are in the published files and in the closing table."""
        return ""

    def say(self, message: str) -> None:
        sys.stderr.write(message + "\n")
        sys.stderr.flush()

    def use_cluster(self, address: str) -> Examination:
        raise EngineError(
            f"Drafts are examined on the cluster {address} by Prefect tasks: add --prefect, or "
            "leave out --cluster to use the processors of this machine."
        )

    @contextmanager
    def progress(self, label: str) -> Generator[Progress]:
        if not sys.stderr.isatty():
            yield line_progress(label, self.say)
            return
        with _bar(label) as report:
            yield report


def line_progress(
    label: str, say: Callable[[str], None], every_s: float = _PLAIN_LINE_EVERY_S
) -> Progress:
    """Make a callback that says a line now and then: for logs, pipes and Prefect."""
    last_said = time.monotonic()
    last = (0, "")
    # Where counting begins: a continued run has done before what it reports first, and what comes
    # before anything is done, as loading, is no measure of the rest.
    first: tuple[float, int] | None = None

    def report(done: int, total: int, note: str = "") -> None:
        nonlocal last_said, last, first
        now = time.monotonic()
        if first is None and done > 0:
            first = (now, done)
        finished = done >= total > 0
        if (done, note) == last or (not finished and now - last_said < every_s):
            return
        last_said, last = now, (done, note)
        left = ""
        if first is not None and first[1] < done < total:
            left = f", {(now - first[0]) / (done - first[1]) * (total - done):.0f} s left"
        say(f"{label}: {done:,} of {total:,}{left}{f', {note}' if note else ''}")

    return report


@contextmanager
def _bar(label: str) -> Generator[Progress]:
    # rich takes 0.1 s to import; runs that show no bar need not pay it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
    )
    console = Console(stderr=True)
    with RichProgress(*columns, console=console, speed_estimate_period=_BAR_WINDOW_S) as bars:
        bar = bars.add_task(label, total=None, note="")

        def report(done: int, total: int, note: str = "") -> None:
            bars.update(bar, completed=done, total=total, note=note)

        yield report
