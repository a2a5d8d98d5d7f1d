"""Ask a teacher that several endpoints serve, by weight, and go on without those that fail.

Each endpoint has its own slots, pauses, patience and dialect (``endpoint``); a request goes where
there is most room for the weight (``shares``), and what one does not answer is put to another. An
endpoint that cannot be connected to, or has failed three times in a row, is set aside, looked at
again (``GET /models``, which costs nothing) after pauses that double up to a minute, and taken back
when it answers. Only when none is left does the run end. Which endpoint answered is part of no key
in the journal, so that another set of them, or another order of answers, changes no record.

A refusal (key, model, parameter, credit) ends the run as long as that endpoint has never answered:
it is a mistake in the settings, and somebody is there to see it. From one that has answered before
it is a change of the endpoint's: it stays aside for the rest of the run, and people are told.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence

from pipeline.generation.budget.budget import Budget
from pipeline.generation.teacher.endings import describe_unanswered, is_refusal
from pipeline.generation.teacher.endpoint import Miss
from pipeline.generation.teacher.endpoint_list import ListedEndpoint
from pipeline.generation.teacher.member import Member
from pipeline.generation.teacher.rate_limits import Caps
from pipeline.generation.teacher.retries import Asking, draw_delay
from pipeline.generation.teacher.shares import Shares
from pipeline.generation.teacher.waiting import Clock, sleep_within
from pipeline.generation.teacher.watch import Watch
from schemas.exchange import Completion, Prompt

_LOG = logging.getLogger(__name__)


class TeacherPool:
    """A model behind several endpoints; belongs to the event loop of its first request."""

    def __init__(
        self,
        endpoints: Sequence[ListedEndpoint],
        model: str,
        *,
        concurrency: int,
        tell: Callable[[str], None],
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        timeout_s: float = 600.0,
        max_attempts: int = 6,
        clock: Clock | None = None,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            endpoints: At least one, none twice.
            model: Name as all of them know it.
            concurrency: Requests under way at all of them together, at most.
            tell: Takes a line for people; called in the event loop.
            requests_per_minute: Cap for all together, of which each has the part of its weight.
            tokens_per_minute: Likewise.
            timeout_s: As for ``Teacher``.
            max_attempts: Requests for one prompt that fail before the run gives up, beside one for
                each further endpoint.
            clock: Time to wait by.
        """
        self.model = model
        self._clock = clock or Clock()
        caps = Caps(requests_per_minute, tokens_per_minute)
        total = sum(one.weight for one in endpoints)
        self._members = [
            Member(
                one,
                model,
                concurrency=concurrency,
                caps=caps.share(one.weight / total),
                timeout_s=timeout_s,
                clock=self._clock,
            )
            for one in endpoints
        ]
        self._shares = Shares(self._members, concurrency, self._clock)
        self._watch = Watch(self._members, self._shares, model, tell, self._clock)
        self._where = f"The teacher {model!r} at {len(self._members)} endpoints"
        self._max_attempts = max_attempts + len(self._members) - 1
        # Its jitter only spreads requests over time; nothing that is kept depends on it.
        self._jitter = random.Random()  # noqa: S311

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Ask one prompt, at one endpoint after the other where that may help.

        Raises:
            TeacherRefusedError: An endpoint that has never answered refuses, or all do.
            RawCompletionsMissingError: An endpoint cannot continue raw text.
            ModelsDifferError: Endpoints serve different models under the name.
            TeacherUnreachableError: No endpoint has ever answered.
            TeacherFailedError: None answers any more, or none this prompt.
            BudgetSpentError: The budget has no room for another request.
        """
        await self._watch.begin()
        asking = Asking(prompt)
        failed: Counter[Member] = Counter()
        while True:
            member = await self._take(asking, failed, budget)
            if member is None:
                continue
            try:
                outcome = await self._ask(member, asking, failed, budget)
            finally:
                self._shares.release(member)
            if isinstance(outcome, Completion):
                return outcome
            await sleep_within(outcome, budget.seconds_left, self._clock)

    async def close(self) -> None:
        """Look at no endpoint any more, and close the connections."""
        self._shares.close()
        await self._watch.close()
        for member in self._members:
            await member.endpoint.close()

    async def _take(self, asking: Asking, failed: Counter[Member], budget: Budget) -> Member | None:
        """Wait for a slot; None when the run's time is up, of which the budget tells."""
        try:
            async with asyncio.timeout(budget.seconds_left):
                return await self._shares.acquire(failed, is_urgent=asking.requests > 0)
        except TimeoutError:
            (await budget.reserve(asking.prompt)).withdraw()
            return None

    async def _ask(
        self, member: Member, asking: Asking, failed: Counter[Member], budget: Budget
    ) -> Completion | float:
        """Send one request; return the answer, or the seconds to wait before the next."""

        def goes_on() -> bool:
            is_paused = member.rates.pause_s > 0 and self._shares.has_other(member)
            return self._watch.end is None and member.is_open and not is_paused

        outcome = await member.endpoint.ask(asking, budget, goes_on)
        if isinstance(outcome, Completion):
            self._watch.note_answer(member, asking.prompt)
            return outcome
        return 0.0 if outcome is None else self._take_miss(member, asking, failed, outcome)

    def _take_miss(
        self, member: Member, asking: Asking, failed: Counter[Member], miss: Miss
    ) -> float:
        """Return the seconds to wait before asking again, or raise what ends the run."""
        failure = miss.failure
        self._watch.note_miss(member, miss)
        if not (failure.fault.is_of_all or is_refusal(failure)):
            asking.failures += 1
            failed[member] += 1
            if asking.failures >= self._max_attempts:
                self._watch.give_up(describe_unanswered(failure, self._where, asking.failures))
        if self._watch.end is not None:
            raise self._watch.end
        # Nobody waits before the first request to another endpoint.
        rounds = min((failed[one] for one in self._members if one.is_usable), default=0)
        seconds = draw_delay(rounds, self._jitter) if rounds else 0.0
        _LOG.info("teacher: %s: %s; asking again in %.1f s", member.url, failure.words, seconds)
        return seconds
