"""Run a composition under watch, whoever calls it: the command line or a Prefect flow.

What a run does is written to the run log, people are told of what they should know, and the run
stops before the disk is full (``flows/observing``).
"""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar
from uuid import uuid4

from flows.engine import Engine
from flows.milestones import RunFailed
from flows.observing.disk import DiskFloor
from flows.observing.engine import ObservingEngine, describe
from flows.observing.identity import Identity, find_name
from flows.observing.masking import Mask, make_mask
from flows.observing.news import Writer, find_place
from flows.observing.notifications import make_notifier
from flows.observing.run_log import RunLog
from flows.observing.run_notes import RunNotes
from flows.settings import Settings
from schemas.errors import UserError
from schemas.frozen import Frozen

Params = TypeVar("Params", bound=Frozen)
Outcome = TypeVar("Outcome")


def run_composition(
    flow: str,
    compose: Callable[[Params, Settings, Engine], Outcome],
    params: Params,
    settings: Settings,
    engine: Engine,
) -> Outcome:
    """Run a composition to its end.

    Args:
        flow: Name of the verb: ``generate``, ``curate``, …
        compose: From ``flows/compositions.py``.
        params: What the user asked for.
        settings: What the environment decides.
        engine: Runs the steps.
    """
    run = engine.run_id or f"local-{uuid4().hex[:12]}"
    identity = Identity(flow, find_name(params), run)
    mask = make_mask(settings)
    notes = RunNotes(identity, RunLog(settings.outputs / "logs", mask), engine.say)
    # What gives space back has to run most of all where there is none.
    floor = DiskFloor(settings.outputs, 0 if flow == "maintenance" else settings.min_free_gb)
    observing = ObservingEngine(
        engine,
        notes,
        floor,
        make_notifier(settings),
        Writer(identity, find_place(settings, engine.run_id), mask),
    )
    with _observed(observing, notes, params, mask):
        floor.check()
        return compose(params, settings, observing)


@contextmanager
def _observed(
    engine: ObservingEngine, notes: RunNotes, params: Frozen, mask: Mask
) -> Generator[None]:
    """Write down begin and end, and tell of a bad one."""
    started = time.monotonic()
    notes.add("run-started", facts=params.model_dump(mode="json", exclude_defaults=True))
    try:
        yield
        engine.pass_on()
    except Exception as error:
        name, message = mask.hide(notes.identity.name), mask.hide(describe(error))
        engine.fail(
            RunFailed(name=name, flow=notes.identity.flow, message=message),
            seconds=time.monotonic() - started,
            is_mistake=isinstance(error, UserError),
            # Who can mend a mistake reads of it now.
            is_known=isinstance(error, UserError) and sys.stderr.isatty(),
        )
        raise
    except BaseException as error:
        # Interrupted, stopped, cancelled, or put aside with a question.
        notes.add(
            "run-stopped",
            describe(error),
            level="warning",
            seconds=time.monotonic() - started,
        )
        raise
    notes.add("run-ended", seconds=time.monotonic() - started)
