"""Whatever becomes of a request, the budget knows of it: never less than the endpoint bills."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.generation.budget.budget import Budget, BudgetSpentError, Caps, worst_case
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.endings import TeacherRefusedError
from schemas.exchange import Completion
from tests.generation.scripted_server import Bill, ScriptedServer, Trick, serve
from tests.generation.teacher_room import KEY, MODEL, in_turn, make_prompt, refuse
from tests.generation.virtual_time import SkippedTime

WORST = worst_case(make_prompt())
WORST_TOKENS = WORST.prompt_tokens + WORST.completion_tokens
ANSWER_TOKENS = 18
"""What the scripted endpoint counts for each answer."""


async def ask(server: ScriptedServer, budget: Budget, *, timeout_s: float = 20) -> Completion:
    async with Teacher(
        server.base_url,
        MODEL,
        KEY,
        concurrency=2,
        timeout_s=timeout_s,
        max_attempts=9,
        clock=SkippedTime().clock,
    ) as teacher:
        return await teacher.complete(make_prompt(), budget)


def count(budget: Budget) -> int:
    return budget.spent.prompt_tokens + budget.spent.completion_tokens


@pytest.mark.parametrize(
    ("trick", "tokens"),
    [
        pytest.param(None, None, id="answer"),
        pytest.param(Trick(status=429), 0, id="429"),
        pytest.param(Trick(status=503), 0, id="503"),
        pytest.param(refuse("no temperature", param="temperature"), 0, id="400"),
        pytest.param(Trick(status=500), WORST_TOKENS, id="500"),
        pytest.param(Trick(status=504), WORST_TOKENS, id="504"),
        pytest.param(Trick(cut_after=20), WORST_TOKENS, id="cut"),
        pytest.param(Trick(reset_after=20), WORST_TOKENS, id="reset"),
        pytest.param(Trick(hang=True), WORST_TOKENS, id="hang"),
        pytest.param(Trick(body='{"choices": []}'), WORST_TOKENS, id="empty choices"),
        pytest.param(Trick(body='{"choices": [{"me'), WORST_TOKENS, id="truncated"),
        pytest.param(Trick(body="hi", content_type="text/html"), WORST_TOKENS, id="html"),
    ],
)
async def test_each_end_of_a_request_counts_what_it_may_cost(
    trick: Trick | None, tokens: int | None
) -> None:
    budget = Budget()
    with serve(in_turn([trick] if trick else [])) as server:
        # Of the shorter patience twice as much is left for the second request.
        await ask(server, budget, timeout_s=2 if trick and trick.hang else 600)

    assert count(budget) == ANSWER_TOKENS + (tokens or 0)
    assert budget.spent.requests == budget.requests_sent == len(server.asked)


async def test_answer_whose_usage_is_not_told_counts_as_the_worst_case() -> None:
    budget = Budget()
    with serve(in_turn([Trick(answer=True, counts_usage=False)])) as server:
        answer = await ask(server, budget)

    assert count(budget) == WORST_TOKENS
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (0, 0)


async def test_cancelled_request_counts_as_the_worst_case() -> None:
    budget = Budget()
    with serve(lambda _number, _asked: Trick(hang=True)) as server:
        asking = asyncio.create_task(ask(server, budget))
        while not server.asked:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert count(budget) == WORST_TOKENS


async def test_prompts_cancelled_before_they_are_sent_are_not_counted() -> None:
    budget = Budget()
    with serve() as server:
        async with Teacher(
            server.base_url, MODEL, KEY, concurrency=64, requests_per_minute=1
        ) as teacher:
            await teacher.complete(make_prompt(), budget)
            asks = [asyncio.create_task(teacher.complete(make_prompt(n), budget)) for n in range(9)]
            await asyncio.sleep(0.05)
            for asking in asks:
                asking.cancel()
            await asyncio.gather(*asks, return_exceptions=True)

    assert budget.spent.requests == budget.requests_sent == len(server.asked) == 1
    assert count(budget) == ANSWER_TOKENS


async def test_request_that_waits_when_the_run_ends_costs_nothing() -> None:
    trick = Trick(status=401, body="bad key", delay_s=0.1)
    budget = Budget()
    with serve(lambda _number, _asked: trick) as server:
        async with Teacher(
            server.base_url, MODEL, KEY, concurrency=4, requests_per_minute=1
        ) as teacher:
            asks = [teacher.complete(make_prompt(n), budget) for n in range(4)]
            ends = await asyncio.gather(*asks, return_exceptions=True)

    assert all(isinstance(end, TeacherRefusedError) for end in ends)
    assert budget.spent.requests == len(server.asked) == 1
    assert count(budget) == 0


async def test_minutes_end_a_request_that_hangs() -> None:
    with serve(lambda _number, _asked: Trick(hang=True)) as server:
        budget = Budget(Caps(max_minutes=2 / 60))
        with pytest.raises(BudgetSpentError) as caught:
            await ask(server, budget)

    assert caught.value.cap == "max-minutes"
    assert len(server.asked) == 1


async def test_minutes_end_a_wait_for_an_overloaded_endpoint() -> None:
    trick = Trick(status=429, headers=(("retry-after", "200"),))
    with serve(lambda _number, _asked: trick) as server:
        async with Teacher(server.base_url, MODEL, KEY, concurrency=1) as teacher:
            budget = Budget(Caps(max_minutes=2 / 60))
            with pytest.raises(BudgetSpentError):
                await asyncio.wait_for(teacher.complete(make_prompt(), budget), 100)

    assert len(server.asked) == 1


FAULTS = st.sampled_from(
    [
        None,
        Trick(status=429),
        Trick(status=503, headers=(("retry-after", "2"),)),
        Trick(status=500),
        Trick(cut_after=10),
        Trick(reset_after=40),
        Trick(body="[]"),
        Trick(answer=True, counts_usage=False),
        Trick(answer=True, headers=(("x-ratelimit-remaining-tokens", "0"),)),
    ]
)


@given(st.lists(FAULTS, max_size=30), st.integers(1, 30), st.integers(200, 4000))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_endpoint_never_bills_more_than_the_budget_counted_or_the_caps_allow(
    faults: list[Trick | None], max_requests: int, max_tokens: int
) -> None:
    budget = Budget(Caps(max_requests=max_requests, max_tokens=max_tokens))

    async def run(server: ScriptedServer) -> None:
        async with Teacher(
            server.base_url, MODEL, KEY, concurrency=8, max_attempts=50, clock=SkippedTime().clock
        ) as teacher:
            asks = [teacher.complete(make_prompt(n), budget) for n in range(12)]
            await asyncio.gather(*asks, return_exceptions=True)

    with serve(in_turn(faults)) as server:
        asyncio.run(run(server))
        bill: Bill = server.bill

    assert bill.tokens <= count(budget) <= max_tokens
    assert bill.requests <= len(server.asked) == budget.requests_sent <= max_requests
