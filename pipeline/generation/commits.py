"""Group commits: answers that arrive while the disk is busy share the next sync.

No timer and no size: the group is whatever queued during the last commit, so that a lone answer
waits for one sync only and a flood is written as fast as the disk takes it. An answer is on the
disk when its :meth:`GroupCommits.put` returns.
"""

import asyncio

from pipeline.generation.journal import Exchange, Journal
from schemas.exchange import Completion, Prompt


class GroupCommits:
    """The journal's one writer inside an event loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[tuple[Exchange, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, prompt: Prompt, completion: Completion) -> None:
        """Write one answer and wait until it is durable; a cancelled caller's is written too."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((Exchange(prompt, completion), written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await written

    async def flush(self) -> None:
        """Wait until nothing is waiting to be written."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            exchanges = [exchange for exchange, _ in group]
            failure: Exception | None = None
            try:
                # In a thread: the sync releases the interpreter, the loop goes on reading answers.
                await asyncio.to_thread(self._journal.put_all, exchanges)
            except Exception as error:  # noqa: BLE001 - every failure belongs to those who wait
                failure = error
            for _, written in group:
                _settle(written, failure)
        self._writer = None


def _settle(future: asyncio.Future[None], failure: Exception | None) -> None:
    if future.done():  # its caller was cancelled
        return
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)
