"""Gather prompts that are asked one by one into batches.

A batch goes off when nothing new came for a moment: whoever asks for many prompts at once asks for
them within milliseconds, and a batch that takes hours can wait for stragglers.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from pipeline.generation.teacher.answers import Answer, Failure
from pipeline.generation.teacher.bodies import Dialect

MOST_PROMPTS = 50_000
"""OpenAI's limit for one batch."""
MOST_BYTES = 100_000_000
"""Half of OpenAI's limit of 200 MB: a file is in memory while it is uploaded, about three times."""


class BatchLine(NamedTuple):
    """One prompt of a batch, and who waits for it."""

    key: str
    request: bytes
    """Its line of the input file; empty when an earlier process submitted it."""
    dialect: Dialect
    end: "asyncio.Future[Answer | Failure]"
    """What became of it; cancelled when it was withdrawn."""


class Gatherer:
    """Lives in one event loop."""

    def __init__(
        self, window_s: float, most_prompts: int, send: Callable[[list[BatchLine]], None]
    ) -> None:
        """Gather nothing yet.

        Args:
            window_s: Seconds without a new prompt after which a batch goes off.
            most_prompts: In one batch.
            send: Called with each batch; returns at once.
        """
        self._window_s = window_s
        self._most_prompts = most_prompts
        self._send = send
        self._lines: dict[str, BatchLine] = {}
        self._added = 0
        self._gate = asyncio.Event()
        self._gate.set()
        self._task: asyncio.Task[None] | None = None

    def add(self, line: BatchLine) -> None:
        """Put a prompt into the next batch."""
        self._lines[line.key] = line
        self._added += 1
        if self._task is None:
            self._task = asyncio.create_task(self._gather())

    def withdraw(self, key: str) -> bool:
        """Take a prompt back; False when it has gone off already."""
        return self._lines.pop(key, None) is not None

    def hold(self) -> None:
        """Send nothing until :meth:`resume`."""
        self._gate.clear()

    def resume(self) -> None:
        """Send what has gathered."""
        self._gate.set()

    def shrink(self, batch_size: int) -> None:
        """Make batches half as large as one that was too large."""
        self._most_prompts = max(min(self._most_prompts, batch_size // 2), 1)

    async def close(self) -> None:
        """Send nothing any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _gather(self) -> None:
        seen = -1
        while seen != self._added and len(self._lines) < self._most_prompts:
            seen = self._added
            await asyncio.sleep(self._window_s)
        await self._gate.wait()
        lines, self._lines, self._task = list(self._lines.values()), {}, None
        for batch in cut(lines, self._most_prompts):
            self._send(batch)


def cut(lines: list[BatchLine], most_prompts: int) -> list[list[BatchLine]]:
    """Cut prompts into batches within both limits; one that is too long alone stands alone."""
    batches: list[list[BatchLine]] = []
    size = 0
    for line in lines:
        size += len(line.request)
        if not batches or len(batches[-1]) >= most_prompts or size > MOST_BYTES:
            batches.append([])
            size = len(line.request)
        batches[-1].append(line)
    return batches
