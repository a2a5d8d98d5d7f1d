"""Who of several endpoints is asked: those that fail are set aside, looked at and taken back.

People are told of each change in one line, which names the address and never the key.
"""

import asyncio
import random
from collections.abc import Callable, Sequence

from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.endings import (
    describe_all_gone,
    describe_refusal,
    is_refusal,
)
from pipeline.generation.teacher.endpoint import Miss
from pipeline.generation.teacher.endpoint_list import LIST_NAME
from pipeline.generation.teacher.member import Member
from pipeline.generation.teacher.retries import PATIENCE_S, draw_delay
from pipeline.generation.teacher.served_models import ModelsDifferError, ServedModel, check_same
from pipeline.generation.teacher.shares import Shares
from pipeline.generation.teacher.timeouts import ENOUGH
from pipeline.generation.teacher.waiting import LONGEST_WAIT_S, Clock
from schemas.errors import PacaloomError
from schemas.exchange import Prompt

_LOOK_S = 20.0
"""Patience with a list of models, which no server computes anything for."""


class Watch:
    """Belongs to the event loop of the pool."""

    def __init__(
        self,
        members: Sequence[Member],
        shares: Shares[Member],
        model: str,
        tell: Callable[[str], None],
        clock: Clock,
    ) -> None:
        """Begin with all of them open, before anything was asked.

        Args:
            members: Of the pool.
            shares: Told of members that are back, and of the end.
            model: Name that is asked for.
            tell: Takes a line for people.
            clock: Time to wait by.
        """
        self._members = members
        self._shares = shares
        self._model = model
        self._tell = tell
        self._clock = clock
        self._is_begun = False
        self._beginning: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._silent_since: float | None = None
        """First failure after the latest answer of any."""
        # Its jitter only spreads requests over time; nothing that is kept depends on it.
        self._jitter = random.Random()  # noqa: S311
        self.end: PacaloomError | None = None
        """Why nothing is asked any more."""

    async def begin(self) -> None:
        """Look at all endpoints, once, before the first prompt is paid for.

        Raises:
            TeacherRefusedError: One of them refuses the key.
            TeacherUnreachableError: None of them can be reached.
            ModelsDifferError: They do not serve the same model.
        """
        if self._is_begun:
            return
        if self._beginning is None:
            self._beginning = asyncio.create_task(self._look_at_all())
        await asyncio.shield(self._beginning)

    async def close(self) -> None:
        """Look no more."""
        tasks = [*self._tasks, *([self._beginning] if self._beginning else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def note_answer(self, member: Member, prompt: Prompt) -> None:
        """Note that a prompt was answered.

        Once it is known how long that takes, endpoints that have answered nothing yet are waited
        for twice as long and no more: one that hangs would else hold its first prompts, and with
        them a round, for minutes.
        """
        self._silent_since = None
        member.note_answer()
        if member.answers == ENOUGH:
            patience_s = 2 * member.endpoint.find_patience(prompt.decoding.max_tokens)
            for other in self._members:
                if other.answers == 0:
                    other.endpoint.hurry(patience_s)

    def note_miss(self, member: Member, miss: Miss) -> None:
        """Find out what a failure means for its endpoint; ``end`` is set when it was the last."""
        failure = miss.failure
        if is_refusal(failure):
            self._refuse(member, failure)
            return
        self._note_silence()
        bursts = member.note_failure(failure, miss.sent_at)
        asked_s = failure.retry_after_s or 0.0
        if member.is_failing(failure, bursts) or asked_s > LONGEST_WAIT_S:
            self._set_aside(member, asked_s)
            return
        is_alone = not self._shares.has_other(member)
        if failure.fault is Fault.OVERLOADED and (bursts > 1 or is_alone):
            asked_s = max(asked_s, draw_delay(bursts, self._jitter))
        member.rates.pause(asked_s)

    def give_up(self, error: PacaloomError) -> None:
        """End the asking of everyone."""
        self.end = self.end or error
        self._shares.end(self.end)

    async def _look_at_all(self) -> None:
        looks = (member.endpoint.connection.list_models(_LOOK_S) for member in self._members)
        for member, found in zip(self._members, await asyncio.gather(*looks), strict=True):
            if not isinstance(found, Failure):
                member.was_reached = True
                member.served = found
            elif is_refusal(found):
                self._refuse(member, found)
            elif found.fault in (Fault.UNREACHABLE, Fault.TIMEOUT):
                member.words = found.words
                self._note_silence()
                self._set_aside(member)
            # Any other failure is left to the first requests.
        if self.end is not None:
            raise self.end
        doubt = check_same(self._model, {one.url: one.served for one in self._members})
        if doubt:
            self._tell(doubt)
        self._is_begun = True

    def _refuse(self, member: Member, failure: Failure) -> None:
        member.words = failure.words
        if member.is_new:
            self.give_up(describe_refusal(failure, member.endpoint.where, settings=LIST_NAME))
        elif not member.is_out:
            self._leave_out(member, f"refuses: {failure.words}")

    def _leave_out(self, member: Member, why: str) -> None:
        member.is_out = True
        member.leave()
        self._tell(
            f"Endpoint {member.url} {why}. It is left out for the rest of the run; "
            f"{self._count_open()} go on."
        )
        self._end_if_gone()

    def _set_aside(self, member: Member, asked_s: float = 0.0) -> None:
        if not member.is_open:
            return
        member.leave()
        seconds = member.find_absence(asked_s)
        self._tell(
            f"Endpoint {member.url} is set aside for {seconds:,.0f} s: {member.words}. "
            f"{self._count_open()} go on."
        )
        task = asyncio.create_task(self._bring_back(member, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._end_if_gone()

    async def _bring_back(self, member: Member, seconds: float) -> None:
        await self._clock.sleep(seconds)
        while self.end is None:
            found = await member.endpoint.connection.list_models(_LOOK_S)
            if member.is_out:
                # A request that was under way when it was set aside was refused meanwhile.
                return
            if not isinstance(found, Failure):
                self._take_back(member, found)
                return
            member.words = found.words
            if is_refusal(found):
                self._leave_out(member, f"refuses: {found.words}")
                return
            seconds = member.find_absence(found.retry_after_s or 0.0)
            self._end_if_gone()
            await self._clock.sleep(seconds)

    def _take_back(self, member: Member, served: tuple[ServedModel, ...]) -> None:
        others = {one.url: one.served for one in self._members if one.is_open}
        try:
            check_same(self._model, {member.url: served, **others})
        except ModelsDifferError:
            self._leave_out(member, "came back with another model")
            return
        away_s = self._clock.now() - member.away_since
        member.come_back(served)
        self._shares.grant()
        self._tell(
            f"Endpoint {member.url} answers again after {away_s:,.0f} s; {self._count_open()} "
            "go on."
        )

    def _note_silence(self) -> None:
        if self._silent_since is None:
            self._silent_since = self._clock.now()

    def _count_open(self) -> str:
        count = sum(member.is_open for member in self._members)
        return f"{count} of {len(self._members)} endpoints"

    def _end_if_gone(self) -> None:
        """End the run when no endpoint is left, or none comes back in sensible time."""
        if self.end is not None or any(member.is_open for member in self._members):
            return
        now = self._clock.now()
        silent_s = 0.0 if self._silent_since is None else now - self._silent_since
        waits = [member.back_at - now for member in self._members if not member.is_out]
        is_over = silent_s >= PATIENCE_S or min(waits, default=0.0) > LONGEST_WAIT_S
        was_reached = any(member.was_reached for member in self._members)
        if not waits or is_over or not was_reached:
            words = {member.url: member.words for member in self._members}
            self.give_up(
                describe_all_gone(words, self._model, are_out=not waits, was_reached=was_reached)
            )
