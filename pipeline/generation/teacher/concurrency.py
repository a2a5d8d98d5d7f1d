"""How many requests are under way at once, found out by asking.

Additive increase, multiplicative decrease (Jacobson, "Congestion avoidance and control", 1988):
the limit doubles with each full round of answers until the endpoint is overloaded for the first
time, then grows by a fixed step a round; an overload halves it. Only how fast answers come depends
on it, never which. Every operation is O(1), however many wait.
"""

import asyncio
from collections import deque

_SCOUTS = 4
"""Requests under way before the first answer: a wrong key or an unknown parameter is refused so
often and not hundreds of times, and yet one request that hangs holds up nobody."""
_START = 64
"""Requests under way after it; two rounds of doubling from here reach 256."""
_STEPS = 32
"""Rounds of answers that additive growth takes from nothing to the ceiling."""


class AdaptiveLimit:
    """Slots for requests; belongs to one event loop."""

    def __init__(self, ceiling: int) -> None:
        """Start with a few scouts.

        Args:
            ceiling: Slots that are never exceeded; at least 1.
        """
        self._ceiling = ceiling
        self._limit = float(min(ceiling, _SCOUTS))
        self._has_answer = False
        self._step = max(1.0, ceiling / _STEPS)
        self._is_doubling = True
        self.in_use = 0
        """Slots taken; above the limit for a while after a decrease."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.epoch = 0
        """Decreases so far. Note it when a request is sent: what it tells belongs to that time."""

    @property
    def limit(self) -> int:
        """Slots at this moment, from 1 to the ceiling."""
        return int(self._limit)

    @property
    def has_room(self) -> bool:
        """Whether a slot is free now."""
        return self.in_use < self.limit

    def take(self) -> None:
        """Take a slot for one who waits elsewhere; only while there is room."""
        self.in_use += 1

    async def acquire(self, *, is_urgent: bool = False) -> None:
        """Take a slot, in the order of asking; urgent ones first: a whole round waits for them."""
        if self.has_room and not self._waiting:
            self.take()
            return
        granted = asyncio.get_running_loop().create_future()
        if is_urgent:
            self._waiting.appendleft(granted)
        else:
            self._waiting.append(granted)
        self._grant()  # those who queue may all have been cancelled
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back."""
        self.in_use -= 1
        self._grant()

    def grow(self, epoch: int) -> None:
        """Note an answer to a request of ``epoch``; call before its slot is released.

        Unused slots prove nothing, so the limit grows only while all are taken.
        """
        if epoch != self.epoch:
            return
        if not self._has_answer:
            self._has_answer = True
            self._limit = float(min(self._ceiling, _START))
        elif self.in_use >= self.limit:
            growth = 1.0 if self._is_doubling else self._step / self._limit
            self._limit = min(self._limit + growth, self._ceiling)
        self._grant()

    def shrink(self, epoch: int) -> None:
        """Note an overload met by a request of ``epoch``.

        One burst of refusals is one decrease: requests sent before it do not count again.
        """
        if epoch != self.epoch:
            return
        self.epoch += 1
        self._is_doubling = False
        self._has_answer = True
        self._limit = max(self._limit / 2, 1.0)

    def _grant(self) -> None:
        while self._waiting and self.has_room:
            granted = self._waiting.popleft()
            if not granted.done():  # else its owner was cancelled
                self.take()
                granted.set_result(None)
