"""Ask a teacher through the Batch API: half the price, answers within a day.

The same interface as the live client, the same bodies, the same reading of answers. Prompts that
are asked together become one batch, and each waits until its batch has ended. It holds that

- a prompt in a batch is not submitted again while that batch may answer it, not after a restart
  and not after a lost reply either (``batch_pending`` says how);
- what a batch answered is kept, however it ended, and the rest is submitted again;
- closing leaves batches running at the endpoint, and the same command picks them up.

What an earlier process submitted reserves nothing now: where there is a cap, its worst case stayed
counted when that process ended. Cost: three requests to submit a batch, polls at growing distances,
and memory for the prompts and unclaimed answers under way, about 5 kB each.
"""

import asyncio
import logging
import time
from types import TracebackType
from typing import NamedTuple, Self

from pipeline.generation.batch.api import BatchApi
from pipeline.generation.batch.gathering import MOST_PROMPTS, BatchLine
from pipeline.generation.batch.life import BatchLife, NoBatchApiError
from pipeline.generation.batch.lines import write_line
from pipeline.generation.batch.pending import PendingBatches
from pipeline.generation.batch.runs import BatchRuns
from pipeline.generation.budget.budget import Budget, Reservation
from pipeline.generation.journal.journal import Journal
from pipeline.generation.teacher.answers import Answer, Failure, Fault
from pipeline.generation.teacher.bodies import Dialect, Lesson, learn, write_body
from pipeline.generation.teacher.endings import find_end
from pipeline.generation.teacher.waiting import Clock
from schemas.exchange import Completion, Prompt

_LOG = logging.getLogger(__name__)


class _Place(NamedTuple):
    """A prompt in a batch."""

    line: BatchLine
    reservation: Reservation | None
    """None for a prompt that another caller or an earlier process has submitted."""


