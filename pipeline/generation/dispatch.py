"""Put prompts to the teacher concurrently; each answer is in the journal before anyone sees it."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from pipeline.generation.budget import Budget, BudgetSpentError
from pipeline.generation.commits import GroupCommits
from pipeline.generation.journal import Journal
from schemas.exchange import Completion, Prompt


class Endpoint(Protocol):
    """What answers prompts: :class:`pipeline.generation.client.Teacher`, or a scripted one."""

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Answer one prompt, reserving each request sent; bounds its own concurrency."""
        ...

    async def close(self) -> None:
        """Let go of connections; called in the loop that asked."""
        ...


class Dispatcher:
    """Lives in one event loop; all its methods are called there."""

    def __init__(self, endpoint: Endpoint, journal: Journal, budget: Budget) -> None:
        self._endpoint = endpoint
        self._commits = GroupCommits(journal)
        self._budget = budget
        self._tasks: set[asyncio.Task[Completion | None]] = set()
        self.answer_count = 0
        """Answers that have arrived and are in the journal; read by other threads."""

    async def answer_all(self, prompts: Sequence[Prompt]) -> list[Completion | None]:
        """Answer prompts in their order; None where the budget had no room left.

        The first failure cancels the other prompts of the call and is raised.
        """
        tasks = [asyncio.create_task(self._answer(prompt)) for prompt in prompts]
        self._tasks.update(tasks)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks.difference_update(tasks)
        answers: list[Completion | None] = []
        failures: list[BaseException] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                failures.append(outcome)
            else:
                answers.append(outcome)
        if failures:
            # What failed first cancelled the rest, so a cancellation is never the cause.
            raise next((f for f in failures if isinstance(f, Exception)), failures[0])
        return answers

    async def close(self) -> None:
        """Cancel what is under way, write what has arrived, close the endpoint."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._commits.flush()
        await self._endpoint.close()

    async def _answer(self, prompt: Prompt) -> Completion | None:
        try:
            completion = await self._endpoint.complete(prompt, self._budget)
        except BudgetSpentError:
            return None
        await self._commits.put(prompt, completion)
        self.answer_count += 1
        return completion
