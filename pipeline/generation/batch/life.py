"""The life of one batch at the endpoint: submitted, followed, read; every request persistent.

Waits grow by half from poll to poll up to twenty times the first, and the same waits lie between
attempts at anything that failed: who can wait a day for half the price can wait a minute for a
server to come back. Whatever ends the run leaves the batch at the endpoint and in the journal.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from pipeline.generation.batch.api import BatchApi
from pipeline.generation.batch.gathering import BatchLine
from pipeline.generation.batch.lines import EndedLine, read_line
from pipeline.generation.batch.pending import PendingBatches, find_intent, intend
from pipeline.generation.batch.state import BatchState, Upload
from pipeline.generation.journal.journal import PendingBatch
from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.endings import TeacherFailedError, TeacherRefusedError, find_end
from pipeline.generation.teacher.waiting import Clock
from schemas.errors import PacaloomError, UserError

_LOG = logging.getLogger(__name__)

_GROWTH = 1.5
_LONGEST_WAIT = 20
"""As a multiple of the first wait."""
_LATE_S = 90_000.0
"""25 hours: a batch asks for a window of 24, and its files take a while to be written."""

_REFUSALS = (Fault.ABSENT, Fault.REFUSED, Fault.PARAMETER, Fault.NO_CREDIT)

Told = TypeVar("Told")


class NoBatchApiError(UserError):
    """The endpoint cannot run batches, or not this prompt."""


class LostBatchError(UserError):
    """A batch that was paid for, or its answers, cannot be found at the endpoint."""


def _has_ended(state: BatchState) -> bool:
    return state.has_ended


class BatchLife:
    """What can be done with one batch; holds no state of any."""

    def __init__(
        self,
        api: BatchApi,
        pending: PendingBatches,
        *,
        where: str,
        poll_s: float,
        max_attempts: int,
        clock: Clock,
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            api: The requests.
            pending: Where batches are remembered.
            where: The teacher and its address, as the subject of a sentence.
            poll_s: First wait between two polls.
            max_attempts: Failures in a row of one request before the run ends.
            clock: By which it waits.
        """
        self._api = api
        self._pending = pending
        self._where = where
        self._poll_s = poll_s
        self._max_attempts = max_attempts
        self._clock = clock

    async def submit(self, lines: Sequence[BatchLine]) -> PendingBatch:
        """Upload prompts and start a batch of them; it is in the journal when this returns."""
        content = b"".join(line.request for line in lines)
        upload = await self._persist(lambda: self._api.upload(content))
        intent = intend(upload, self._pending.model, [line.key for line in lines])
        await self._pending.write(intent)
        state = await self._create(upload, intent)
        _LOG.info("teacher: batch %s of %d prompts submitted", state.id, len(lines))
        return await self._pending.confirm(intent, state.id)

    async def recover(self, batch: PendingBatch) -> PendingBatch | None:
        """Find what became of a batch of an earlier process; None when it was never created."""
        upload = find_intent(batch)
        if upload is None:
            return batch
        state = await self._find(upload)
        if state is None:  # a list may lag behind what was created a moment ago
            await self._clock.sleep(self._wait_s(1))
            state = await self._find(upload)
        if state is None:
            await self._pending.remove(batch)
            return None
        return await self._pending.confirm(batch, state.id)

    async def follow(
        self, batch: PendingBatch, is_enough: Callable[[BatchState], bool] = _has_ended
    ) -> BatchState:
        """Poll until a batch has ended, or has come as far as is enough.

        Raises:
            LostBatchError: The endpoint does not know it, and keeps saying so.
        """
        polls, failures, told = 0, 0, ""
        late_at: float | None = self._clock.now() + _LATE_S
        while True:
            outcome = await self._api.retrieve(batch.id)
            wait_s = self._wait_s(polls)
            polls += 1
            if isinstance(outcome, BatchState):
                failures = 0
                progress = outcome.describe_progress()
                if progress != told:
                    _LOG.info("teacher: batch %s: %s", batch.id, progress)
                    told = progress
                if is_enough(outcome):
                    return outcome
                late_at = self._warn_if_late(outcome, late_at)
            else:
                failures += 1
                lost_s = self._decide_on_lost(outcome, failures, f"batch {batch.id}")
                wait_s = max(wait_s, lost_s)
            await self._clock.sleep(wait_s)

    async def read(self, state: BatchState, deliver: Callable[[EndedLine], None]) -> None:
        """Read what an ended batch brought, line by line.

        Args:
            state: The batch.
            deliver: Told of each line as it comes; of some twice when the connection was cut.
        """
        for file_id in (state.output_file_id, state.error_file_id):
            if file_id:
                await self._read_file(file_id, deliver)

    async def wait_for_room(self, state: BatchState, refusals: int) -> None:
        """Wait before a batch of one prompt is sent again that found the queue full.

        Args:
            state: Of the refused batch.
            refusals: In a row, with no other batch of this run under way.

        Raises:
            TeacherFailedError: It was tried often enough: others fill the queue.
        """
        if refusals >= self._max_attempts:
            raise self.refuse(state)
        await self._clock.sleep(self._wait_s(refusals))

    def refuse(self, state: BatchState) -> PacaloomError:
        """Make the error for a batch that the endpoint refused as a whole."""
        words = state.describe_errors(self._api.key_mask.in_error)
        if state.is_crowded_out:
            return TeacherFailedError(
                f"{self._where} has no room in its queue for a batch of one prompt: {words}. Run "
                "the same command again when other batches of the account have ended."
            )
        return TeacherRefusedError(
            f"{self._where} refuses batch {state.id}: {words}. Nothing of it ran. Change what it "
            "names and run the same command again."
        )

    def _warn_if_late(self, state: BatchState, late_at: float | None) -> float | None:
        """Warn once, so that nobody waits unknowing; return when to do so, None afterwards."""
        if late_at is None or self._clock.now() < late_at:
            return late_at
        _LOG.warning(
            "teacher: batch %s should have ended after 24 hours and is still %r. If it is stuck, "
            "cancel it at the endpoint: its answers are kept and the rest is asked again.",
            state.id,
            state.status,
        )
        return None

    async def _create(self, upload: Upload, intent: PendingBatch) -> BatchState:
        attempts = 0
        while True:
            attempts += 1
            outcome = await self._api.create(upload.id)
            if isinstance(outcome, BatchState):
                return outcome
            if outcome.fault in _REFUSALS and attempts == 1:
                # A later refusal may follow a batch that was created, with the reply lost.
                await self._pending.remove(intent)
            await self._clock.sleep(self._decide(outcome, attempts))
            found = await self._find(upload)
            if found is not None:
                return found

    async def _find(self, upload: Upload) -> BatchState | None:
        return await self._persist(lambda: self._api.find(upload))

    async def _read_file(self, file_id: str, deliver: Callable[[EndedLine], None]) -> None:
        attempts = 0
        while True:
            attempts += 1
            failure, unreadable = None, 0
            async with aclosing(self._api.read_lines(file_id)) as lines:
                async for line in lines:
                    if isinstance(line, Failure):
                        failure = line
                    elif (ended := read_line(line, self._api.key_mask.in_error)) is not None:
                        deliver(ended)
                    else:
                        unreadable += 1
            if failure is None and unreadable and attempts < self._max_attempts:
                failure = Failure(Fault.RETRY, f"{unreadable} lines of {file_id} are no JSON")
            if failure is None:
                return
            await self._clock.sleep(self._decide_on_lost(failure, attempts, f"its file {file_id}"))

    async def _persist(self, attempt: Callable[[], Awaitable[Told | Failure]]) -> Told:
        """Repeat a request that costs nothing until it brings something."""
        attempts = 0
        while True:
            attempts += 1
            told = await attempt()
            if not isinstance(told, Failure):
                return told
            await self._clock.sleep(self._decide(told, attempts))

    def _decide_on_lost(self, failure: Failure, attempts: int, what: str) -> float:
        """Like :meth:`_decide`, for things that were there: only their lasting absence counts."""
        if failure.fault is not Fault.ABSENT:
            return self._decide(failure, attempts)
        if attempts < self._max_attempts:  # just created, and not known everywhere yet
            return self._wait_s(attempts)
        raise LostBatchError(
            f"{self._where} does not know {what} any more: {failure.words}. Use the address and "
            "key with which it was submitted. If it is gone for good, transport live asks its "
            "prompts again, and they are paid for again; from then on batches can be used again."
        )

    def _decide(self, failure: Failure, attempts: int) -> float:
        """Return the seconds to wait before asking again, or raise what ends the run."""
        if failure.fault is Fault.ABSENT:
            raise NoBatchApiError(
                f"{self._where} has no Batch API: {failure.words}. Use transport live, or check "
                "OPENAI_BASE_URL."
            )
        end = find_end(
            failure,
            where=self._where,
            failures=attempts,
            max_attempts=attempts + 1,
            was_reached=self._api.was_reached,
        )
        if end is None and attempts >= self._max_attempts:
            end = TeacherFailedError(
                f"{self._where} failed {attempts} times in a row with its batches; the last said: "
                f"{failure.words}. Run the same command again to go on: what was submitted is "
                "kept there and will be picked up."
            )
        if end is not None:
            raise end
        return max(self._wait_s(attempts), failure.retry_after_s or 0.0)

    def _wait_s(self, waits: int) -> float:
        # Bounded before it is raised: a float overflows at the 1,751st poll.
        return self._poll_s * min(_GROWTH ** min(waits, _LONGEST_WAIT), _LONGEST_WAIT)
