"""Tell of the bad end of a run from outside it, unless the run has told of it itself."""

from contextlib import suppress
from typing import Literal

from flows.observing.identity import Identity
from flows.observing.masking import make_mask
from flows.observing.news import Writer, find_place
from flows.observing.notifications import make_notifier
from flows.observing.run_log import Event, Level, LogLine, RunLog, tell_time
from flows.settings import Settings

End = Literal["failed", "crashed"]


def tell_end(
    settings: Settings, identity: Identity, end: End, message: str, *, is_watched: bool
) -> None:
    """Write the end of a run to the run log and notify people.

    Args:
        settings: Say where and whom.
        identity: The run.
        end: ``crashed`` when its process was ended from outside.
        message: Why, in one line.
        is_watched: Somebody sits at the terminal, and need not hear that they stopped the run.
    """
    mask = make_mask(settings)
    log = RunLog(settings.outputs / "logs", mask)
    if _was_told(log, identity.run, is_watched=is_watched):
        return
    event: Event = "run-crashed" if end == "crashed" else "run-failed"
    _write(log, _make_line(identity, "error", event, message))
    writer = Writer(identity, find_place(settings, identity.run), mask)
    for failure in make_notifier(settings).send(writer.tell_end(end, message)):
        _write(log, _make_line(identity, "warning", "not-notified", failure))


def _make_line(identity: Identity, level: Level, event: Event, message: str) -> LogLine:
    return LogLine(
        time=tell_time(), level=level, event=event, **identity._asdict(), message=message
    )


def _write(log: RunLog, line: LogLine) -> None:
    # A full disk may be why the run ended, and people can still be told.
    with suppress(OSError):
        log.write(line)


def _was_told(log: RunLog, run: str, *, is_watched: bool) -> bool:
    """Look how the run's newest start ended, as far as it could tell itself."""
    # Told twice is better than not at all, where the log cannot be read.
    with suppress(OSError):
        for line in log.read_back(run):
            if line.event in {"run-failed", "run-crashed"}:
                return True
            if line.event == "run-stopped" and is_watched:
                return True
            if line.event == "run-started":
                return False
    return False
