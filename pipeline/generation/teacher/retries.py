"""Whether a prompt whose request failed is asked again, and when.

Delays double from half a second to half a minute, with half of each drawn at random, so that
requests that failed together do not come back together (Brooker, "Exponential backoff and
jitter", 2015). Refusals for overload count against a prompt only while the endpoint answers
nothing at all: under a low cap of requests a minute the unlucky are refused many times.
"""

import random

from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.endings import find_end
from schemas.errors import PacaloomError
from schemas.exchange import Prompt

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_SPREAD_S = 0.25
"""Over which requests come back after the wait that an endpoint asked for."""


class Asking:
    """How far one prompt has come."""

    __slots__ = ("answers_seen", "failures", "prompt", "requests", "timeouts")

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        self.requests = 0
        self.failures = 0
        """In a row, with nothing answered meanwhile."""
        self.timeouts = 0
        self.answers_seen = 0


class Retries:
    """What is known of one endpoint's failures."""

    def __init__(self, where: str, max_attempts: int) -> None:
        """Know of no failure yet.

        Args:
            where: The teacher and its address, as the subject of a sentence.
            max_attempts: Requests for one prompt that fail in a row before the run gives up.
        """
        self._where = where
        self._max_attempts = max_attempts
        self._answer_count = 0
        self._was_reached = False
        # Its jitter only spreads requests over time; nothing that is kept depends on it.
        self._jitter = random.Random()  # noqa: S311
        self.end: PacaloomError | None = None
        """Why nothing is asked any more."""

    def note_answer(self) -> None:
        """Count an answer to whichever prompt."""
        self._answer_count += 1

    def find_delay(self, asking: Asking, failure: Failure) -> float:
        """Return the seconds to wait before the prompt is asked again.

        Raises:
            PacaloomError: What ends the run.
        """
        if failure.fault is Fault.OVERLOADED and asking.answers_seen != self._answer_count:
            asking.failures = 0
        asking.answers_seen = self._answer_count
        asking.failures += 1
        self._was_reached |= failure.fault is not Fault.UNREACHABLE
        end = find_end(
            failure,
            where=self._where,
            failures=asking.failures,
            max_attempts=self._max_attempts,
            was_reached=self._was_reached or self._answer_count > 0,
        )
        if end is not None:
            self.end = end
            raise end
        if failure.retry_after_s is not None:
            return failure.retry_after_s + _SPREAD_S * self._jitter.random()
        ceiling = min(_FIRST_DELAY_S * 2 ** (asking.failures - 1), _LONGEST_DELAY_S)
        return ceiling * (0.5 + 0.5 * self._jitter.random())
