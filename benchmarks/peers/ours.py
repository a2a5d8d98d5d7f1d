"""Our own way: teacher, budget with its ledger, dispatcher, and each answer synced to the journal.

What a run does between drawing and folding. ``--without-journal`` leaves out the writing of answers
and ledger, to show their share.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks.peers.workload import (
    KEY,
    MAX_TOKENS,
    MODEL,
    SYSTEM,
    TEMPERATURE,
    Workload,
    ask_for,
    check_answered,
    report,
)
from pipeline.generation.budget.budget import Budget
from pipeline.generation.config import GenerationConfig
from pipeline.generation.conversations import Conversation
from pipeline.generation.dispatch import Dispatcher
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import Journal
from pipeline.generation.planning import StrategyPlan
from pipeline.generation.sampling import Draw
from pipeline.generation.strategies.structured import STRATEGY
from pipeline.generation.teacher.client import Teacher
from schemas.exchange import Completion, Decoding, Message, Prompt

_DECODING = Decoding(temperature=TEMPERATURE, max_tokens=MAX_TOKENS)


class NoCommits(GroupCommits):
    """Takes answers and forgets them."""

    async def put(self, prompt: Prompt, completion: Completion) -> None:
        """Do nothing."""


def build(draw: Draw) -> Prompt:
    return Prompt(
        messages=(
            Message(role="system", content=SYSTEM),
            Message(role="user", content=ask_for(draw.sample_index)),
        ),
        decoding=draw.decoding,
        strategy="structured",
        language=draw.language,
        sample_index=draw.sample_index,
    )


def make_conversations(count: int) -> list[Conversation]:
    plan = StrategyPlan("en", "structured", 1.0, 1, GenerationConfig())
    strategy = STRATEGY._replace(build=build)
    draws = [Draw("en", "question-answering", (), _DECODING, number) for number in range(count)]
    return [Conversation(plan, strategy, draw) for draw in draws]


async def ask_all(workload: Workload, journal: Journal, *, is_journaled: bool) -> None:
    commits = (GroupCommits if is_journaled else NoCommits)(journal)
    ledger = RunLedger(commits, "benchmark") if is_journaled else None
    teacher = Teacher(workload.base_url, MODEL, KEY, concurrency=workload.concurrency)
    dispatcher = Dispatcher(teacher, commits, Budget(ledger=ledger))
    await dispatcher.hold(make_conversations(workload.requests))
    await dispatcher.close()
    if is_journaled:
        check_answered(len(journal), workload)


def run(workload: Workload, *, is_journaled: bool) -> None:
    # Beside the outputs of a run and not in /tmp, which may be memory and then syncs for nothing.
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd() / "outputs") as folder,
        Journal(Path(folder) / "journal.sqlite") as journal,
    ):
        asyncio.run(ask_all(workload, journal, is_journaled=is_journaled))


if __name__ == "__main__":
    writes = "--without-journal" not in sys.argv
    if not writes:
        sys.argv.remove("--without-journal")
    report(lambda workload: run(workload, is_journaled=writes))
