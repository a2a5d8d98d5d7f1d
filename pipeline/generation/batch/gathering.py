"""Gather prompts that are asked one by one into batches, which go off one after another.

A batch goes off when nothing new came for a moment: whoever asks for many prompts at once asks for
them within milliseconds, and a batch that takes hours can wait for stragglers.

Where many have gathered and nothing has been answered yet, one goes ahead as a pilot: parameters
that the model refuses show one at a time, and a large batch takes far longer to be refused as a
whole, fifty thousand lines for each parameter, than a batch of one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from pipeline.generation.teacher.answers import Answer, Failure
from pipeline.generation.teacher.bodies import Dialect

MOST_PROMPTS = 50_000
"""OpenAI's limit for one batch."""
MOST_BYTES = 100_000_000
"""Half of OpenAI's limit of 200 MB: a file is in memory while it is uploaded, about three times."""

_FEWEST_AFTER_PILOT = 50
"""Fewer prompts are refused as quickly as one, and need not wait for a pilot."""


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
        self,
        window_s: float,
        most_prompts: int,
        send: Callable[[list[BatchLine], bool], Awaitable[None]],
    ) -> None:
        """Gather nothing yet.

        Args:
            window_s: Seconds without a new prompt after which a batch goes off.
            most_prompts: In one batch.
            send: Given each batch, and whether it is a pilot; the next one waits for its return.
                Never raises.
        """
        self._window_s = window_s
        self._most_prompts = most_prompts
        self._send = send
        self._is_proven = False
        self._lines: dict[str, BatchLine] = {}
        self._added = 0
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

    def list_lines(self) -> list[BatchLine]:
        """List the prompts that have not gone off."""
        return list(self._lines.values())

    def prove(self) -> None:
        """Send no pilots any more: the model has answered."""
        self._is_proven = True

    def shrink(self, batch_size: int) -> None:
        """Make batches half as large as one that was too large."""
        self._most_prompts = max(min(self._most_prompts, (batch_size + 1) // 2), 1)

    async def close(self) -> None:
        """Send nothing any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _gather(self) -> None:
        while self._lines:
            await self._wait_for_quiet()
            is_pilot = not self._is_proven and len(self._lines) > _FEWEST_AFTER_PILOT
            most_prompts = 1 if is_pilot else self._most_prompts
            batch = take_batch(self._lines.values(), most_prompts)
            for line in batch:
                del self._lines[line.key]
            await self._send(batch, is_pilot)
        self._task = None

    async def _wait_for_quiet(self) -> None:
        seen = -1
        while seen != self._added and len(self._lines) < self._most_prompts:
            seen = self._added
            await asyncio.sleep(self._window_s)


def take_batch(lines: Iterable[BatchLine], most_prompts: int) -> list[BatchLine]:
    """Take the first prompts within both limits; one that is too long alone stands alone."""
    batch: list[BatchLine] = []
    size = 0
    for line in lines:
        size += len(line.request)
        if batch and (len(batch) >= most_prompts or size > MOST_BYTES):
            break
        batch.append(line)
    return batch
