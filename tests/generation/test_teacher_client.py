"""The client against a real socket: what is retried, what ends the run, what never leaks."""

import asyncio
import logging
import socket
import time
import traceback

import pytest

from pipeline.generation.budget.budget import Budget, BudgetSpentError, Caps
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.endings import (
    TeacherFailedError,
    TeacherRefusedError,
    TeacherUnreachableError,
)
from schemas.errors import PacaloomError, UserError
from schemas.exchange import Completion, Prompt
from tests.generation.scripted_server import Asked, Script, ScriptedServer, Trick, serve
from tests.generation.teacher_room import KEY, MODEL, make_prompt
from tests.generation.virtual_time import SkippedTime

NOW = (("retry-after", "0"),)


async def ask(
    server: ScriptedServer,
    prompt: Prompt | None = None,
    *,
    budget: Budget | None = None,
    max_attempts: int = 3,
    timeout_s: float = 20,
) -> Completion:
    async with Teacher(
        server.base_url,
        MODEL,
        KEY,
        concurrency=4,
        max_attempts=max_attempts,
        timeout_s=timeout_s,
    ) as teacher:
        return await teacher.complete(prompt or make_prompt(), budget or Budget())


def once(trick: Trick) -> Script:
    return lambda number, _asked: trick if number == 1 else None


def always(trick: Trick) -> Script:
    return lambda _number, _asked: trick


async def test_answer_carries_all_that_the_endpoint_said() -> None:
    prompt = make_prompt(3)
    with serve() as server:
        server.finish_reason = "length"
        server.answer_text = lambda _body: "안녕 hello"
        completion = await ask(server, prompt)

    assert completion.id == prompt.key(MODEL)
    assert (completion.text, completion.finish_reason) == ("안녕 hello", "length")
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (11, 7)
    assert completion.attempts == 1
    assert 0 < completion.latency_s < 20


async def test_request_says_all_that_the_answer_depends_on() -> None:
    with serve() as server:
        await ask(server, make_prompt(3, with_schema=True, stop=("END",)))

    body = server.asked[0].body
    assert body["model"] == MODEL
    assert body["messages"] == [{"role": "user", "content": "Question 3"}]
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.5, 0.9, 50)
    assert (body["stop"], body["seed"]) == (["END"], 3)
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


HTML = Trick(body="<html>Welcome to my router</html>", content_type="text/html")


@pytest.mark.parametrize(
    "trick",
    [
        pytest.param(Trick(status=429, body="slow down", headers=NOW), id="429"),
        pytest.param(Trick(status=500, body="oops"), id="500"),
        pytest.param(Trick(status=503, body='{"error": {"message": "Loading model"}}'), id="503"),
        pytest.param(Trick(cut_after=30), id="cut body"),
        pytest.param(Trick(cut_after=0), id="cut before the body"),
        pytest.param(HTML, id="html"),
        pytest.param(Trick(body='{"choices": []}'), id="no choices"),
        pytest.param(Trick(body='{"choices": [{"message": {}}]}'), id="no content"),
        pytest.param(Trick(body='{"choices": [{"mess'), id="truncated JSON"),
        pytest.param(Trick(body="[" * 100_000), id="deep JSON"),
        pytest.param(Trick(body=""), id="empty body"),
        pytest.param(Trick(body="null", content_type=""), id="null"),
    ],
)
async def test_what_may_pass_is_asked_again_and_counted(trick: Trick) -> None:
    budget = Budget()
    with serve(once(trick)) as server:
        completion = await ask(server, budget=budget)

    assert completion.attempts == 2
    assert budget.requests_sent == len(server.asked) == 2


async def test_timeout_is_asked_again() -> None:
    with serve(once(Trick(hang=True))) as server:
        completion = await ask(server, timeout_s=2)

    assert completion.attempts == 2


@pytest.mark.parametrize("wait_s", [0.0, 0.8])
async def test_retry_after_is_honoured(wait_s: float) -> None:
    trick = Trick(status=429, body="slow down", headers=(("retry-after", str(wait_s)),))
    with serve(once(trick)) as server:
        started = time.monotonic()
        await ask(server)

    # Without the header the first delay is a quarter to half a second.
    assert time.monotonic() - started >= wait_s


async def test_retry_after_of_a_day_ends_the_run_at_once() -> None:
    trick = Trick(status=429, body="daily quota", headers=(("retry-after", "86400"),))
    with serve(always(trick)) as server, pytest.raises(TeacherFailedError, match="daily quota"):
        await ask(server)
    assert len(server.asked) == 1


