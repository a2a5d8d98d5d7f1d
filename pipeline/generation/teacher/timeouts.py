"""How long to wait for an answer, learnt from the answers so far.

A local server with a long queue may take minutes, a hosted one that takes one minute has lost the
request. So the first wait is long, and once enough answers are known it is a multiple of what the
slow ones among the last took, and never less than the slowest. A timeout is itself an observation
of at least that long, and a prompt that timed out is given twice the time: a slow endpoint is
waited for sooner or later.
Cost: one binary search and a shift of at most 200 numbers an answer.
"""

from bisect import bisect_left, insort
from collections import deque
from typing import NamedTuple

ENOUGH = 20
"""Answers after which the wait is learnt and not given."""
_REMEMBERED = 200
_QUANTILE = 0.95
_MULTIPLE = 5.0
"""Times the 95 % quantile; doubling the requests under way doubles the latency of a full server."""
_ABOVE_SLOWEST = 1.5
"""Times the slowest remembered: a few percent of prompts may take a hundred times as long."""
_SHORTEST = 1 / 20
_LONGEST = 3.0
"""Bounds of the learnt wait as parts of the first one: 30 s and 30 minutes for 10 minutes."""


class _Observation(NamedTuple):
    latency_s: float
    max_tokens: int


class LearntTimeout:
    """Patience with one endpoint."""

    def __init__(self, first_s: float) -> None:
        """Know nothing yet.

        Args:
            first_s: Seconds to wait while too few answers are known.
        """
        self._first_s = first_s
        self._shortest_s = first_s * _SHORTEST
        self._longest_s = first_s * _LONGEST
        self._observed: deque[_Observation] = deque()
        self._sorted: list[float] = []
        self._max_tokens_sum = 0

    def observe(self, latency_s: float, max_tokens: int) -> None:
        """Note how long an answer of at most so many tokens took, or was waited for in vain."""
        self._observed.append(_Observation(latency_s, max_tokens))
        self._max_tokens_sum += max_tokens
        insort(self._sorted, latency_s)
        if len(self._observed) > _REMEMBERED:
            oldest = self._observed.popleft()
            self._max_tokens_sum -= oldest.max_tokens
            del self._sorted[bisect_left(self._sorted, oldest.latency_s)]

    def find(self, max_tokens: int, timed_out: int = 0) -> float:
        """Return the seconds to wait for an answer.

        Args:
            max_tokens: Length at which it is cut. Longer ones than usual are given more time;
                shorter ones no less, since they wait in the same queue.
            timed_out: Times that this prompt has timed out before.
        """
        seconds = self._first_s
        if len(self._sorted) >= ENOUGH:
            slow_s = self._sorted[int(_QUANTILE * (len(self._sorted) - 1))]
            usual_tokens = self._max_tokens_sum / len(self._observed)
            seconds = _MULTIPLE * slow_s * max(1.0, max_tokens / usual_tokens)
            slowest_s = _ABOVE_SLOWEST * self._sorted[-1]
            seconds = max(seconds, slowest_s, self._shortest_s)
        return min(seconds * 2**timed_out, self._longest_s)
