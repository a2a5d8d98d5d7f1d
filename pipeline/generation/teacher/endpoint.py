"""One address that answers for a teacher: what it allows and understands, a request at a time.

A request passes, in this order: the budget (its worst case is reserved) and the gate
(``rate_limits``: caps a minute, and pauses that an endpoint asks for). How it is asked may change
with what the endpoint refuses (``bodies``), how long it is waited for with what came before
(``timeouts``); the answers depend on neither. What a failure means for the run is for others to
decide: ``client`` with one endpoint, ``pool`` with several.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from pipeline.generation.budget.budget import Budget, Reservation
from pipeline.generation.teacher.answers import Answer, Failure, Fault
from pipeline.generation.teacher.bodies import Dialect, write_body
from pipeline.generation.teacher.concurrency import AdaptiveLimit
from pipeline.generation.teacher.connection import Connection
from pipeline.generation.teacher.endings import describe_missing_raw
from pipeline.generation.teacher.paths import ApiPath
from pipeline.generation.teacher.rate_limits import Caps, RateLimits, TokenClaim, estimate_tokens
from pipeline.generation.teacher.retries import Asking
from pipeline.generation.teacher.timeouts import LearntTimeout
from pipeline.generation.teacher.waiting import Clock
from schemas.exchange import Completion, Prompt


class Miss(NamedTuple):
    """A request that brought no answer, and can do no better by another wording."""

    failure: Failure
    sent_at: float


class _Sent(NamedTuple):
    """What was true when a request went out."""

    dialect: Dialect
    epoch: int
    at: float
    claim: TokenClaim


class TeacherEndpoint:
    """A model behind one OpenAI-compatible address; belongs to the event loop of its first request.

    Whoever asks takes a slot of ``limit`` before, and gives it back after.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str,
        *,
        concurrency: int,
        caps: Caps,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        """Prepare to ask; the arguments are those of ``Teacher``."""
        self.connection = Connection(base_url, api_key, concurrency, clock)
        self.limit = AdaptiveLimit(concurrency)
        self.rates = RateLimits(caps, clock)
        self.where = f"The teacher {model!r} at {self.connection.base_url}"
        self._model = model
        self._clock = clock
        self._timeouts = LearntTimeout(timeout_s)
        self._most_patience_s = math.inf
        self._chat = ApiPath("/chat/completions")
        self._raw = ApiPath("/completions")

    async def ask(
        self, asking: Asking, budget: Budget, goes_on: Callable[[], bool]
    ) -> Completion | Miss | None:
        """Send one request.

        Args:
            asking: Its counts of requests and timeouts are kept.
            budget: Where the request is reserved.
            goes_on: Whether it is still to be sent; asked while it waits at the gate, and last
                right before it is sent.

        Returns:
            None where nothing was learnt about the endpoint and the prompt is to be asked again at
            once: another wording may do, the request was not sent, or the run's time was up.

        Raises:
            RawCompletionsMissingError: From the first prompt of raw text on, for each.
            BudgetSpentError: The budget has no room for another request.
        """
        path = self._raw if asking.prompt.raw else self._chat
        if path.end is not None:
            raise path.end
        reservation = await budget.reserve(asking.prompt)
        sent: _Sent | None = None
        try:
            sent = await self._pass_gate(asking.prompt, path, budget, goes_on)
            if sent is None:
                return None
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

    def find_patience(self, max_tokens: int) -> float:
        """Return the seconds that an answer of so many tokens is waited for."""
        return min(self._timeouts.find(max_tokens), self._most_patience_s)

    def hurry(self, seconds: float) -> None:
        """Wait no longer than so for an answer, those under way included, until there is one."""
        self._most_patience_s = seconds
        self.connection.hurry(seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self.connection.close()

    async def _pass_gate(
        self, prompt: Prompt, path: ApiPath, budget: Budget, goes_on: Callable[[], bool]
    ) -> _Sent | None:
        """Wait until a request may go out; None when that has lost its sense."""

        def may_go() -> bool:
            return path.end is None and budget.seconds_left != 0 and goes_on()

        tokens = estimate_tokens(prompt) if self.rates.counts_tokens else 0
        claim = await self.rates.pass_through(tokens, may_go)
        if claim is None or not may_go():
            return None
        return _Sent(path.dialect, self.limit.epoch, self._clock.now(), claim)

    async def _post(
        self, asking: Asking, path: ApiPath, sent: _Sent, seconds_left: float | None
    ) -> Answer | Failure:
        asking.requests += 1
        prompt = asking.prompt
        learnt_s = self._timeouts.find(prompt.decoding.max_tokens, asking.timeouts)
        patience_s = min(learnt_s, self._most_patience_s)
        reply = await self.connection.post(
            path.path,
            write_body(self._model, prompt, sent.dialect),
            patience_s if seconds_left is None else min(patience_s, seconds_left),
        )
        self.rates.pause(reply.exhausted_s)
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
            self.rates.correct(sent.claim, outcome.prompt_tokens + outcome.completion_tokens)

    def _take_answer(
        self, asking: Asking, path: ApiPath, sent: _Sent, answer: Answer
    ) -> Completion:
        prompt = asking.prompt
        latency_s = self._clock.now() - sent.at
        self._most_patience_s = math.inf
        self.limit.grow(sent.epoch)
        self._timeouts.observe(latency_s, prompt.decoding.max_tokens)
        path.check_format(sent.dialect, prompt, answer)
        return Completion(
            id=prompt.key(self._model),
            model=self._model,
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
    ) -> Miss | None:
        prompt = asking.prompt
        if failure.fault is Fault.PARAMETER and path.learn(sent.dialect, prompt, failure):
            return None
        if failure.fault is Fault.ABSENT and path is self._raw:
            path.end = describe_missing_raw(failure, where=self.where, strategy=prompt.strategy)
            raise path.end
        if failure.fault is Fault.TIMEOUT:
            if seconds_left == 0:
                return None  # the run's time was up, which says nothing about the endpoint
            asking.timeouts += 1
            self._timeouts.observe(self._clock.now() - sent.at, prompt.decoding.max_tokens)
        if failure.fault.is_of_all or failure.fault is Fault.TIMEOUT:
            self.limit.shrink(sent.epoch)
        return Miss(failure, sent.at)
