"""A clock that tests own: sleeping takes no time, and sleepers wake in the right order."""

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any

from pipeline.generation.teacher.waiting import Clock

_TURNS = 20
"""Passes of the event loop after which everyone who could go on has gone on."""


class VirtualTime:
    """Seconds that pass only when all are asleep."""

    def __init__(self, time_of_day: float = 1_800_000_000.0) -> None:
        self.now = 0.0
        self.time_of_day = time_of_day
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    @property
    def clock(self) -> Clock:
        """What the code under test is given."""
        return Clock(lambda: self.now, lambda: self.time_of_day, self.sleep)

    async def sleep(self, seconds: float) -> None:
        """Wait until so much time has passed."""
        self._count += 1
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, woken))
        await woken

    async def run(self, *works: Coroutine[Any, Any, Any]) -> None:
        """Do works at once, in virtual time, to their end."""
        tasks = [asyncio.create_task(work) for work in works]
        while not all(task.done() for task in tasks):
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if self._sleepers:
                self.now, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    woken.set_result(None)
        await asyncio.gather(*tasks)


class SkippedTime:
    """Sleeping moves the clock on at once.

    For tests with a real socket, where nobody can tell when all are asleep.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        """What the code under test is given."""
        return Clock(lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        """Note the wait and let others have their turn."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
