"""Ask a teacher over the OpenAI protocol, as fast as it allows and no faster.

A request passes, in this order: a slot (``concurrency``), the budget (its worst case is reserved),
and the gate (``rate_limits``: caps a minute, and pauses that an endpoint asks for). A prompt that
waits to be asked again holds no slot, and takes the next that is free. How it is asked may change
with what the endpoint refuses (``bodies``), how long it is waited for with what came before
(``timeouts``); the answers depend on neither.
"""

import logging
from types import TracebackType
from typing import NamedTuple, Self

from pipeline.generation.budget.budget import Budget, Reservation
from pipeline.generation.teacher.answers import Answer, Failure, Fault
from pipeline.generation.teacher.bodies import Dialect, write_body
from pipeline.generation.teacher.concurrency import AdaptiveLimit
from pipeline.generation.teacher.connection import Connection
from pipeline.generation.teacher.endings import describe_missing_raw
from pipeline.generation.teacher.paths import ApiPath
from pipeline.generation.teacher.rate_limits import Caps, RateLimits, TokenClaim, estimate_tokens
from pipeline.generation.teacher.retries import Asking, Retries
from pipeline.generation.teacher.timeouts import LearntTimeout
from pipeline.generation.teacher.waiting import Clock
from schemas.exchange import Completion, Prompt

_LOG = logging.getLogger(__name__)


class _Sent(NamedTuple):
    """What was true when a request went out."""

    dialect: Dialect
    epoch: int
    at: float
    claim: TokenClaim


