"""The Batch API against a real socket: what is kept, asked again, and never paid twice."""

import asyncio
from pathlib import Path

from pipeline.generation.batch import BatchTeacher
from pipeline.generation.budget import Budget
from pipeline.generation.journal import Journal
from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt
from tests.generation.batch_server import BatchServer, serve_batches

KEY = "sk-batches-0123456789abcdef"
MODEL = "scripted"


def make_prompt(number: int) -> Prompt:
    return Prompt(
        messages=(Message(role="user", content=f"질문 {number}"),),
        decoding=Decoding(max_tokens=50),
        strategy="structured",
        language="ko",
        response_schema={"type": "object"},
        sample_index=number,
    )


def make_teacher(server: BatchServer, journal: Journal) -> BatchTeacher:
    return BatchTeacher(
        server.base_url, MODEL, KEY, journal=journal, poll_s=0.01, gather_s=0.02, max_attempts=3
    )


async def ask(teacher: BatchTeacher, journal: Journal, count: int) -> list[Completion]:
    prompts = [make_prompt(n) for n in range(count)]
    budget = Budget()
    answers = await asyncio.gather(*(teacher.complete(p, budget) for p in prompts))
    journal.put_all([Exchange(p, a) for p, a in zip(prompts, answers, strict=True)])
    return answers


async def test_prompts(tmp_path: Path) -> None:
    with serve_batches() as server, Journal(tmp_path / "j") as journal:
        async with make_teacher(server, journal) as teacher:
            answers = await ask(teacher, journal, 5)
        assert server.batch_sizes == [5]
        assert journal.read_batches() == []
        assert len({answer.text for answer in answers}) == 5
