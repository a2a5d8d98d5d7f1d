"""Slots over several places: weights, ceilings, and where a prompt goes after a failure."""

import asyncio
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.teacher.concurrency import AdaptiveLimit
from pipeline.generation.teacher.rate_limits import Caps, RateLimits
from pipeline.generation.teacher.shares import Place, Shares
from pipeline.generation.teacher.waiting import Clock
from tests.generation.virtual_time import VirtualTime


def make_places(weights: list[float], ceiling: int, clock: Clock | None = None) -> list[Place]:
    places = [
        Place(AdaptiveLimit(ceiling), RateLimits(Caps(), clock or Clock()), weight)
        for weight in weights
    ]
    for place in places:
        place.limit.grow(0)  # past the scouts
    return places


async def take(shares: Shares[Place], failed: Counter[Place] | None = None) -> Place:
    return await asyncio.wait_for(shares.acquire(failed or Counter(), is_urgent=False), 5)


@settings(max_examples=40)
@given(
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    ceiling=st.integers(1, 40),
    order=st.randoms(use_true_random=False),
)
def test_shares_are_those_of_the_weights_whatever_ends_first(
    weights: list[int], ceiling: int, order: Random
) -> None:
    async def ask() -> None:
        places = make_places([float(one) for one in weights], ceiling)
        shares = Shares(places, ceiling, Clock())
        under_way: list[Place] = []
        given: Counter[Place] = Counter()
        count = 20 * sum(weights)
        for _ in range(count):
            if len(under_way) == ceiling:
                shares.release(under_way.pop(order.randrange(ceiling)))
            place = await take(shares)
            under_way.append(place)
            given[place] += 1
            assert sum(one.limit.in_use for one in places) == len(under_way) <= ceiling

        for place, weight in zip(places, weights, strict=True):
            wanted = count * weight / sum(weights)
            # A request that ends late holds a slot of its place's part, and no more than that.
            assert abs(given[place] - wanted) <= 0.1 * count + ceiling

    asyncio.run(ask())


async def test_slow_place_holds_its_part_and_no_more() -> None:
    slow, quick = places = make_places([1, 1], 10)
    shares = Shares(places, 10, Clock())
    given: Counter[Place] = Counter()
    for _ in range(100):
        place = await take(shares)
        given[place] += 1
        if place is quick:
            shares.release(place)

    assert given == {slow: 5, quick: 95}


async def test_what_a_closed_place_leaves_is_taken_by_the_others() -> None:
    closed, other = places = make_places([3, 1], 8)
    closed.is_open = False
    shares = Shares(places, 8, Clock())

    assert {await take(shares) for _ in range(8)} == {other}


async def test_place_that_was_closed_is_not_given_all_that_it_missed() -> None:
    back, other = places = make_places([1, 1], 1)
    shares = Shares(places, 1, Clock())
    back.is_open = False
    for _ in range(50):
        shares.release(await take(shares))
    back.is_open = True
    given: Counter[Place] = Counter()
    for _ in range(20):
        place = await take(shares)
        given[place] += 1
        shares.release(place)

    assert given[back] == pytest.approx(10, abs=1)
    assert given[other] == pytest.approx(10, abs=1)


async def test_prompt_goes_where_it_has_failed_least() -> None:
    first, second = places = make_places([1, 1], 4)
    shares = Shares(places, 4, Clock())

    assert await take(shares, Counter({first: 1})) is second
    assert await take(shares, Counter({first: 1, second: 2})) is first


async def test_paused_place_is_passed_over_and_asked_when_its_pause_ends() -> None:
    time = VirtualTime()
    paused, other = places = make_places([1, 1], 2, time.clock)
    shares = Shares(places, 2, time.clock)
    paused.rates.pause(40)

    async def ask() -> None:
        assert {await shares.acquire(Counter(), is_urgent=False) for _ in range(2)} == {other}
        shares.release(other)
        other.is_open = False
        assert await shares.acquire(Counter(), is_urgent=False) is paused

    await time.run(ask())

    assert time.now == pytest.approx(40)


async def test_one_that_gave_up_waiting_takes_no_slot() -> None:
    [place] = places = make_places([1], 1)
    shares = Shares(places, 1, Clock())
    await take(shares)
    waiting = asyncio.create_task(shares.acquire(Counter(), is_urgent=True))
    await asyncio.sleep(0)
    waiting.cancel()
    shares.release(place)
    await asyncio.sleep(0)

    assert await take(shares) is place
    assert place.limit.in_use == 1


async def test_one_that_is_cancelled_at_its_turn_gives_the_slot_back() -> None:
    [place] = places = make_places([1], 1)
    shares = Shares(places, 1, Clock())
    await take(shares)
    waiting = asyncio.create_task(shares.acquire(Counter(), is_urgent=True))
    await asyncio.sleep(0)
    shares.release(place)  # granted, and not told yet
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert place.limit.in_use == 0
