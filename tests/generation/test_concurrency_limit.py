"""How many requests may be under way: up with answers, down once a burst, never below one."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generation.teacher.concurrency import AdaptiveLimit


async def fill(limit: AdaptiveLimit) -> None:
    """Take every slot."""
    while limit.in_use < limit.limit:
        await limit.acquire()


async def answer_round(limit: AdaptiveLimit) -> None:
    """Answer as many requests as there are slots, all of which stay taken."""
    for _ in range(limit.limit):
        await fill(limit)
        limit.grow(limit.epoch)


async def make_grown(ceiling: int) -> AdaptiveLimit:
    limit = AdaptiveLimit(ceiling)
    for _ in range(12):
        await answer_round(limit)
    assert limit.limit == ceiling
    return limit


async def test_few_scouts_go_before_the_first_answer_and_many_after_it() -> None:
    limit = AdaptiveLimit(256)
    assert limit.limit == 4
    await fill(limit)
    limit.grow(limit.epoch)
    assert limit.limit == 64


async def test_limit_doubles_a_round_until_the_first_overload_and_then_grows_by_a_step() -> None:
    limit = await make_grown(256)
    limit.shrink(limit.epoch)
    assert limit.limit == 128

    await answer_round(limit)

    assert 134 <= limit.limit <= 137  # 256 / 32 = 8 slots a round, a little less as it grows


@pytest.mark.parametrize("ceiling", [1, 2, 3])
async def test_limit_never_exceeds_a_low_ceiling(ceiling: int) -> None:
    limit = await make_grown(ceiling)
    await answer_round(limit)
    assert limit.limit == ceiling


async def test_refusals_of_one_burst_are_one_decrease() -> None:
    limit = await make_grown(256)
    sent_in = [limit.epoch] * 200

    for epoch in sent_in:
        limit.shrink(epoch)

    assert limit.limit == 128


async def test_refusal_of_a_request_sent_after_the_decrease_counts_again() -> None:
    limit = await make_grown(256)
    limit.shrink(limit.epoch)
    limit.shrink(limit.epoch)
    assert limit.limit == 64


async def test_late_answer_to_an_earlier_burst_does_not_undo_the_decrease() -> None:
    limit = await make_grown(64)
    before = limit.epoch
    limit.shrink(before)
    for _ in range(64):
        limit.grow(before)
    assert limit.limit == 32


async def test_unused_slots_prove_nothing() -> None:
    limit = AdaptiveLimit(256)
    await limit.acquire()
    for _ in range(500):
        limit.grow(limit.epoch)
    assert limit.limit == 64


async def test_urgent_request_takes_the_next_slot() -> None:
    limit = AdaptiveLimit(1)
    await limit.acquire()
    order: list[str] = []

    async def take(name: str, *, is_urgent: bool) -> None:
        await limit.acquire(is_urgent=is_urgent)
        order.append(name)
        limit.release()

    waiting = [
        asyncio.create_task(take("first", is_urgent=False)),
        asyncio.create_task(take("second", is_urgent=False)),
        asyncio.create_task(take("asked again", is_urgent=True)),
    ]
    await asyncio.sleep(0)
    limit.release()
    await asyncio.gather(*waiting)

    assert order == ["asked again", "first", "second"]


@pytest.mark.parametrize("has_slot", [True, False])
async def test_cancelled_waiter_takes_no_slot_with_it(has_slot: bool) -> None:
    limit = AdaptiveLimit(1)
    await limit.acquire()
    waiting = asyncio.create_task(limit.acquire())
    await asyncio.sleep(0)
    if has_slot:
        limit.release()  # the waiter is given the slot and cancelled before it wakes
        waiting.cancel()
    else:
        waiting.cancel()
        await asyncio.sleep(0)
        limit.release()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(limit.acquire(), 1)


@given(st.integers(1, 300), st.lists(st.booleans(), max_size=300))
def test_limit_stays_between_one_and_the_ceiling(ceiling: int, answers: list[bool]) -> None:
    async def live() -> None:
        limit = AdaptiveLimit(ceiling)
        for is_answer in answers:
            await fill(limit)
            (limit.grow if is_answer else limit.shrink)(limit.epoch)
            assert 1 <= limit.limit <= ceiling

    asyncio.run(live())
