"""Batches under way: prompts go in, and what became of each comes out of its future.

A batch that the endpoint turns away because its queue is full costs nothing and is no prompt's
fault: its prompts wait until another batch has ended, and where there is none they go off in
batches of half the size.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Sequence

from pipeline.generation.batch.gathering import BatchLine, Gatherer
from pipeline.generation.batch.life import BatchLife
from pipeline.generation.batch.lines import EndedLine
from pipeline.generation.batch.pending import PendingBatches
from pipeline.generation.batch.state import BatchState
from pipeline.generation.journal.journal import PendingBatch
from pipeline.generation.teacher.answers import Answer, Failure, Fault
from pipeline.generation.teacher.bodies import Dialect

_LOG = logging.getLogger(__name__)


class BatchRuns:
    """Lives in one event loop."""

    def __init__(
        self, life: BatchLife, pending: PendingBatches, gather_s: float, most_prompts: int
    ) -> None:
        """Start nothing yet; the arguments are those of ``BatchTeacher``."""
        self._life = life
        self._pending = pending
        self._gatherer = Gatherer(gather_s, most_prompts, self._send)
        self._lines: dict[str, BatchLine] = {}
        self._picking_up: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: set[str] = set()
        self._end: Exception | None = None

    async def pick_up(self) -> None:
        """Follow the batches of earlier processes; only the first call does anything."""
        if self._picking_up is None:
            self._picking_up = asyncio.create_task(self._pick_up())
        await asyncio.shield(self._picking_up)

    def find(self, key: str) -> BatchLine | None:
        """Find a prompt that is in a batch or was answered by one and not fetched yet.

        Raises:
            Exception: What ended the run.
        """
        if self._end is not None:
            raise self._end
        return self._lines.get(key)

    def add(self, key: str, request: bytes, dialect: Dialect) -> BatchLine:
        """Put a prompt into the next batch."""
        line = _make_line(key, request, dialect)
        self._lines[key] = line
        self._gatherer.add(line)
        return line

    def withdraw(self, line: BatchLine) -> bool:
        """Take a prompt back; False when it is too late."""
        if line.end.done() or not self._gatherer.withdraw(line.key):
            return False
        line.end.cancel()
        self.forget(line)
        return True

    def forget(self, line: BatchLine) -> None:
        """Drop a line whose end has been fetched."""
        if self._lines.get(line.key) is line:
            del self._lines[line.key]

    def is_submitted(self, key: str) -> bool:
        """Tell whether a batch with this prompt may be at the endpoint."""
        return self._pending.holds(key)

    def end(self, error: Exception) -> None:
        """Let everybody who waits, now or later, know why nothing will come."""
        self._end = self._end or error
        for line in self._lines.values():
            if not line.end.done():
                line.end.set_exception(self._end)
                line.end.exception()  # marks it as seen, for lines that nobody waits for

    async def close(self) -> None:
        """Stop following; batches go on at the endpoint and stay in the journal."""
        await self._gatherer.close()
        tasks = [*self._tasks, *([self._picking_up] if self._picking_up else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._pending.sweep()
        if self._under_way:
            _LOG.warning(
                "teacher: still running at the endpoint: %s. The same command picks them up.",
                ", ".join(sorted(self._under_way)),
            )

    async def _pick_up(self) -> None:
        found: list[PendingBatch] = []
        for batch in await self._pending.read():
            recovered = await self._life.recover(batch)
            if recovered is not None:
                found.append(recovered)
        for batch in found:
            for key in batch.keys:
                self._lines.setdefault(key, _make_line(key, b"", Dialect()))
            _LOG.info("teacher: picking up batch %s of %d prompts", batch.id, len(batch.keys))
            self._start(self._follow(batch, ()))

    def _send(self, lines: list[BatchLine]) -> None:
        self._start(self._submit(lines))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - every failure belongs to those who wait
            self.end(error)

    async def _submit(self, lines: Sequence[BatchLine]) -> None:
        await self._follow(await self._life.submit(lines), lines)

    async def _follow(self, batch: PendingBatch, lines: Sequence[BatchLine]) -> None:
        """Follow a batch to its end and hand out what it brought.

        Args:
            batch: In the journal.
            lines: Its prompts; empty when an earlier process submitted it.
        """
        self._under_way.add(batch.id)
        state = await self._life.follow(batch)
        self._under_way.discard(batch.id)
        if state.is_refused:
            await self._pending.remove(batch)
        else:
            await self._hand_out(batch, state)
        if state.is_crowded_out and self._under_way:
            self._gatherer.hold()
        else:
            self._gatherer.resume()
        if state.is_refused:
            self._take_refusal(batch, state, lines)

    async def _hand_out(self, batch: PendingBatch, state: BatchState) -> None:
        awaited = set(batch.keys)
        answered: set[str] = set()
        failures: dict[str, Failure] = {}

        def deliver(ended: EndedLine) -> None:
            if ended.key not in awaited or ended.key in answered:
                return
            if isinstance(ended.outcome, Answer):
                answered.add(ended.key)
                self._deliver(ended.key, ended.outcome)
            else:
                failures.setdefault(ended.key, ended.outcome)

        await self._life.read(state, deliver)
        await self._pending.finish(batch, answered)
        self._fail(awaited - answered, failures, _describe_silence(state))

    def _take_refusal(
        self, batch: PendingBatch, state: BatchState, lines: Sequence[BatchLine]
    ) -> None:
        if not lines:
            words = "an earlier batch was refused"
            self._fail(batch.keys, {}, Failure(Fault.RETRY, words, may_be_billed=False))
        elif state.is_crowded_out and (self._under_way or len(lines) > 1):
            self._make_way(lines)
        else:
            raise self._life.refuse(state)

    def _make_way(self, lines: Sequence[BatchLine]) -> None:
        """Put the prompts of a batch that found no room into smaller or later ones."""
        if not self._under_way:
            self._gatherer.shrink(len(lines))
        _LOG.info("teacher: no room for a batch of %d prompts yet", len(lines))
        for line in lines:
            self._gatherer.add(line)

    def _deliver(self, key: str, outcome: Answer | Failure) -> None:
        line = self._lines.get(key)
        if line is not None and not line.end.done():
            line.end.set_result(outcome)

    def _fail(self, keys: Iterable[str], failures: dict[str, Failure], otherwise: Failure) -> None:
        for key in keys:
            # After a restart a later batch may hold what an earlier one did not answer.
            if not self._pending.holds(key):
                self._deliver(key, failures.get(key, otherwise))


def _make_line(key: str, request: bytes, dialect: Dialect) -> BatchLine:
    return BatchLine(key, request, dialect, asyncio.get_running_loop().create_future())


def _describe_silence(state: BatchState) -> Failure:
    words = f"batch {state.id} ended as {state.status} without a line for the prompt"
    return Failure(Fault.RETRY, words, may_be_billed=not state.is_cut_short)
