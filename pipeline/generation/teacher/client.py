"""Ask a teacher at one address over the OpenAI protocol, as fast as it allows and no faster.

A request takes a slot (``concurrency``) and is sent (``endpoint``); a prompt that waits to be asked
again (``retries``) holds no slot, and takes the next that is free.
"""

import logging
from types import TracebackType
from typing import Self

from pipeline.generation.budget.budget import Budget
from pipeline.generation.teacher.endpoint import Miss, TeacherEndpoint
from pipeline.generation.teacher.rate_limits import Caps
from pipeline.generation.teacher.retries import Asking, Retries
from pipeline.generation.teacher.waiting import Clock, sleep_within
from schemas.exchange import Completion, Prompt

_LOG = logging.getLogger(__name__)


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
        may_come_back: bool = True,
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
            may_come_back: False for a server that is a child of this process: when nothing listens
                any more it has died, and waiting for it would be in vain.
            clock: Time to wait by.
        """
        self.model = model
        self._clock = clock or Clock()
        self._endpoint = TeacherEndpoint(
            base_url,
            model,
            api_key,
            concurrency=concurrency,
            caps=Caps(requests_per_minute, tokens_per_minute),
            timeout_s=timeout_s,
            clock=self._clock,
        )
        self._retries = Retries(
            self._endpoint.where, max_attempts, self._clock.now, may_come_back=may_come_back
        )

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
            await self._endpoint.limit.acquire(is_urgent=asking.requests > 0)
            try:
                outcome = await self._ask(asking, budget)
            finally:
                self._endpoint.limit.release()
            if isinstance(outcome, Completion):
                return outcome
            await sleep_within(outcome, budget.seconds_left, self._clock)

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()

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
        if self._retries.end is not None:
            raise self._retries.end
        outcome = await self._endpoint.ask(asking, budget, lambda: self._retries.end is None)
        if isinstance(outcome, Completion):
            self._retries.note_answer()
            return outcome
        return 0.0 if outcome is None else self._take_miss(asking, outcome)

    def _take_miss(self, asking: Asking, miss: Miss) -> float:
        """Return the seconds to wait before asking again, or raise what ends the run."""
        wait = self._retries.find_wait(asking, miss.failure, miss.sent_at)
        self._endpoint.rates.pause(wait.shared_s)
        _LOG.info("teacher: %s; asking again in %.1f s", miss.failure.words, wait.own_s)
        return wait.own_s
