"""Caps on requests and tokens a minute: no 60 seconds hold more, and no capacity is left unused."""

import asyncio
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.teacher.rate_limits import Caps, RateLimits, estimate_tokens
from schemas.exchange import Decoding, Message, Prompt
from schemas.records import Language
from tests.generation.virtual_time import VirtualTime


def always() -> bool:
    return True


class Passed(NamedTuple):
    at: float
    tokens: int


async def pass_all(
    gate: RateLimits, time: VirtualTime, sizes: list[int], *, take_s: float = 0.0, used: float = 1.0
) -> list[Passed]:
    """Put requests to the gate at once; each takes its time and then tells its usage."""
    passed: list[Passed] = []

    async def ask(size: int) -> None:
        claim = await gate.pass_through(size, always)
        assert claim is not None
        passed.append(Passed(time.now, int(size * used)))
        await time.sleep(take_s)
        gate.correct(claim, int(size * used))

    await time.run(*(ask(size) for size in sizes))
    return passed


def find_worst_minute(passed: list[Passed]) -> Passed:
    """Count requests and tokens of the fullest 60 seconds, by looking at every one."""
    minutes = [
        [other.tokens for other in passed if start.at <= other.at < start.at + 60 - 1e-6]
        for start in passed
    ]
    return Passed(max(map(len, minutes)), max(map(sum, minutes)))


@given(st.integers(1, 90), st.integers(1, 120))
@settings(max_examples=25, deadline=None)
def test_no_minute_holds_more_requests_than_the_cap(cap: int, count: int) -> None:
    time = VirtualTime()
    gate = RateLimits(Caps(requests=cap), time.clock)

    passed = asyncio.run(pass_all(gate, time, [100] * count))

    assert find_worst_minute(passed).at <= cap
    # And nothing is wasted: evenly spaced, the last leaves (count - 1) spaces after the first.
    assert time.now == pytest.approx((count - 1) * 60 / cap, abs=0.01)


@given(st.integers(500, 5000), st.lists(st.integers(1, 500), min_size=1, max_size=60))
@settings(max_examples=25, deadline=None)
def test_no_minute_holds_more_tokens_than_the_cap(cap: int, sizes: list[int]) -> None:
    time = VirtualTime()
    gate = RateLimits(Caps(tokens=cap), time.clock)

    passed = asyncio.run(pass_all(gate, time, sizes))

    assert len(passed) == len(sizes)
    assert find_worst_minute(passed).tokens <= cap


async def test_usage_takes_the_place_of_the_estimate() -> None:
    time = VirtualTime()
    gate = RateLimits(Caps(tokens=1000), time.clock)

    # Six estimates of 500: two pass at once. Each turns out to use 100, so after a second there is
    # room again, and the last finds 500 tokens used: all are through long before a minute is over.
    passed = await pass_all(gate, time, [500] * 6, take_s=1, used=0.2)

    assert [p.at for p in passed][:3] == pytest.approx([0, 0, 1], abs=0.3)
    assert time.now < 10
    assert find_worst_minute(passed).tokens <= 1000


async def test_request_larger_than_the_cap_passes_alone() -> None:
    time = VirtualTime()
    gate = RateLimits(Caps(tokens=100), time.clock)

    passed = await pass_all(gate, time, [50, 5000, 50])

    assert [p.at for p in passed] == pytest.approx([0, 60, 120], abs=0.01)


async def test_pause_holds_back_everyone_and_the_longest_counts() -> None:
    time = VirtualTime()
    gate = RateLimits(Caps(), time.clock)
    gate.pause(7)
    gate.pause(3)

    passed = await pass_all(gate, time, [1] * 5)

    assert [p.at for p in passed] == pytest.approx([7] * 5, abs=0.01)


async def test_pause_reaches_those_who_wait_already() -> None:
    time = VirtualTime()
    gate = RateLimits(Caps(requests=60), time.clock)

    async def interrupt() -> None:
        await time.sleep(0.5)
        gate.pause(10)

    passed: list[float] = []

    async def ask() -> None:
        await gate.pass_through(1, always)
        passed.append(time.now)

    await time.run(interrupt(), ask(), ask(), ask())
    assert passed == pytest.approx([0, 10.5, 11.5], abs=0.01)


async def test_nobody_waits_beyond_the_time_that_the_run_has_left() -> None:
    time = VirtualTime()
    gate = RateLimits(Caps(requests=1), time.clock)

    claims: list[object] = []

    async def ask() -> None:
        claims.append(await gate.pass_through(1, lambda: time.now < 20))

    await time.run(ask(), ask(), ask())

    assert claims[0] is not None
    assert claims[1:] == [None, None]
    assert time.now == pytest.approx(20)


async def test_cancelled_request_does_not_block_those_behind_it() -> None:
    time = VirtualTime()
    gate = RateLimits(Caps(requests=60), time.clock)
    await gate.pass_through(1, always)
    head = asyncio.create_task(gate.pass_through(1, always))
    await asyncio.sleep(0)
    head.cancel()

    passed = await pass_all(gate, time, [1])

    assert len(passed) == 1


@pytest.mark.parametrize(
    ("text", "language", "tokens"),
    [
        pytest.param("Name three fruits.", "en", 6 + 50, id="english"),
        # 13 syllables, spaces and a full stop: 10 x 3 + 3 bytes, a third of it.
        pytest.param("과일 세 가지를 말해 줘.", "ko", 10 + 50, id="korean"),
    ],
)
def test_estimate_is_of_the_text_and_a_full_answer(
    text: str, language: Language, tokens: int
) -> None:
    decoding = Decoding(max_tokens=50)
    chat = Prompt(
        messages=(Message(role="user", content=text),),
        decoding=decoding,
        strategy="structured",
        language=language,
    )
    raw = Prompt(raw=text, decoding=decoding, strategy="magpie", language=language)
    assert estimate_tokens(chat) == estimate_tokens(raw) == tokens
