"""Give requests to several endpoints by weight, as slots come free.

Each may have its part of the ceiling under way, by weight among those that can be asked now; within
it, the one that was given least for its weight is next, so that weights are kept with one request
at a time as with hundreds. A slow endpoint holds its part and no more, a fast one is done with its
part more often. What nobody has room for within his part goes where there is room beyond it. Where
the prompt has failed already it goes only when every other endpoint that can be asked has failed it
as often.
Cost: one look at each endpoint a request, and at each prompt that waits to be asked again.
"""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from pipeline.generation.teacher.concurrency import AdaptiveLimit
from pipeline.generation.teacher.rate_limits import RateLimits
from pipeline.generation.teacher.waiting import Clock
from schemas.errors import PacaloomError


class Place:
    """One endpoint as it is given requests."""

    def __init__(self, limit: AdaptiveLimit, rates: RateLimits, weight: float) -> None:
        """Begin open.

        Args:
            limit: Its slots.
            rates: Its gate; nothing is given while it pauses everyone.
            weight: Requests under way, relative to the other places.
        """
        self.limit = limit
        self.rates = rates
        self.weight = weight
        self.is_open = True
        self.given = 0.0
        """Requests so far, divided by the weight; what was missed while others went on is not
        made up for."""

    @property
    def is_usable(self) -> bool:
        """Whether it may be asked now, were a slot free."""
        return self.is_open and self.rates.pause_s == 0.0

    def find_excess(self, part: float) -> float:
        """Return by how much one more request would exceed its part, for its weight."""
        return max(0, self.limit.in_use + 1 - math.ceil(part)) / self.weight


AnyPlace = TypeVar("AnyPlace", bound=Place)

_LOOK_AGAIN_S = 0.25
"""Longest sleep until it is looked whether a pause is over: a later one may end before."""


class _Waiting(NamedTuple, Generic[AnyPlace]):
    granted: "asyncio.Future[AnyPlace]"
    failed: Counter[AnyPlace]


class Shares(Generic[AnyPlace]):
    """Slots over several places; belongs to one event loop."""

    def __init__(self, places: Sequence[AnyPlace], ceiling: int, clock: Clock) -> None:
        """Begin with nothing under way.

        Args:
            places: At least one.
            ceiling: Requests under way at all of them together.
            clock: Time in which pauses end.
        """
        self._places = places
        self._ceiling = ceiling
        self._clock = clock
        self._in_use = 0
        self._turn = 0.0
        """The most that a place had been given when it was its turn."""
        self._again: deque[_Waiting[AnyPlace]] = deque()
        self._first: deque[_Waiting[AnyPlace]] = deque()
        self._alarm: asyncio.Task[None] | None = None
        self._end: PacaloomError | None = None

    async def acquire(self, failed: Counter[AnyPlace], *, is_urgent: bool) -> AnyPlace:
        """Take a slot, in the order of asking; urgent ones first: a whole round waits for them.

        Args:
            failed: How often each place has failed the prompt.
            is_urgent: The prompt was asked before.

        Raises:
            PacaloomError: What :meth:`end` was told.
        """
        if self._end is not None:
            raise self._end
        waiting = _Waiting(asyncio.get_running_loop().create_future(), failed)
        (self._again if is_urgent else self._first).append(waiting)
        self.grant()
        try:
            return await waiting.granted
        except asyncio.CancelledError:
            granted = waiting.granted
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                self.release(granted.result())
            raise

    def release(self, place: AnyPlace) -> None:
        """Give a slot back."""
        self._in_use -= 1
        place.limit.release()
        self.grant()

    def grant(self) -> None:
        """Give out what is free; also after a place was opened."""
        kept: list[_Waiting[AnyPlace]] = []
        while self._again and self._has_room:
            waiting = self._again.popleft()
            if not self._serve(waiting):
                kept.append(waiting)
        self._again.extendleft(reversed(kept))
        while self._first and self._serve(self._first[0]):
            self._first.popleft()
        if (self._again or self._first) and self._alarm is None:
            self._set_alarm()

    def has_other(self, place: AnyPlace) -> bool:
        """Whether another place could be asked now."""
        return any(one.is_usable for one in self._places if one is not place)

    def end(self, error: PacaloomError) -> None:
        """Let everyone who waits, now or later, meet an error."""
        self._end = error
        for waiting in (*self._again, *self._first):
            if not waiting.granted.done():
                waiting.granted.set_exception(error)
        self._again.clear()
        self._first.clear()
        self.close()

    def close(self) -> None:
        """Watch no pause any more."""
        if self._alarm is not None:
            self._alarm.cancel()

    def _serve(self, waiting: _Waiting[AnyPlace]) -> bool:
        """Give a slot to one that waits; tell whether it waits no more."""
        if waiting.granted.done():  # its owner was cancelled
            return True
        place = self._find(waiting.failed)
        if place is None:
            return False
        self._in_use += 1
        place.limit.take()
        turn = max(self._turn, place.given)
        place.given = max(place.given + 1 / place.weight, self._turn)
        self._turn = turn
        waiting.granted.set_result(place)
        return True

    @property
    def _has_room(self) -> bool:
        is_free = any(place.is_usable and place.limit.has_room for place in self._places)
        return is_free and self._in_use < self._ceiling

    def _find(self, failed: Counter[AnyPlace]) -> AnyPlace | None:
        if self._in_use >= self._ceiling:
            return None
        usable = [place for place in self._places if place.is_usable]
        least = min((failed[place] for place in usable), default=0)
        free = [one for one in usable if failed[one] == least and one.limit.has_room]
        if not free:
            return None
        slots = self._ceiling / sum(place.weight for place in usable)
        return min(free, key=lambda one: (one.find_excess(slots * one.weight), one.given))

    def _set_alarm(self) -> None:
        """Look again when a pause may be over."""
        pauses = [place.rates.pause_s for place in self._places if place.is_open]
        soonest = min((pause for pause in pauses if pause > 0), default=None)
        if soonest is not None:
            self._alarm = asyncio.create_task(self._ring(min(soonest, _LOOK_AGAIN_S)))

    async def _ring(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._alarm = None
        self.grant()