class BatchTeacher:
    """A model behind an OpenAI-compatible endpoint with a Batch API.

    Belongs to the event loop of its first request; close it there, before the journal.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        *,
        journal: Journal,
        poll_s: float = 15.0,
        gather_s: float = 0.2,
        most_prompts: int = MOST_PROMPTS,
        timeout_s: float = 600.0,
        max_attempts: int = 6,
        clock: Clock | None = None,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            base_url: Address ending in ``/v1``.
            model: Name as the endpoint knows it.
            api_key: Empty for endpoints that want none.
            journal: Remembers batches under way, and knows which answers have been written.
            poll_s: First wait between two polls and after a failed request; it grows twentyfold.
            gather_s: Seconds without a new prompt after which a batch goes off.
            most_prompts: In one batch.
            timeout_s: Patience with one request, the upload of 100 MB included.
            max_attempts: Batches that one prompt may be part of without an answer, and failures in
                a row of one request, before the run gives up.
            clock: By which it waits for the endpoint.
        """
        self.model = model
        self._where = f"The teacher {model!r} at {base_url.rstrip('/')}"
        self._max_attempts = max_attempts
        self._dialect = Dialect()
        clock = clock or Clock()
        self._api = BatchApi(base_url.rstrip("/"), api_key, timeout_s, clock)
        pending = PendingBatches(journal, model)
        life = BatchLife(
            self._api,
            pending,
            where=self._where,
            poll_s=poll_s,
            max_attempts=max_attempts,
            clock=clock,
        )
        self._runs = BatchRuns(life, pending, gather_s, most_prompts)

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Ask one prompt in a batch with others; takes minutes to a day.

        Args:
            prompt: With messages; raw text cannot be batched.
            budget: Asked before each submission; its price is the one of batches, half the live
                one, as whoever builds it knows.

        Raises:
            NoBatchApiError: The endpoint has no Batch API, or the prompt is raw text.
            LostBatchError: It may have been paid for, in a batch that the endpoint does not know.
            TeacherRefusedError: At once, and from then on for every prompt.
            TeacherUnreachableError: Nothing has ever answered at the address.
            TeacherFailedError: No answer in ``max_attempts`` batches.
            BudgetSpentError: The budget has no room for another submission, or no time to wait.
        """
        if prompt.raw:
            raise NoBatchApiError(
                f"The strategy {prompt.strategy!r} needs raw text continued, which batches do not "
                "do. Use transport live, or leave the strategy out."
            )
        started_at = time.monotonic()
        await self._runs.pick_up()
        submissions = failures = 0
        while True:
            place = await self._submit(prompt, budget)
            outcome = await self._wait(place, prompt, budget)
            is_ours = place.reservation is not None
            submissions += is_ours and outcome is not None
            if isinstance(outcome, Answer):
                latency_s = time.monotonic() - started_at
                return self._to_completion(prompt, outcome, latency_s, max(submissions, 1))
            # What another caller or process asked says nothing about what is asked now.
            if outcome is not None and is_ours:
                failures += self._judge(prompt, place.line, outcome, failures + 1)

    async def close(self) -> None:
        """Stop waiting; batches under way go on at the endpoint."""
        try:
            await self._runs.close()
        finally:
            await self._api.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _submit(self, prompt: Prompt, budget: Budget) -> _Place:
        """Find the prompt in a batch under way, or put it into the next one."""
        key = prompt.key(self.model)
        line = self._runs.find(key)
        if line is not None:
            return _Place(line, None)
        reservation = await budget.reserve(prompt)
        try:
            line = self._runs.find(key)  # another may have asked the same meanwhile
            if line is None:
                request = write_line(key, write_body(self.model, prompt, self._dialect))
                return _Place(self._runs.add(key, request, self._dialect), reservation)
        except BaseException:
            reservation.withdraw()
            raise
        reservation.withdraw()
        return _Place(line, None)

    async def _wait(self, place: _Place, prompt: Prompt, budget: Budget) -> Answer | Failure | None:
        """Wait for what becomes of a line; None when it was withdrawn."""
        end = place.line.end
        try:
            while not end.done():
                # Not the future itself: others may wait for it when this caller is cancelled.
                await asyncio.wait([end], timeout=budget.seconds_left)
                if budget.seconds_left == 0 and not end.done():
                    await budget.reserve(prompt)  # raises, with the words for a run out of time
        finally:
            if place.reservation is not None:
                self._close(place.line, place.reservation)
        self._runs.forget(place.line)
        return None if end.cancelled() else end.result()

    def _close(self, line: BatchLine, reservation: Reservation) -> None:
        """Count what a line took, or may come to take when nobody waits for it any more."""
        if line.end.cancelled() or self._runs.withdraw(line):
            reservation.withdraw()
        elif not line.end.done():
            reservation.forfeit()
        elif line.end.exception() is not None:
            is_lost = self._runs.is_submitted(line.key)
            reservation.forfeit() if is_lost else reservation.withdraw()
        else:
            _settle(reservation, line.end.result())

    def _judge(self, prompt: Prompt, line: BatchLine, failure: Failure, failures: int) -> bool:
        """Tell whether a failure counts against the prompt, or raise what ends the run."""
        if failure.fault is Fault.PARAMETER:
            lesson = learn(line.dialect, prompt, failure)
            if lesson is not None:
                self._adopt(lesson, failure)
                return False
        end = find_end(
            failure,
            where=self._where,
            failures=failures,
            max_attempts=self._max_attempts,
            was_reached=True,
        )
        if end is not None:
            self._runs.end(end)
            raise end
        _LOG.info("teacher: %s; asking again in another batch", failure.words)
        return True

    def _adopt(self, lesson: Lesson, refusal: Failure) -> None:
        joined = self._dialect.join(lesson.dialect)
        if joined != self._dialect:  # else another prompt of the batch has taught it before
            self._dialect = joined
            self._runs.withdraw_all()  # those that wait are written anew
            _LOG.warning("teacher: %s; leaving out %s", refusal.words, lesson.given_up)

    def _to_completion(
        self, prompt: Prompt, answer: Answer, latency_s: float, attempts: int
    ) -> Completion:
        return Completion(
            id=prompt.key(self.model),
            model=self.model,
            text=answer.text,
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            latency_s=latency_s,
            attempts=attempts,
        )


def _settle(reservation: Reservation, outcome: Answer | Failure) -> None:
    if isinstance(outcome, Answer) and outcome.is_counted:
        reservation.settle(outcome.usage)
    elif isinstance(outcome, Answer) or outcome.may_be_billed:
        reservation.forfeit()  # no cap may rest on an endpoint that does not count
    else:
        reservation.release()
