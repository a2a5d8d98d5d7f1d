"""Group commits: answers that arrive while the disk is busy share the next sync.

No timer and no size: the group is whatever queued during the last commit, so that a lone answer
waits for one sync only and a flood is written as fast as the disk takes it. An answer is on the
disk when its :meth:`GroupCommits.put` returns. What a run has spent goes with the same groups, so
that under load the ledger costs no sync of its own.
"""

import asyncio

from pipeline.generation.budget.caps import Spending
from pipeline.generation.journal.journal import Journal
from schemas.exchange import Completion, Exchange, Prompt


class GroupCommits:
    """The journal's one writer inside an event loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._exchanges: list[Exchange] = []
        self._spendings: dict[str, Spending] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, prompt: Prompt, completion: Completion) -> None:
        """Write one answer and wait until it is durable; a cancelled caller's is written too."""
        self._exchanges.append(Exchange(prompt, completion))
        await self._written()

    async def put_spending(self, run: str, spending: Spending) -> None:
        """Replace what a run has spent and wait until that is durable.

        Of spendings that come during one commit only the latest of each run is written.
        """
        self._spendings[run] = spending
        await self._written()

    async def flush(self) -> None:
        """Wait until nothing is waiting to be written."""
        if self._writer is not None:
            await self._writer

    def _written(self) -> asyncio.Future[None]:
        """Promise that all that was handed over so far is durable."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(written)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return written

    async def _write(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            exchanges, self._exchanges = self._exchanges, []
            spendings, self._spendings = self._spendings, {}
            failure: Exception | None = None
            try:
                # In a thread: the sync releases the interpreter, the loop goes on reading answers.
                await asyncio.to_thread(self._journal.put_all, exchanges, spendings)
            except Exception as error:  # noqa: BLE001 - every failure belongs to those who wait
                failure = error
            for written in waiting:
                _settle(written, failure)
        self._writer = None


class RunLedger:
    """What one run has spent, in the journal: the budget's :class:`Ledger`."""

    def __init__(self, commits: GroupCommits, run: str) -> None:
        self._commits = commits
        self._run = run

    async def write(self, spending: Spending) -> None:
        """Write it; on the disk when this returns."""
        await self._commits.put_spending(self._run, spending)


def _settle(future: asyncio.Future[None], failure: Exception | None) -> None:
    if future.done():  # its caller was cancelled
        return
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)
