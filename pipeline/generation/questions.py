"""Put independent questions to a teacher: those that the journal knows are not asked again.

Cost: one look-up in the journal for all; prompts and answers are held in memory, about 10 kB each.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pipeline.generation.background import BackgroundLoop
from pipeline.generation.budget.budget import Budget
from pipeline.generation.dispatch import Dispatcher, Endpoint
from pipeline.generation.journal.commits import GroupCommits
from pipeline.generation.journal.journal import Journal
from schemas.exchange import Completion, Prompt
from schemas.progress import Progress

_REPORT_EVERY_S = 1.0


class Line(NamedTuple):
    """A way to ask: opened at the first prompt that the journal does not know."""

    endpoint: Endpoint
    budget: Budget
    commits: GroupCommits


class Question:
    """A prompt and, once it came, its answer; a conversation of one turn."""

    def __init__(self, prompt: Prompt, known: Completion | None) -> None:
        """Ask the prompt, unless its answer is known."""
        self.asking: list[Prompt] = [] if known is not None else [prompt]
        self.known: list[Completion | None] = []
        self.completion = known

    def answer(self, completions: Sequence[Completion]) -> None:
        """Take the answer."""
        (self.completion,) = completions
        self.asking = []


def ask_all(
    prompts: Sequence[Prompt],
    model: str,
    journal: Journal,
    connect: Callable[[int], Line],
    progress: Progress,
) -> list[Completion]:
    """Answer prompts in their order, each journaled before it is returned.

    Args:
        prompts: Each is a question by itself.
        model: The teacher, as the journal knows it.
        journal: Looked up before anything is asked.
        connect: Opens the line, given how many prompts have no answer; not called for none.
        progress: Told how many are answered.

    Raises:
        BudgetSpentError: A cap left no room; what was answered is in the journal.
        PacaloomError: The endpoint's own, or that of ``connect``.
    """
    known = journal.get_all([prompt.key(model) for prompt in prompts])
    questions = [Question(prompt, answer) for prompt, answer in zip(prompts, known, strict=True)]
    if missing := [question for question in questions if question.completion is None]:
        loop = BackgroundLoop()
        try:
            loop.submit(_ask(missing, len(prompts), connect, progress)).result()
        finally:
            loop.close()
        progress(len(prompts), len(prompts), "answers")
    return [question.completion for question in questions if question.completion is not None]


async def _ask(
    questions: Sequence[Question],
    total: int,
    connect: Callable[[int], Line],
    progress: Progress,
) -> None:
    line = connect(len(questions))
    dispatcher = Dispatcher(line.endpoint, line.commits, line.budget)
    reporter = asyncio.create_task(_report(questions, total, progress))
    try:
        await dispatcher.hold(questions)
        if dispatcher.budget_end is not None:
            raise dispatcher.budget_end
    finally:
        reporter.cancel()
        await dispatcher.close()


async def _report(questions: Sequence[Question], total: int, progress: Progress) -> None:
    while True:
        await asyncio.sleep(_REPORT_EVERY_S)
        open_count = sum(question.completion is None for question in questions)
        progress(total - open_count, total, "answers")
