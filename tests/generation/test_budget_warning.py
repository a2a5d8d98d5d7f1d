"""People hear once of each cap that most of it is used, and a restart does not tell them again."""

import pytest

from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import Cap, Caps, Spending
from pipeline.generation.config import Price
from schemas.exchange import Decoding, Message, Prompt, Usage

PROMPT = Prompt(
    messages=(Message(role="user", content="x" * 20),),
    decoding=Decoding(max_tokens=100),
    strategy="structured",
    language="en",
)
ANSWER = Usage(prompt_tokens=20, completion_tokens=10)


class Listener:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Cap, float, float]] = []

    def __call__(self, cap: Cap, used: float, limit: float) -> None:
        self.told.append((cap, used, limit))


async def ask(budget: Budget, count: int) -> None:
    for _ in range(count):
        (await budget.reserve(PROMPT)).settle(ANSWER)


async def test_the_fourth_of_five_requests_is_told_and_the_fifth_is_not() -> None:
    listener = Listener()
    budget = Budget(Caps(max_requests=5), tell=listener)

    await ask(budget, 3)
    assert listener.told == []
    await ask(budget, 2)

    assert listener.told == [("max-requests", 4, 5)]


async def test_each_cap_is_told_in_its_own_unit() -> None:
    listener = Listener()
    # 30 tokens an answer, which cost 20 * $1 + 10 * $2 a million: $0.00004.
    caps = Caps(max_tokens=1000, max_usd=0.002)
    budget = Budget(caps, Price(input=1.0, output=2.0), tell=listener)

    await ask(budget, 26)
    assert listener.told == []
    await ask(budget, 1)
    assert listener.told == [("max-tokens", 810, 1000)]


async def test_dollars_are_told_as_dollars() -> None:
    listener = Listener()
    # $0.002 an answer.
    budget = Budget(Caps(max_usd=0.1), Price(input=50.0, output=100.0), tell=listener)

    await ask(budget, 39)
    assert listener.told == []
    await ask(budget, 1)

    [(cap, used, limit)] = listener.told
    assert (cap, used, limit) == ("max-usd", pytest.approx(0.08), pytest.approx(0.1))


async def test_what_is_only_reserved_is_not_used() -> None:
    listener = Listener()
    budget = Budget(Caps(max_tokens=1000), tell=listener)

    # At worst 100 + 100 tokens each.
    under_way = [await budget.reserve(PROMPT) for _ in range(5)]

    assert listener.told == []
    for reservation in under_way:
        reservation.settle(ANSWER)


@pytest.mark.parametrize(
    ("spent_before", "times"),
    [
        pytest.param(7, 1, id="not-yet"),
        pytest.param(8, 1, id="killed-before-it-could-tell"),
        pytest.param(9, 0, id="told-by-the-process-before"),
    ],
)
async def test_restart_tells_unless_the_run_surely_has(spent_before: int, times: int) -> None:
    listener = Listener()
    budget = Budget(Caps(max_requests=10), spent=Spending(requests=spent_before), tell=listener)

    await ask(budget, 10 - spent_before)

    assert len(listener.told) == times


async def test_minutes_are_told_while_an_answer_is_awaited() -> None:
    class Clock:
        now = 1000.0

        def __call__(self) -> float:
            return self.now

    clock, listener = Clock(), Listener()
    budget = Budget(Caps(max_minutes=10), tell=listener, clock=clock)
    await budget.reserve(PROMPT)

    clock.now += 8.5 * 60
    (await budget.reserve(PROMPT)).settle(ANSWER)
    await budget.close()

    assert listener.told == [("max-minutes", 8.5, 10)]
