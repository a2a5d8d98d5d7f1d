"""How long an answer is waited for: long at first, then by what answers take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generation.teacher.timeouts import LearntTimeout


def make_learnt(latency_s: float, *, count: int = 50, max_tokens: int = 400) -> LearntTimeout:
    timeout = LearntTimeout(600)
    for _ in range(count):
        timeout.observe(latency_s, max_tokens)
    return timeout


def test_patience_is_as_given_until_enough_answers_are_known() -> None:
    assert LearntTimeout(600).find(400) == 600
    assert make_learnt(1, count=19).find(400) == 600
    assert make_learnt(1, count=20).find(400) < 600


def test_endpoint_is_given_five_times_what_its_slow_answers_take() -> None:
    timeout = make_learnt(10, count=90)
    for _ in range(10):
        timeout.observe(20, 400)
    # Ten of a hundred took 20 s, so the 95 % quantile is 20 s.
    assert timeout.find(400) == pytest.approx(100)


def test_few_answers_that_take_a_hundred_times_as_long_are_waited_for() -> None:
    timeout = make_learnt(2, count=96)
    for _ in range(4):
        timeout.observe(200, 400)
    # Too few for the quantile of 95 %, and yet the next of their kind must not time out.
    assert timeout.find(400) == pytest.approx(300)


def test_fast_endpoint_is_given_no_less_than_a_twentieth_of_the_first_patience() -> None:
    assert make_learnt(0.05).find(400) == 30


def test_longer_answers_are_given_more_time_and_shorter_ones_no_less() -> None:
    timeout = make_learnt(10, max_tokens=400)
    assert timeout.find(1200) == pytest.approx(3 * timeout.find(400))
    assert timeout.find(16) == timeout.find(400)


def test_prompt_that_timed_out_is_given_twice_the_time() -> None:
    timeout = make_learnt(10)
    assert timeout.find(400, timed_out=1) == 2 * timeout.find(400)
    assert LearntTimeout(600).find(400, timed_out=1) == 1200


def test_endpoint_that_becomes_slow_is_not_starved() -> None:
    timeout = make_learnt(1, count=200)
    latency_s = 500.0  # from now on each answer takes so long

    timeouts_of_prompts: list[int] = []
    while timeouts_of_prompts[-1:] != [0]:
        timed_out = 0
        while (patience := timeout.find(400, timed_out)) < latency_s:
            timeout.observe(patience, 400)
            timed_out += 1
        timeout.observe(latency_s, 400)
        timeouts_of_prompts.append(timed_out)

    assert max(timeouts_of_prompts) <= 5  # an answer within the six requests a prompt may cost
    assert len(timeouts_of_prompts) < 20


def test_what_was_long_ago_is_forgotten() -> None:
    timeout = make_learnt(100, count=200)
    for _ in range(200):
        timeout.observe(10, 400)
    assert timeout.find(400) == pytest.approx(50)


@given(
    st.lists(st.tuples(st.floats(0, 1e4), st.integers(16, 32768)), max_size=300),
    st.integers(16, 32768),
    st.integers(0, 6),
)
def test_patience_stays_between_its_bounds(
    observed: list[tuple[float, int]], max_tokens: int, timed_out: int
) -> None:
    timeout = LearntTimeout(600)
    for latency_s, tokens in observed:
        timeout.observe(latency_s, tokens)
    assert 30 <= timeout.find(max_tokens, timed_out) <= 1800
