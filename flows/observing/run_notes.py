"""Write down what one run does, line by line, in the run log; a log that fails harms no run."""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock

from pydantic import JsonValue

from flows.observing.identity import Identity
from flows.observing.run_log import Event, Level, LogLine, RunLog, tell_time


class RunNotes:
    """The lines of one run; the engine keeps who it is and its step up to date."""

    def __init__(self, identity: Identity, log: RunLog, say: Callable[[str], None]) -> None:
        """Write nothing yet.

        Args:
            identity: The run.
            log: Of all runs.
            say: Told once when the log cannot be written.
        """
        self.identity = identity
        self.step = ""
        self._log = log
        self._say = say
        self._held: list[LogLine] = []
        self._is_broken = False
        # Budgets speak from the thread that asks the teacher.
        self._lock = Lock()

    def add(
        self,
        event: Event,
        message: str = "",
        *,
        level: Level = "info",
        seconds: float | None = None,
        facts: dict[str, JsonValue] | None = None,
    ) -> None:
        """Write a line, with those that were held back."""
        line = LogLine(
            time=tell_time(),
            level=level,
            event=event,
            **self.identity._asdict(),
            step=self.step,
            seconds=None if seconds is None else round(seconds, 3),
            message=message,
            facts=facts or {},
        )
        with self._lock:
            self._held.append(line)
        # A mistake that is found before anything is begun makes no folder.
        if self._log.has_place:
            self.write_held()

    def write_held(self) -> None:
        """Write the lines for which there was no place; when that fails, say so once."""
        try:
            with self._lock:
                held, self._held = self._held, []
                for line in held:
                    self._log.write(line)
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        if self._is_broken:
            return
        self._is_broken = True
        with suppress(Exception):
            self._say(
                f"The run goes on without its log: {self._log.path} cannot be written: "
                f"{error.strerror}."
            )
