"""Put independent questions to a teacher: those that the journal knows are not asked again."""

import asyncio
from collections.abc import Callable, Sequence

from pipeline.generation.background import BackgroundLoop
from pipeline.generation.budget.budget import Budget
from pipeline.generation.dispatch import Dispatcher, Endpoint
from pipeline.generation.journal.commits import GroupCommits
from pipeline.generation.journal.journal import Journal
from schemas.exchange import Completion, Prompt
from schemas.progress import Progress

_REPORT_EVERY_S = 1.0


class Question:
    """A prompt and, once it came, its answer; a conversation of one turn."""

    def __init__(self, prompt: Prompt) -> None:
        """Ask the prompt."""
        self.asking: list[Prompt] = [prompt]
        self.known: list[Completion | None] = []
        self.completion: Completion | None = None

    def answer(self, completions: Sequence[Completion]) -> None:
        """Take the answer."""
        (self.completion,) = completions
        self.asking = []


def ask_all(
    prompts: Sequence[Prompt],
    model: str,
    journal: Journal,
    connect: Callable[[], Endpoint],
    budget: Budget,
    commits: GroupCommits,
    progress: Progress,
) -> list[Completion]:
    """Answer prompts in their order, each journaled before it is returned.

    Raises:
        BudgetSpentError: A cap left no room; what was answered is in the journal.
        PacaloomError: The endpoint's own.
    """
    known = journal.get_all([prompt.key(model) for prompt in prompts])
    questions = [Question(prompt) for prompt in prompts]
    for question, completion in zip(questions, known, strict=True):
        if completion is not None:
            question.answer([completion])
    missing = [question for question in questions if question.completion is None]
    if missing:
        loop = BackgroundLoop()
        try:
            loop.submit(_ask(missing, len(prompts), connect, budget, commits, progress)).result()
        finally:
            loop.close()
    return [question.completion for question in questions if question.completion is not None]


async def _ask(
    questions: Sequence[Question],
    total: int,
    connect: Callable[[], Endpoint],
    budget: Budget,
    commits: GroupCommits,
    progress: Progress,
) -> None:
    dispatcher = Dispatcher(connect(), commits, budget)
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