class Teacher:
    """A model behind an OpenAI-compatible endpoint.

    Belongs to the event loop of its first request; close it there.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        *,
        concurrency: int,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        timeout_s: float = 600.0,
        max_attempts: int = 6,
        clock: Clock | None = None,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            base_url: Address ending in ``/v1``.
            model: Name as the endpoint knows it.
            api_key: Empty for local servers that want none.
            concurrency: Requests under way at once, at most; fewer while the endpoint is
                overloaded.
            requests_per_minute: Cap, for endpoints that do not tell their own.
            tokens_per_minute: Likewise, of prompts and answers together.
            timeout_s: Patience with one request until it is learnt how long answers take; from
                then on between a twentieth and three times as long.
            max_attempts: Requests for one prompt that fail before the run gives up. Refusals for
                overload do not count against a prompt: they end the run when nothing was answered
                for five minutes.
            clock: Time to wait by.
        """
        self.model = model
        self._clock = clock or Clock()
        self._connection = Connection(base_url, api_key, concurrency, self._clock)
        self._limit = AdaptiveLimit(concurrency)
        self._rates = RateLimits(Caps(requests_per_minute, tokens_per_minute), self._clock)
        self._timeouts = LearntTimeout(timeout_s)
        self._where = f"The teacher {model!r} at {self._connection.base_url}"
        self._retries = Retries(self._where, max_attempts, self._clock.now)
        self._chat = ApiPath("/chat/completions")
        self._raw = ApiPath("/completions")

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Ask one prompt, waiting and asking again where that may help.

        Raises:
            TeacherRefusedError: At once, and from then on for every prompt.
            RawCompletionsMissingError: Likewise, for every prompt of raw text.
            TeacherUnreachableError: Nothing has ever answered at the address.
            TeacherFailedError: No answer after ``max_attempts`` requests.
            BudgetSpentError: The budget has no room for another request.
        """
        asking = Asking(prompt)
        while True:
            await self._limit.acquire(is_urgent=asking.requests > 0)
            try:
                outcome = await self._ask(asking, budget)
            finally:
                self._limit.release()
            if isinstance(outcome, Completion):
                return outcome
            await self._sleep(outcome, budget)

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _ask(self, asking: Asking, budget: Budget) -> Completion | float:
        """Send one request; return the answer, or the seconds to wait before the next."""
        path = self._raw if asking.prompt.raw else self._chat
        self._check_end(path)
        reservation = await budget.reserve(asking.prompt)
        sent: _Sent | None = None
        try:
            sent = await self._pass_gate(asking.prompt, path, budget)
            if sent is None:
                return 0.0  # time is up, and the budget will say so
            outcome = await self._post(asking, path, sent, budget.seconds_left)
            self._count(outcome, reservation, sent)
            if isinstance(outcome, Answer):
                return self._take_answer(asking, path, sent, outcome)
            return self._take_failure(asking, path, sent, outcome, budget.seconds_left)
        finally:
            # What is counted already stays so; this is for what never went out or was cancelled.
            if sent is None:
                reservation.withdraw()
            else:
                reservation.forfeit()

    def _check_end(self, path: ApiPath) -> None:
        end = self._retries.end or path.end
        if end is not None:
            raise end

    async def _pass_gate(self, prompt: Prompt, path: ApiPath, budget: Budget) -> _Sent | None:
        """Wait until a request may go out; None when the run's time is up first."""

        def goes_on() -> bool:
            return (self._retries.end or path.end) is None and budget.seconds_left != 0

        tokens = estimate_tokens(prompt) if self._rates.counts_tokens else 0
        claim = await self._rates.pass_through(tokens, goes_on)
        self._check_end(path)
        if claim is None:
            return None
        return _Sent(path.dialect, self._limit.epoch, self._clock.now(), claim)

    async def _post(
        self, asking: Asking, path: ApiPath, sent: _Sent, seconds_left: float | None
    ) -> Answer | Failure:
        asking.requests += 1
        prompt = asking.prompt
        patience_s = self._timeouts.find(prompt.decoding.max_tokens, asking.timeouts)
        reply = await self._connection.post(
            path.path,
            write_body(self.model, prompt, sent.dialect),
            patience_s if seconds_left is None else min(patience_s, seconds_left),
        )
        self._rates.pause(reply.exhausted_s)
        return reply.outcome

    def _count(self, outcome: Answer | Failure, reservation: Reservation, sent: _Sent) -> None:
        """Tell the budget what a request took; what nobody counted or told is the worst case."""
        if isinstance(outcome, Failure):
            if outcome.fault is Fault.UNREACHABLE:
                reservation.withdraw()
            elif not outcome.may_be_billed:
                reservation.release()
        elif outcome.is_counted:
            reservation.settle(outcome.usage)
            self._rates.correct(sent.claim, outcome.prompt_tokens + outcome.completion_tokens)

    def _take_answer(
        self, asking: Asking, path: ApiPath, sent: _Sent, answer: Answer
    ) -> Completion:
        prompt = asking.prompt
        latency_s = self._clock.now() - sent.at
        self._limit.grow(sent.epoch)
        self._timeouts.observe(latency_s, prompt.decoding.max_tokens)
        self._retries.note_answer()
        path.check_format(sent.dialect, prompt, answer)
        return Completion(
            id=prompt.key(self.model),
            model=self.model,
            text=answer.text,
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            latency_s=latency_s,
            attempts=asking.requests,
        )

    def _take_failure(
        self,
        asking: Asking,
        path: ApiPath,
        sent: _Sent,
        failure: Failure,
        seconds_left: float | None,
    ) -> float:
        """Return the seconds to wait before asking again, or raise what ends the run."""
        prompt = asking.prompt
        if failure.fault is Fault.PARAMETER and path.learn(sent.dialect, prompt, failure):
            return 0.0
        if failure.fault is Fault.ABSENT and path is self._raw:
            path.end = describe_missing_raw(failure, where=self._where, strategy=prompt.strategy)
            raise path.end
        if failure.fault is Fault.TIMEOUT:
            if seconds_left == 0:
                return 0.0  # the run's time was up, which says nothing about the endpoint
            asking.timeouts += 1
            self._timeouts.observe(self._clock.now() - sent.at, prompt.decoding.max_tokens)
        if failure.fault.is_of_all or failure.fault is Fault.TIMEOUT:
            self._limit.shrink(sent.epoch)
        wait = self._retries.find_wait(asking, failure, sent.at)
        self._rates.pause(wait.shared_s)
        _LOG.info("teacher: %s; asking again in %.1f s", failure.words, wait.own_s)
        return wait.own_s

    async def _sleep(self, seconds: float, budget: Budget) -> None:
        """Wait, but not beyond the time that the run has left."""
        seconds_left = budget.seconds_left
        wait = seconds if seconds_left is None else min(seconds, seconds_left)
        if wait > 0:
            await self._clock.sleep(wait)
