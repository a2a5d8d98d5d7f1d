"""What the Batch API takes from a budget: reserved before submission, given back when unused."""

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest

from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import BudgetSpentError, Caps
from pipeline.generation.config import Price
from pipeline.generation.journal.journal import Journal
from tests.generation.batch_run import ask, ask_and_write, make_prompts, make_teacher
from tests.generation.batch_server import BatchFate, LineFate, serve_batches

# The scripted endpoint counts 11 tokens of prompt and 7 of answer; the prompts allow for 50.


@pytest.fixture
def journal(tmp_path: Path) -> Generator[Journal]:
    with Journal(tmp_path / "j.sqlite") as journal:
        yield journal


async def test_answers_count_with_the_usage_of_their_lines(journal: Journal) -> None:
    budget = Budget(Caps(max_usd=1.0), Price(input=1.0, output=10.0))
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            await ask(teacher, make_prompts(4), budget)

    spent = budget.spent
    assert (spent.requests, spent.prompt_tokens, spent.completion_tokens) == (4, 44, 28)
    assert spent.usd == pytest.approx((44 * 1.0 + 28 * 10.0) / 1e6)


async def test_no_more_is_submitted_than_the_cap_on_requests_allows(journal: Journal) -> None:
    budget = Budget(Caps(max_requests=3))
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            asks = [teacher.complete(prompt, budget) for prompt in make_prompts(5)]
            outcomes = await asyncio.gather(*asks, return_exceptions=True)

    assert server.submitted.total() == 3
    assert sum(isinstance(outcome, BudgetSpentError) for outcome in outcomes) == 2


async def test_prompts_without_room_go_into_the_next_batch_when_room_comes_back(
    journal: Journal,
) -> None:
    # At worst a prompt takes 50 tokens of answer and about 130 of prompt: two fit, not three.
    budget = Budget(Caps(max_tokens=500))
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            await ask(teacher, make_prompts(6), budget)

    assert len(server.batch_sizes) > 1
    assert budget.spent.prompt_tokens + budget.spent.completion_tokens <= 500


@pytest.mark.parametrize("status", [0, 429])
async def test_prompts_that_never_ran_give_their_tokens_back(journal: Journal, status: int) -> None:
    def plan(number: int, _size: int) -> BatchFate:
        idle = BatchFate(lines=lambda _n, _line: LineFate(status, "later"))
        return idle if number == 1 else BatchFate()

    budget = Budget()
    with serve_batches(plan) as server:
        async with make_teacher(server, journal) as teacher:
            await ask(teacher, make_prompts(2), budget)

    assert budget.spent.requests == 4
    assert budget.spent.completion_tokens == 2 * 7


async def test_prompts_that_may_have_run_in_vain_count_with_their_worst_case(
    journal: Journal,
) -> None:
    def plan(number: int, _size: int) -> BatchFate:
        failing = BatchFate(lines=lambda _n, _line: LineFate(500, "oops"))
        return failing if number == 1 else BatchFate()

    budget = Budget()
    with serve_batches(plan) as server:
        async with make_teacher(server, journal) as teacher:
            await ask(teacher, make_prompts(2), budget)

    assert budget.spent.completion_tokens == 2 * (50 + 7)


async def test_answers_without_usage_count_with_their_worst_case(journal: Journal) -> None:
    budget = Budget()
    with serve_batches() as server:
        server.usage = None
        async with make_teacher(server, journal) as teacher:
            await ask(teacher, make_prompts(2), budget)

    assert budget.spent.completion_tokens == 2 * 50


async def test_run_out_of_time_leaves_its_batch_for_the_next(journal: Journal) -> None:
    prompts = make_prompts(2)
    budget = Budget(Caps(max_minutes=0.3 / 60))
    with serve_batches(lambda _number, _size: BatchFate(polls=-1)) as server:
        async with make_teacher(server, journal) as teacher:
            asks = [teacher.complete(prompt, budget) for prompt in prompts]
            outcomes = await asyncio.gather(*asks, return_exceptions=True)
        assert all(isinstance(outcome, BudgetSpentError) for outcome in outcomes)
        assert budget.spent.completion_tokens == 2 * 50

        server.release = True
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, prompts)

    assert server.batch_sizes == [2]
    assert journal.read_batches() == []