async def test_endless_nonsense_is_one_clear_line_after_all_attempts() -> None:
    with serve(always(HTML)) as server, pytest.raises(TeacherFailedError) as caught:
        await ask(server)

    assert len(server.asked) == 3
    assert "text/html" in str(caught.value)
    assert "Welcome to my router" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, UserError)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_refusal_ends_the_run_with_the_words_of_the_endpoint(status: int) -> None:
    body = f'{{"error": {{"message": "no such thing,\\n your key {KEY} is odd"}}}}'
    with (
        serve(always(Trick(status=status, body=body))) as server,
        pytest.raises(TeacherRefusedError) as caught,
    ):
        await ask(server)

    assert len(server.asked) == 1
    assert f"HTTP {status}: no such thing, your key *** is odd" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", [280, 290, 300, 310])
async def test_key_that_the_endpoint_quotes_is_masked_before_the_words_are_cut(cut: int) -> None:
    body = "x" * cut + " " + KEY
    with serve(always(Trick(status=401, body=body))) as server, pytest.raises(UserError) as caught:
        await ask(server)

    assert KEY[:6] not in str(caught.value)


async def test_after_a_refusal_nothing_more_is_sent() -> None:
    trick = Trick(status=401, body="bad key", delay_s=0.05)
    with serve(always(trick)) as server:
        async with Teacher(server.base_url, MODEL, KEY, concurrency=2) as teacher:
            asks = [teacher.complete(make_prompt(number), Budget()) for number in range(20)]
            outcomes = await asyncio.gather(*asks, return_exceptions=True)

    assert all(isinstance(outcome, TeacherRefusedError) for outcome in outcomes)
    assert len(server.asked) <= 2


async def test_unreachable_address_is_the_users_mistake_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        time = SkippedTime()
        async with Teacher(url, MODEL, KEY, concurrency=1, clock=time.clock) as teacher:
            with pytest.raises(TeacherUnreachableError, match="cannot be reached") as caught:
                await teacher.complete(make_prompt(), Budget())

    assert time.slept == []
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 422])
async def test_endpoint_without_structured_answers_is_asked_in_plain_text(status: int) -> None:
    def refuse_schema(_number: int, asked: Asked) -> Trick | None:
        refused = Trick(status=status, body="response_format is not supported")
        return refused if "response_format" in asked.body else None

    with serve(refuse_schema) as server:
        async with Teacher(server.base_url, MODEL, KEY, concurrency=4) as teacher:
            prompts = [make_prompt(number, with_schema=True) for number in range(8)]
            await asyncio.gather(*(teacher.complete(p, Budget()) for p in prompts))

    formats = [asked.body.get("response_format", {}).get("type") for asked in server.asked]
    # Of each format those under way before its first refusal was read.
    assert 1 <= formats.count("json_schema") <= 4
    assert 1 <= formats.count("json_object") <= 4
    assert formats.count(None) == 8


async def test_concurrency_is_bounded() -> None:
    under_way: list[float] = []

    def note(_number: int, _asked: Asked) -> Trick:
        under_way.append(time.monotonic())
        return Trick(answer=True, delay_s=0.1)

    with serve(note) as server:
        async with Teacher(server.base_url, MODEL, KEY, concurrency=3) as teacher:
            await asyncio.gather(*(teacher.complete(make_prompt(n), Budget()) for n in range(9)))

    # Nine requests of 0.1 s, three at a time: any four of them span at least one answer.
    assert all(
        later - first >= 0.09 for first, later in zip(under_way, under_way[3:], strict=False)
    )


async def test_budget_is_reserved_before_a_request_is_sent() -> None:
    trick = Trick(status=500, body="no", headers=NOW)
    with serve(always(trick)) as server, pytest.raises(BudgetSpentError):
        await ask(server, budget=Budget(Caps(max_requests=2)), max_attempts=9)

    assert len(server.asked) == 2


async def test_characters_that_no_file_can_hold_are_replaced() -> None:
    with serve() as server:
        server.answer_text = lambda _body: "a\ud800b\x00c \U0001f600 한"
        completion = await ask(server)

    assert completion.text == "a\ufffdb\ufffdc \U0001f600 한"
    assert completion.model_dump_json()


@pytest.mark.parametrize("body", [f"bad {KEY}", f'{{"error": "{KEY}"}}'])
@pytest.mark.parametrize("status", [200, 401, 429])
async def test_key_is_in_no_exception_log_or_repr(
    body: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    trick = Trick(status=status, body=body, headers=NOW)
    with serve(always(trick)) as server:
        time = SkippedTime()
        teacher = Teacher(
            server.base_url, MODEL, KEY, concurrency=1, max_attempts=2, clock=time.clock
        )
        async with teacher:
            with pytest.raises(PacaloomError) as caught:
                await teacher.complete(make_prompt(), Budget())

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert KEY not in told + repr(teacher) + caplog.text
