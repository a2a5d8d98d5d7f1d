"""Whether a prompt whose request failed is asked again, and when.

Delays double from half a second to half a minute, with half of each drawn at random, so that
requests that failed together do not come back together (Brooker, "Exponential backoff and
jitter", 2015). What may be the fault of one request (cut, 500, timeout) counts against its prompt.
A refusal for overload, or a server that went away, says nothing of the prompt: all back off
together, and give up when the endpoint has refused everything for minutes, because limits a minute
and the loading of a model take that long.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.endings import describe_shut, find_end
from schemas.errors import PacaloomError
from schemas.exchange import Prompt

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_SPREAD_S = 0.25
"""Over which requests come back after the wait that an endpoint asked for."""
PATIENCE_S = 300.0
"""Of refusals alone after which the run gives up."""


class Asking:
    """How far one prompt has come."""

    __slots__ = ("failures", "prompt", "requests", "timeouts")

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        self.requests = 0
        self.failures = 0
        """Refusals for overload not included."""
        self.timeouts = 0


class Wait(NamedTuple):
    """Seconds until something is asked again."""

    own_s: float
    shared_s: float
    """For every prompt."""


class Shut:
    """Failures in a row, with nothing answered since the first.

    Requests under way together fail together; such a burst counts once.
    """

    def __init__(self, since: float) -> None:
        self.since = since
        self.bursts = 1
        self._burst_at = since

    def note(self, sent_at: float, now: float) -> None:
        """Count a failure of a request that was sent after the latest burst."""
        if sent_at > self._burst_at:
            self.bursts += 1
            self._burst_at = now


def draw_delay(failures: int, jitter: random.Random) -> float:
    """Draw the seconds to wait after so many failures in a row, at least one."""
    doublings = min(failures - 1, 10)  # a float overflows at 1,024
    ceiling = min(_FIRST_DELAY_S * 2**doublings, _LONGEST_DELAY_S)
    return ceiling * (0.5 + 0.5 * jitter.random())


class Retries:
    """What is known of one endpoint's failures."""

    def __init__(
        self,
        where: str,
        max_attempts: int,
        now: Callable[[], float],
        *,
        may_come_back: bool = True,
    ) -> None:
        """Know of no failure yet.

        Args:
            where: The teacher and its address, as the subject of a sentence.
            max_attempts: Requests for one prompt, or bursts of refusals in a row, that fail before
                the run gives up.
            now: Monotonic seconds.
            may_come_back: Whether waiting for a server that went away is of use.
        """
        self._where = where
        self._may_come_back = may_come_back
        self._max_attempts = max_attempts
        self._now = now
        self._was_reached = False
        self._shut: Shut | None = None
        # Its jitter only spreads requests over time; nothing that is kept depends on it.
        self._jitter = random.Random()  # noqa: S311
        self.end: PacaloomError | None = None
        """Why nothing is asked any more."""

    def note_answer(self) -> None:
        """Note an answer to whichever prompt."""
        self._was_reached = True
        self._shut = None

    def find_wait(self, asking: Asking, failure: Failure, sent_at: float) -> Wait:
        """Return how long to wait before the prompt is asked again.

        Raises:
            PacaloomError: What ends the run.
        """
        self._was_reached |= failure.fault is not Fault.UNREACHABLE
        shut = self._note(asking, failure, sent_at)
        end = self._find_end(asking, failure, shut)
        if end is not None:
            self.end = end
            raise end
        delay = draw_delay(shut.bursts if shut else asking.failures, self._jitter)
        # One burst while others are answered is how the number of slots is found out.
        is_all = shut is not None and shut.bursts > 1
        shared = max(failure.retry_after_s or 0.0, delay if is_all else 0.0)
        if failure.retry_after_s is not None:
            return Wait(shared + _SPREAD_S * self._jitter.random(), shared)
        return Wait(delay, shared)

    def _note(self, asking: Asking, failure: Failure, sent_at: float) -> Shut | None:
        """Count the failure where it belongs; return the refusals when it is one."""
        if not failure.fault.is_of_all:
            asking.failures += 1
            return None
        if self._shut is None:
            self._shut = Shut(self._now())
        else:
            self._shut.note(sent_at, self._now())
        return self._shut

    def _find_end(
        self, asking: Asking, failure: Failure, shut: Shut | None
    ) -> PacaloomError | None:
        end = find_end(
            failure,
            where=self._where,
            failures=asking.failures,
            max_attempts=self._max_attempts,
            was_reached=self._was_reached and self._may_come_back,
        )
        if end is not None or shut is None or shut.bursts < self._max_attempts:
            return end
        seconds = self._now() - shut.since
        return describe_shut(failure, self._where, seconds) if seconds >= PATIENCE_S else None
