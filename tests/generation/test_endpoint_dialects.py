"""What an endpoint refuses by name is left out, once, and everything else ends the run."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.generation.budget.budget import Budget
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.endings import RawCompletionsMissingError, TeacherRefusedError
from schemas.errors import UserError
from schemas.exchange import Completion, Prompt
from tests.generation.scripted_server import Asked, ScriptedServer, Trick, serve
from tests.generation.teacher_room import KEY, MODEL, make_prompt, make_raw_prompt, refuse


async def ask_all(server: ScriptedServer, prompts: list[Prompt]) -> list[Completion]:
    """Ask one prompt after the other, of one teacher."""
    async with Teacher(server.base_url, MODEL, KEY, concurrency=4) as teacher:
        return [await teacher.complete(prompt, Budget()) for prompt in prompts]


def refuse_when(
    is_wrong: Callable[[dict[str, Any]], bool], trick: Trick
) -> Callable[[int, Asked], Trick | None]:
    return lambda _number, asked: trick if is_wrong(asked.body) else None


# Words of real endpoints: OpenAI, transformers serve, Groq, FastAPI's own, LiteLLM.
OPENAI_MAX = refuse(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
    "'max_completion_tokens' instead.",
    param="max_tokens",
    code="unsupported_parameter",
)
OPENAI_TEMPERATURE = refuse(
    "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) "
    "value is supported.",
    param="temperature",
    code="unsupported_value",
)
UNEXPECTED_SEED = Trick(status=422, body='{"detail": "Unexpected keys in the request: {\'seed\'}"}')
PROPERTY_TOP_P = refuse("property 'top_p' is unsupported", type="invalid_request_error")
EXTRA_STOP = Trick(
    status=422,
    body=json.dumps(
        {
            "detail": [
                {
                    "loc": ["body", "stop"],
                    "msg": "Extra inputs are not permitted",
                    "input": {"temperature": 0.5, "seed": 0},
                }
            ]
        }
    ),
)


@pytest.mark.parametrize(
    ("name", "trick"),
    [
        pytest.param("temperature", OPENAI_TEMPERATURE, id="openai-temperature"),
        pytest.param("seed", UNEXPECTED_SEED, id="seed"),
        pytest.param("top_p", PROPERTY_TOP_P, id="top_p"),
        pytest.param("stop", EXTRA_STOP, id="stop"),
    ],
)
async def test_refused_wish_is_left_out_from_then_on(
    name: str, trick: Trick, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(refuse_when(lambda body: name in body, trick)) as server:
        answers = await ask_all(server, [make_prompt(n, stop=("END",)) for n in range(3)])

    assert [answer.attempts for answer in answers] == [2, 1, 1]
    assert [name in asked.body for asked in server.asked] == [True, False, False, False]
    others = {"temperature", "top_p", "seed", "stop", "max_tokens"} - {name}
    assert all(others <= asked.body.keys() for asked in server.asked)
    [warning] = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert name in warning
    assert f"HTTP {trick.status}" in warning


async def test_reasoning_model_is_asked_with_its_own_name_for_the_length() -> None:
    with serve(refuse_when(lambda body: "max_tokens" in body, OPENAI_MAX)) as server:
        await ask_all(server, [make_prompt(0), make_prompt(1)])

    lengths = [asked.body.get("max_completion_tokens") for asked in server.asked]
    assert lengths == [None, 50, 50]


async def test_all_wishes_may_be_refused_one_after_the_other() -> None:
    def be_strict(_number: int, asked: Asked) -> Trick | None:
        for name in ("max_tokens", "response_format", "temperature", "top_p", "seed", "stop"):
            if name in asked.body:
                return refuse(f"unknown argument: {name}", param=name)
        return None

    with serve(be_strict) as server:
        [answer] = await ask_all(server, [make_prompt(with_schema=True, stop=("END",))])

    assert answer.attempts == 8
    assert server.asked[-1].body.keys() == {"model", "messages", "max_completion_tokens"}


@pytest.mark.parametrize(
    ("trick", "words"),
    [
        pytest.param(refuse("no", param="temperature"), "HTTP 400: no", id="named again"),
        pytest.param(refuse("the max_tokens and seed are cursed"), "are cursed", id="many"),
        pytest.param(refuse("maximum context length is 4096"), "context length", id="nothing"),
        pytest.param(Trick(status=422, body=""), "(empty body)", id="no words"),
    ],
)
async def test_endpoint_that_refuses_for_ever_ends_the_run_with_its_words(
    trick: Trick, words: str
) -> None:
    with serve(lambda _number, _asked: trick) as server:
        with pytest.raises(TeacherRefusedError) as caught:
            await ask_all(server, [make_prompt(with_schema=True)])
        assert len(server.asked) <= 8
    assert words in str(caught.value)


async def test_structured_answers_fall_back_to_json_and_then_to_text() -> None:
    def lack_schema(_number: int, asked: Asked) -> Trick | None:
        kind = asked.body.get("response_format", {}).get("type")
        return refuse("json_schema is not supported") if kind == "json_schema" else None

    with serve(lack_schema) as server:
        await ask_all(server, [make_prompt(n, with_schema=True) for n in range(2)])

    kinds = [asked.body["response_format"]["type"] for asked in server.asked]
    assert kinds == ["json_schema", "json_object", "json_object"]


async def test_endpoint_that_ignores_response_format_is_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serve() as server:
        server.answer_text = lambda _body: "Sure! 지시: 과일 세 가지를 말해 줘."
        answers = await ask_all(server, [make_prompt(n, with_schema=True) for n in range(3)])

    assert [answer.text for answer in answers] == ["Sure! 지시: 과일 세 가지를 말해 줘."] * 3
    assert len([r for r in caplog.records if "ignore response_format" in r.getMessage()]) == 1


async def test_prompts_under_way_learn_from_the_same_refusal() -> None:
    with serve(refuse_when(lambda body: "max_tokens" in body, OPENAI_MAX)) as server:
        async with Teacher(server.base_url, MODEL, KEY, concurrency=64) as teacher:
            asks = [teacher.complete(make_prompt(n), Budget()) for n in range(40)]
            await asyncio.gather(*asks)

    assert len([asked for asked in server.asked if "max_tokens" in asked.body]) <= 4


async def test_prompt_that_the_content_filter_refuses_is_answered_with_nothing() -> None:
    # Azure says so with 400. As an error it would end every run that draws the prompt.
    trick = refuse("The response was filtered", param="prompt", code="content_filter")
    budget = Budget()
    with serve(lambda _number, _asked: trick) as server:
        async with Teacher(server.base_url, MODEL, KEY, concurrency=1) as teacher:
            answer = await teacher.complete(make_prompt(), budget)

    assert (answer.text, answer.finish_reason) == ("", "content_filter")
    assert budget.spent.completion_tokens == 50  # billed without being counted: the worst case


LLAMA_CONTEXT = Trick(
    status=400,
    body='{"error": {"code": 400, "message": "the request exceeds the available context size", '
    '"type": "exceed_context_size_error"}}',
)


@pytest.mark.parametrize(
    ("trick", "code"),
    [
        pytest.param(refuse("flagged", code="invalid_prompt"), "invalid_prompt", id="OpenAI"),
        pytest.param(
            refuse("maximum context length", param="messages", code="context_length_exceeded"),
            "context_length_exceeded",
            id="OpenAI's length",
        ),
        pytest.param(LLAMA_CONTEXT, "exceed_context_size_error", id="llama.cpp's length"),
    ],
)
async def test_prompt_that_cannot_be_answered_ends_no_run(trick: Trick, code: str) -> None:
    with serve(refuse_when(lambda body: body["seed"] == 0, trick)) as server:
        answers = await ask_all(server, [make_prompt(n) for n in range(2)])

    assert [answer.finish_reason for answer in answers] == [code, "stop"]
    assert answers[0].text == ""


@pytest.mark.parametrize(
    "trick",
    [
        pytest.param(
            refuse(
                "This model's maximum context length is 2048 tokens. However, you requested "
                "'max_tokens' 2048"
            ),
            id="context",
        ),
        pytest.param(refuse("max_tokens is too large: 5000", param="max_tokens"), id="too large"),
    ],
)
async def test_length_refused_for_its_size_is_not_sent_under_another_name(trick: Trick) -> None:
    with serve(lambda _number, _asked: trick) as server:
        with pytest.raises(TeacherRefusedError, match="HTTP 400"):
            await ask_all(server, [make_prompt()])
        assert len(server.asked) == 1


async def test_raw_text_is_continued_by_the_raw_endpoint() -> None:
    with serve() as server:
        server.answer_text = lambda _body: "서울의 인구를 알려 줘."
        [answer] = await ask_all(server, [make_raw_prompt("<|user|>\n")])

    assert answer.text == "서울의 인구를 알려 줘."
    assert server.asked[0].path == "/v1/completions"
    assert server.asked[0].body["prompt"] == "<|user|>\n"
    assert "messages" not in server.asked[0].body


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_endpoint_that_only_chats_ends_raw_prompts_alone(status: int) -> None:
    def only_chat(_number: int, asked: Asked) -> Trick | None:
        return refuse("no such path", status=status) if "prompt" in asked.body else None

    with serve(only_chat) as server:
        async with Teacher(server.base_url, MODEL, KEY, concurrency=2) as teacher:
            with pytest.raises(RawCompletionsMissingError):
                await teacher.complete(make_raw_prompt(), Budget())
            with pytest.raises(RawCompletionsMissingError) as caught:
                await teacher.complete(make_raw_prompt(), Budget())
            answer = await teacher.complete(make_prompt(), Budget())

    assert answer.text
    assert [asked.path for asked in server.asked] == ["/v1/completions", "/v1/chat/completions"]
    assert isinstance(caught.value, UserError)
    assert "'magpie'" in str(caught.value)
    assert "no such path" in str(caught.value)


async def test_chat_and_raw_paths_learn_apart() -> None:
    def refuse_in_chat(_number: int, asked: Asked) -> Trick | None:
        return OPENAI_MAX if {"messages", "max_tokens"} <= asked.body.keys() else None

    with serve(refuse_in_chat) as server:
        await ask_all(server, [make_prompt(), make_raw_prompt()])

    assert server.asked[-1].body["max_tokens"] == 50
