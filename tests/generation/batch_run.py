"""Prompts, teachers and ways to ask them that the tests of the Batch API share."""

import asyncio
from collections.abc import Sequence

from pipeline.generation.batch.teacher import BatchTeacher
from pipeline.generation.budget.budget import Budget
from pipeline.generation.journal.journal import Journal
from pipeline.generation.teacher.waiting import Clock
from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt
from tests.generation.batch_server import BatchServer

KEY = "sk-batches-0123456789abcdef"
MODEL = "scripted"


def make_prompts(count: int) -> list[Prompt]:
    return [
        Prompt(
            messages=(Message(role="user", content=f"Question {number}, 질문 {number}"),),
            decoding=Decoding(max_tokens=50),
            strategy="structured",
            language="ko",
            response_schema={"type": "object"},
            sample_index=number,
        )
        for number in range(count)
    ]


def keys_of(prompts: Sequence[Prompt]) -> list[str]:
    return [prompt.key(MODEL) for prompt in prompts]


def make_teacher(
    server: BatchServer, journal: Journal, most_prompts: int = 100, clock: Clock | None = None
) -> BatchTeacher:
    return BatchTeacher(
        server.base_url,
        MODEL,
        KEY,
        journal=journal,
        poll_s=0.002,
        gather_s=0.01,
        most_prompts=most_prompts,
        max_attempts=3,
        clock=clock,
    )


async def ask(
    teacher: BatchTeacher, prompts: Sequence[Prompt], budget: Budget | None = None
) -> list[Completion]:
    """Ask at once, in the order of the prompts; the first failure is raised."""
    budget = budget or Budget()
    return await asyncio.gather(*(teacher.complete(prompt, budget) for prompt in prompts))


async def ask_and_write(
    teacher: BatchTeacher, journal: Journal, prompts: Sequence[Prompt]
) -> list[Completion]:
    """Ask, and write the answers as a run does."""
    answers = await ask(teacher, prompts)
    journal.put_all(map(Exchange, prompts, answers))
    return answers
