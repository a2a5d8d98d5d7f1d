"""Batches under way: prompts go in, and what became of each comes out of its future.

A batch that the endpoint turns away because its queue is full costs nothing and is no prompt's
fault. So that it can be told why, a batch goes off only when the endpoint has taken or refused the
one before. Where another was under way at that time, the prompts wait until one has ended; where
there was none, they go off in batches of half the size, and a single one is tried a few times.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Sequence
from operator import attrgetter

from pipeline.generation.batch.gathering import BatchLine, Gatherer
from pipeline.generation.batch.life import BatchLife, LostBatchError
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
        self._one_has_ended = asyncio.Event()
        self._turned_away = 0
        """Batches of one prompt in a row that found no room, with no other under way."""
        self._lost: dict[str, LostBatchError] = {}
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
            LostBatchError: It may have been paid for, in a batch that cannot be found.
        """
        if self._end is not None:
            raise self._end
        line = self._lines.get(key)
        if line is None and key in self._lost:
            raise self._lost[key]
        return line

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

    def withdraw_all(self) -> None:
        """Take back what has not gone off; whoever waits for it asks again."""
        for line in self._gatherer.list_lines():
            self.withdraw(line)

    def forget(self, line: BatchLine) -> None:
        """Drop a line whose end has been fetched."""
        if self._lines.get(line.key) is line:
            del self._lines[line.key]

    def is_submitted(self, key: str) -> bool:
        """Tell whether a batch with this prompt may be at the endpoint."""
        return key in self._lost or self._pending.holds(key)

    def end(self, error: Exception) -> None:
        """Let everybody who waits, now or later, know why nothing will come."""
        self._end = self._end or error
        for line in self._lines.values():
            if not line.end.done():
                _break_off(line, self._end)

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
            self._under_way.add(batch.id)
            self._start(self._follow(batch, ()))

    async def _send(self, lines: list[BatchLine], is_pilot: bool) -> None:
        awaited = [line for line in lines if not line.end.done()]
        if awaited:
            await self._guard(self._submit(awaited, is_pilot))

    def _start(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guard(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - every failure belongs to those who wait
            self.end(error)

    async def _submit(self, lines: Sequence[BatchLine], is_pilot: bool) -> None:
        """Submit a batch, and return when the next one may go off."""
        is_alone = not self._under_way
        self._one_has_ended.clear()
        batch = await self._life.submit(lines)
        self._under_way.add(batch.id)
        state = await self._life.follow(batch, attrgetter("is_judged"))
        if state.is_crowded_out:
            self._under_way.discard(batch.id)
            await self._pending.remove(batch)
            await self._make_way(lines, state, is_alone)
            return
        self._turned_away = 0
        following = self._start(self._follow(batch, lines))
        if is_pilot:
            await asyncio.wait([following])

    async def _make_way(
        self, lines: Sequence[BatchLine], state: BatchState, is_alone: bool
    ) -> None:
        """Put the prompts of a batch that found no room into smaller or later ones."""
        _LOG.info("teacher: no room for a batch of %d prompts yet", len(lines))
        for line in lines:
            self._gatherer.add(line)
        if not is_alone:
            await self._one_has_ended.wait()
        elif len(lines) > 1:
            self._gatherer.shrink(len(lines))
        else:
            self._turned_away += 1
            await self._life.wait_for_room(state, self._turned_away)

    async def _follow(self, batch: PendingBatch, lines: Sequence[BatchLine]) -> None:
        """Follow a batch to its end and hand out what it brought.

        Args:
            batch: In the journal, and under way.
            lines: Its prompts; empty when an earlier process submitted it.
        """
        try:
            state = await self._life.follow(batch)
            self._note_end(batch)
            if state.is_refused:
                await self._pending.remove(batch)
                self._take_refusal(batch, state, lines)
            else:
                answered = await self._hand_out(batch, state)
                if lines and answered:
                    self._gatherer.prove()
        except LostBatchError as error:
            self._note_end(batch)
            self._lose(batch, error)

    def _note_end(self, batch: PendingBatch) -> None:
        self._under_way.discard(batch.id)
        self._one_has_ended.set()

    def _lose(self, batch: PendingBatch, error: LostBatchError) -> None:
        """Let nobody have a prompt that may have been paid for, and leave the others alone."""
        self._pending.lose(batch)
        _LOG.warning("teacher: %s", error)
        for key in batch.keys:
            line = self._lines.get(key)
            # A later batch may hold what this one had not answered.
            if self._pending.holds(key) or (line is not None and line.end.done()):
                continue
            self._lost[key] = error
            if line is not None:
                _break_off(line, error)

    async def _hand_out(self, batch: PendingBatch, state: BatchState) -> set[str]:
        """Tell everybody who waits, and return the keys of the answers."""
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
        return answered

    def _take_refusal(
        self, batch: PendingBatch, state: BatchState, lines: Sequence[BatchLine]
    ) -> None:
        if lines and not state.is_crowded_out:
            raise self._life.refuse(state)
        words = f"batch {batch.id} was refused"
        self._fail(batch.keys, {}, Failure(Fault.RETRY, words, may_be_billed=False))

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


def _break_off(line: BatchLine, error: Exception) -> None:
    line.end.set_exception(error)
    line.end.exception()  # marks it as seen, for lines that nobody waits for


def _describe_silence(state: BatchState) -> Failure:
    words = f"batch {state.id} ended as {state.status} without a line for the prompt"
    return Failure(Fault.RETRY, words, may_be_billed=not state.is_cut_short)
