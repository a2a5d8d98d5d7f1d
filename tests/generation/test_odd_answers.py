"""An answer that is paid for is kept, however oddly it is told."""

import json
from typing import Any

import pytest

from pipeline.generation.budget.budget import Budget, worst_case
from pipeline.generation.teacher.client import Teacher
from schemas.exchange import Completion
from tests.generation.scripted_server import Trick, serve
from tests.generation.teacher_room import KEY, MODEL, in_turn, make_prompt
from tests.generation.virtual_time import SkippedTime

REASONED = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "Hmm."}]},
    {"type": "text", "text": "과일은 "},
    {"type": "text", "text": "apples"},
]
USAGE = {"prompt_tokens": 11, "completion_tokens": 7}


async def ask(budget: Budget, content: object, finish_reason: object, **reply: Any) -> Completion:
    choice = {"message": {"content": content}, "finish_reason": finish_reason}
    body = json.dumps({"choices": [choice], **reply})
    with serve(in_turn([Trick(body=body)])) as server:
        async with Teacher(
            server.base_url, MODEL, KEY, concurrency=1, clock=SkippedTime().clock
        ) as teacher:
            return await teacher.complete(make_prompt(), budget)


async def test_parts_of_text_are_joined_and_reasoning_is_left_out() -> None:
    answer = await ask(Budget(), REASONED, "stop", usage=USAGE)

    assert (answer.text, answer.attempts) == ("과일은 apples", 1)


async def test_number_for_a_finish_reason_is_kept_as_it_is() -> None:
    answer = await ask(Budget(), "hi", 1, usage=USAGE)

    assert (answer.text, answer.finish_reason, answer.attempts) == ("hi", "1", 1)


async def test_fraction_of_a_token_counts_as_one() -> None:
    budget = Budget()
    answer = await ask(budget, "hi", "stop", usage={"prompt_tokens": 5.5, "completion_tokens": 2})

    assert answer.attempts == 1
    assert (budget.spent.prompt_tokens, budget.spent.completion_tokens) == (6, 2)


@pytest.mark.parametrize(
    "usage",
    [
        pytest.param([], id="list"),
        pytest.param("none", id="word"),
        pytest.param({"prompt_tokens": "many", "completion_tokens": 2}, id="word for a number"),
        pytest.param({"prompt_tokens": float("nan"), "completion_tokens": 2}, id="NaN"),
        pytest.param({"prompt_tokens": float("inf"), "completion_tokens": 2}, id="infinity"),
    ],
)
async def test_usage_that_cannot_be_read_costs_the_worst_case_and_not_the_answer(
    usage: object,
) -> None:
    budget = Budget()
    answer = await ask(budget, "hi", "stop", usage=usage)

    worst = worst_case(make_prompt())
    assert (answer.text, answer.attempts) == ("hi", 1)
    assert budget.spent[:3] == (1, worst.prompt_tokens, worst.completion_tokens)


async def test_answer_that_ended_with_an_error_is_asked_again() -> None:
    answer = await ask(Budget(), "", "error", error={"code": 502})

    assert answer.attempts == 2
    assert answer.finish_reason == "stop"
