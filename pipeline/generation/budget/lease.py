"""Keep what is written of a run's spending ahead of what it spends, so that caps survive a kill.

A request may be sent only when the disk already allows for it. Waiting for a sync before each one
would cost 4 ms or more a request, so room is written in blocks: a 64th of each cap, at least two
of the largest request seen, and the next block when half of the last one is left. One write serves
all requests that wait for it. A process that is killed loses what was written and not taken: that
block and what came back, since the last write, of requests that took less than their worst case.

Cost: O(1) a request; about 130 writes from an untouched cap to a spent one, and one every two
seconds in which something was spent, which also takes back room that turned out too wide.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

_BLOCKS = 64
_REFRESH_S = 2.0


class Amount(NamedTuple):
    """What is taken of each cap, or may be; infinite where nothing limits it."""

    requests: float
    tokens: float
    picodollars: float
    """Integers, so that sums are exact: at $0.10 a million a token costs 100,000 of them."""
    seconds: float = 0.0

    # Written out: these run several times for each request, a loop over fields takes four times
    # as long.
    def plus(self, other: "Amount") -> "Amount":
        return Amount(
            self.requests + other.requests,
            self.tokens + other.tokens,
            self.picodollars + other.picodollars,
            self.seconds + other.seconds,
        )

    def minus(self, other: "Amount") -> "Amount":
        return Amount(
            self.requests - other.requests,
            self.tokens - other.tokens,
            self.picodollars - other.picodollars,
            self.seconds - other.seconds,
        )

    def fits(self, room: "Amount") -> bool:
        return (
            self.requests <= room.requests
            and self.tokens <= room.tokens
            and self.picodollars <= room.picodollars
            and self.seconds <= room.seconds
        )

    def least(self, other: "Amount") -> "Amount":
        return Amount(*map(min, self, other))

    def most(self, other: "Amount") -> "Amount":
        return Amount(*map(max, self, other))


NOTHING = Amount(0, 0, 0)


class Lease:
    """Room on the disk for what is taken; lives in one event loop.

    Where ``caps`` are infinite there is room for ever, and writes only keep a reader informed.
    """

    def __init__(
        self,
        write: Callable[[Amount], Awaitable[None]],
        caps: Amount,
        taken: Callable[[], Amount],
        clock: Callable[[], float],
    ) -> None:
        """Start with no room beyond what is taken now.

        Args:
            write: Makes an amount durable before it returns; infinite where there is no cap.
            caps: Never more than this is written, unless more was taken already.
            taken: What the run has spent and reserved at this moment.
            clock: Monotonic seconds.
        """
        self._write = write
        self._caps = caps
        self._taken = taken
        self._clock = clock
        self._room = Amount(*(0 if cap < float("inf") else cap for cap in caps)).most(taken())
        self._largest = NOTHING
        self._awaited = NOTHING
        self._writer: asyncio.Task[None] | None = None
        self._written_at = clock()
        self._failure: Exception | None = None

    async def cover(self, mark: Amount, need: Amount) -> None:
        """Wait until the disk allows for ``mark``, which was taken at some moment.

        Raises:
            Exception: What a write failed with, now or earlier: nothing is covered any more.
        """
        self._largest = self._largest.most(need)
        while self._failure is None and not mark.fits(self._room):
            # By the time of the write less may be taken, which would leave this one waiting.
            self._awaited = self._awaited.most(mark)
            await asyncio.shield(self._start())
        if self._failure is not None:
            raise self._failure

    def tend(self) -> None:
        """Begin a write, without waiting, when room runs short or the last one is long ago."""
        if self._writer is not None or self._failure is not None:
            return
        taken = self._taken()
        half = Amount(*(size / 2 for size in self._block()))
        is_short = not taken.plus(half).least(self._caps).fits(self._room)
        if is_short or self._clock() - self._written_at >= _REFRESH_S:
            self._start()

    async def close(self) -> None:
        """Write exactly what is taken; no request may be under way."""
        while self._writer is not None:
            await asyncio.shield(self._writer)
        if self._failure is not None:
            raise self._failure
        await self._write(self._taken())

    def _block(self) -> Amount:
        return Amount(
            *(
                max(cap / _BLOCKS, 2 * size)
                for cap, size in zip(self._caps, self._largest, strict=True)
            )
        )

    def _start(self) -> "asyncio.Task[None]":
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._extend())
        return self._writer

    async def _extend(self) -> None:
        taken = self._taken()
        wanted = taken.plus(self._block()).least(self._caps).most(taken).most(self._awaited)
        self._awaited = NOTHING
        # The disk may come to hold the smaller of the two at any moment from here on.
        self._room = self._room.least(wanted)
        try:
            await self._write(wanted)
        except Exception as error:  # noqa: BLE001 - raised where a request waits for the room
            self._failure = error
        else:
            self._room = wanted
            self._written_at = self._clock()
        finally:
            self._writer = None
