"""Put conversations to the teacher side by side; each answer is journaled before anyone sees it."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import BudgetSpentError
from pipeline.generation.journal.commits import GroupCommits
from schemas.exchange import Completion, Prompt


class Endpoint(Protocol):
    """What answers prompts: a live teacher, its Batch API, or a script."""

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Answer one prompt, reserving each request sent; bounds its own concurrency."""
        ...

    async def close(self) -> None:
        """Let go of connections; called in the loop that asked."""
        ...


class Dialogue(Protocol):
    """What is asked wave after wave: a strategy's conversation, or one question."""

    asking: list[Prompt]
    """Prompts of the wave to answer next; empty when all is answered."""
    known: list[Completion | None]
    """Answers to ``asking`` that the journal had; empty when it was not asked."""

    def answer(self, completions: Sequence[Completion]) -> None:
        """Take the answers to the whole wave, in its order, and ask on."""
        ...


class Dispatcher:
    """Lives in one event loop; all its methods are called there."""

    def __init__(self, endpoint: Endpoint, commits: GroupCommits, budget: Budget) -> None:
        self._endpoint = endpoint
        self._commits = commits
        self._budget = budget
        self._tasks: set[asyncio.Task[None]] = set()
        self.budget_end: BudgetSpentError | None = None
        """The first cap that left no room; read by other threads."""

    async def hold(self, conversations: Sequence[Dialogue]) -> None:
        """Carry conversations on until they are complete, or as far as the budget reaches.

        The first failure cancels the other conversations of the call and is raised.
        """
        tasks = [asyncio.create_task(self._hold(one)) for one in conversations]
        self._tasks.update(tasks)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks.difference_update(tasks)
        failures = [outcome for outcome in outcomes if outcome is not None]
        if failures:
            # What failed first cancelled the rest, so a cancellation is never the cause.
            raise next((f for f in failures if isinstance(f, Exception)), failures[0])

    async def close(self) -> None:
        """Cancel what is under way, write what has arrived, close the endpoint."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._commits.flush()
            await self._budget.close()
        finally:
            await self._endpoint.close()

    async def _hold(self, conversation: Dialogue) -> None:
        try:
            while conversation.asking:
                conversation.answer(await self._answer_wave(conversation))
        except BudgetSpentError as error:
            self.budget_end = self.budget_end or error

    async def _answer_wave(self, conversation: Dialogue) -> list[Completion]:
        prompts = conversation.asking
        if len(prompts) == 1:
            return [await self._ask(prompts[0])]
        known = conversation.known or [None] * len(prompts)
        missing = [prompt for prompt, answer in zip(prompts, known, strict=True) if answer is None]
        # Each is awaited even when one fails: an answer under way may be paid for already.
        asked = await asyncio.gather(*map(self._ask, missing), return_exceptions=True)
        answers = iter(asked)
        return [answer or _value_of(next(answers)) for answer in known]

    async def _ask(self, prompt: Prompt) -> Completion:
        completion = await self._endpoint.complete(prompt, self._budget)
        await self._commits.put(prompt, completion)
        return completion


def _value_of(outcome: Completion | BaseException) -> Completion:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
