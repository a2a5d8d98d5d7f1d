"""The Batch API against a real socket: how batches end, and what is asked again."""

import asyncio
import json
import logging
import socket
import traceback
from pathlib import Path
from typing import Any

import pytest

from pipeline.generation.batch.life import NoBatchApiError
from pipeline.generation.batch.teacher import BatchTeacher
from pipeline.generation.budget.budget import Budget
from pipeline.generation.journal.journal import Journal
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.endings import (
    TeacherFailedError,
    TeacherRefusedError,
    TeacherUnreachableError,
)
from pipeline.generation.teacher.waiting import Clock
from schemas.errors import UserError
from schemas.exchange import Completion
from tests.generation.batch_run import (
    KEY,
    MODEL,
    ask,
    ask_and_write,
    keys_of,
    make_prompts,
    make_teacher,
)
from tests.generation.batch_server import BatchFate, LineFate, Mishap, serve_batches

EXPIRED = LineFate(status=0)
NO_LINE = LineFate(raw="")


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    with Journal(tmp_path / "j.sqlite") as journal:
        yield journal


def without_time(completion: Completion) -> Completion:
    return completion.model_copy(update={"latency_s": 0.0, "attempts": 1})


async def test_answers_are_those_of_the_live_endpoint(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    prompts = make_prompts(5)
    with serve_batches(lambda _number, _size: BatchFate(repeat=True)) as server:
        async with Teacher(server.base_url, MODEL, KEY, concurrency=2) as live:
            wanted = [await live.complete(prompt, Budget()) for prompt in prompts]
        async with make_teacher(server, journal) as teacher:
            answers = await ask_and_write(teacher, journal, prompts)

    assert list(map(without_time, answers)) == list(map(without_time, wanted))
    assert server.batch_sizes == [5]
    assert set(server.paid.values()) == {1}
    assert server.authorizations == {f"Bearer {KEY}"}
    assert "still running" not in caplog.text
    assert journal.read_batches() == []


async def test_prompts_beyond_the_most_go_into_more_batches(journal: Journal) -> None:
    with serve_batches() as server:
        async with make_teacher(server, journal, most_prompts=2) as teacher:
            await ask_and_write(teacher, journal, make_prompts(5))

    assert sorted(server.batch_sizes) == [1, 2, 2]
    assert journal.read_batches() == []


async def test_prompt_asked_twice_at_once_is_submitted_once(journal: Journal) -> None:
    (prompt,) = make_prompts(1)
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            first, second = await ask(teacher, [prompt, prompt])

    assert without_time(first) == without_time(second)
    assert server.submitted == {prompt.key(MODEL): 1}


@pytest.mark.parametrize(
    ("status", "rest"),
    [
        ("expired", EXPIRED),
        ("CANCELLED", NO_LINE),
        ("canceled", NO_LINE),
        ("succeeded", NO_LINE),
        ("failed", NO_LINE),
    ],
)
async def test_answers_of_a_cut_batch_are_kept_and_the_rest_asked_again(
    journal: Journal, status: str, rest: LineFate
) -> None:
    def plan(number: int, _size: int) -> BatchFate:
        cut = BatchFate(status, lines=lambda n, _line: LineFate() if n < 4 else rest)
        return cut if number == 1 else BatchFate()

    prompts = make_prompts(6)
    with serve_batches(plan) as server:
        async with make_teacher(server, journal) as teacher:
            answers = await ask_and_write(teacher, journal, prompts)

    assert server.batch_sizes == [6, 2]
    assert [answer.attempts for answer in answers] == [1, 1, 1, 1, 2, 2]
    assert [answer.id for answer in answers] == keys_of(prompts)
    assert journal.read_batches() == []


@pytest.mark.parametrize("status", [429, 500])
async def test_lines_that_failed_for_a_while_are_asked_again(journal: Journal, status: int) -> None:
    def plan(number: int, _size: int) -> BatchFate:
        failing = LineFate(status, "try later")
        half = BatchFate(lines=lambda n, _line: failing if n % 2 else LineFate())
        return half if number == 1 else BatchFate()

    with serve_batches(plan) as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, make_prompts(5))

    assert server.batch_sizes == [5, 2]
    assert set(server.paid.values()) == {1}


async def test_prompt_is_given_up_after_its_attempts(journal: Journal) -> None:
    plan = BatchFate(lines=lambda n, _line: LineFate(500, "odd") if n == 0 else LineFate())
    with serve_batches(lambda _number, _size: plan) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherFailedError, match=r"3 requests .* HTTP 500: odd") as caught:
                await ask(teacher, make_prompts(3))

    assert max(server.submitted.values()) == 3
    assert not isinstance(caught.value, UserError)


@pytest.mark.parametrize("raw", ["{broken", "null"])
async def test_unreadable_line_is_read_again_before_it_is_paid_again(
    journal: Journal, raw: str
) -> None:
    def plan(number: int, _size: int) -> BatchFate:
        odd = BatchFate(lines=lambda n, _line: LineFate(raw=raw) if n == 1 else LineFate())
        return odd if number == 1 else BatchFate()

    with serve_batches(plan) as server:
        async with make_teacher(server, journal) as teacher:
            await ask(teacher, make_prompts(3))

    assert server.batch_sizes == [3, 1]
    assert server.requests["GET /v1/files/{id}/content"] == 3 + 1


@pytest.mark.parametrize("status", [400, 401])
async def test_refused_line_ends_the_run_with_the_words_of_the_endpoint(
    journal: Journal, status: int
) -> None:
    refusing = BatchFate(lines=lambda _n, _line: LineFate(status, f"no such\nthing, {KEY}"))
    prompts = make_prompts(4)
    with serve_batches(lambda _number, _size: refusing) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherRefusedError) as caught:
                await ask(teacher, prompts[:3])
            with pytest.raises(TeacherRefusedError):
                await ask(teacher, prompts[3:])

    assert f"HTTP {status}: no such thing, ***" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert server.batch_sizes == [3]


async def test_parameters_that_the_model_refuses_are_left_out_in_the_next_batch(
    journal: Journal,
) -> None:
    with serve_batches(lambda _number, _size: BatchFate(lines=refuse_sampling)) as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, make_prompts(4))

    assert server.batch_sizes == [4, 4, 4]
    assert server.bodies[-1]["max_completion_tokens"] == 50
    assert server.bodies[-1]["response_format"]["type"] == "json_schema"


def refuse_sampling(_number: int, line: dict[str, Any]) -> LineFate:
    """Refuse one parameter at a time, as reasoning models do."""
    for name in ("max_tokens", "temperature"):
        if name in line["body"]:
            return LineFate(400, f"Unsupported parameter: '{name}'", name)
    return LineFate()


async def test_many_prompts_wait_for_one_that_learns_what_the_model_refuses(
    journal: Journal,
) -> None:
    prompts = make_prompts(60)
    budget = Budget()
    with serve_batches(lambda _number, _size: BatchFate(lines=refuse_sampling)) as server:
        async with make_teacher(server, journal) as teacher:
            await ask(teacher, prompts, budget)

    assert server.batch_sizes == [1, 1, 1, 59]
    assert budget.spent.requests == server.submitted.total()
    assert set(server.paid.values()) == {1}


async def test_batch_that_fails_validation_is_told_with_its_line(journal: Journal) -> None:
    error = {"code": "invalid_request", "line": 2, "message": f"bad\nmodel, {KEY}"}
    refused = BatchFate("failed", errors=(error,) * 5)
    with serve_batches(lambda _number, _size: refused) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherRefusedError, match=r"line 2: bad model, \*\*\*") as caught:
                await ask(teacher, make_prompts(3))

    assert "(and 2 more)" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert journal.read_batches() == []


FULL = ({"code": "token_limit_exceeded", "message": "Enqueued token limit reached"},)


async def test_batches_that_the_queue_cannot_hold_get_smaller(journal: Journal) -> None:
    def plan(_number: int, size: int) -> BatchFate:
        return BatchFate("failed", errors=FULL) if size > 2 else BatchFate()

    with serve_batches(plan) as server:
        async with make_teacher(server, journal) as teacher:
            answers = await ask_and_write(teacher, journal, make_prompts(8))

    assert set(server.submitted.values()) == {1}
    assert {answer.attempts for answer in answers} == {1}
    assert server.batch_sizes[0] == 8
    assert server.batch_sizes[-4:] == [2, 2, 2, 2]
    assert journal.read_batches() == []


async def test_small_queue_that_batches_share_answers_all(journal: Journal) -> None:
    def plan(_number: int, size: int) -> BatchFate:
        is_full = server.count_under_way() + size > 2
        return BatchFate("failed", errors=FULL) if is_full else BatchFate()

    with serve_batches(plan) as server:
        async with make_teacher(server, journal, most_prompts=4) as teacher:
            answers = await ask_and_write(teacher, journal, make_prompts(12))

    assert server.submitted.total() == 12
    assert {answer.attempts for answer in answers} == {1}
    # A batch of four found no room; then each batch of two was turned away once, at most.
    assert sum(server.batch_sizes) <= 4 + 2 * 12


async def test_single_prompt_is_tried_again_while_others_fill_the_queue(journal: Journal) -> None:
    def plan(number: int, _size: int) -> BatchFate:
        return BatchFate("failed", errors=FULL) if number < 3 else BatchFate()

    with serve_batches(plan) as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, make_prompts(1))

    assert server.batch_sizes == [1, 1, 1]


async def test_queue_without_room_for_one_prompt_ends_the_run(journal: Journal) -> None:
    with serve_batches(lambda _number, _size: BatchFate("failed", errors=FULL)) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherFailedError, match="Enqueued token limit reached"):
                await ask(teacher, make_prompts(2))

    assert not server.submitted


@pytest.mark.parametrize("batch_id", ["", "..", "\ud800"])
async def test_id_that_no_request_can_name_is_nonsense(journal: Journal, batch_id: str) -> None:
    body = json.dumps({"id": batch_id, "status": "validating"})

    def script(name: str, _number: int) -> Mishap | None:
        return Mishap(status=200, body=body) if name == "POST /v1/batches" else None

    with serve_batches(script=script) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherFailedError, match="no batch but"):
                await ask(teacher, make_prompts(1))

    # It may have been created all the same: the next run looks for it.
    assert journal.read_batches()[0].id.startswith("intent:")


async def test_batch_that_takes_longer_than_a_day_is_warned_of_once(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    hours = 0

    async def sleep(_seconds: float) -> None:
        nonlocal hours
        hours += 1

    plan = BatchFate(polls=60)
    clock = Clock(now=lambda: hours * 3600.0, sleep=sleep)
    with serve_batches(lambda _number, _size: plan) as server:
        async with make_teacher(server, journal, clock=clock) as teacher:
            await ask_and_write(teacher, journal, make_prompts(1))

    assert caplog.text.count("batch_1 should have ended after 24 hours") == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("POST /v1/files", 404), ("POST /v1/batches", 404), ("POST /v1/files", 501)],
)
async def test_endpoint_without_batches_is_told_to_be_used_live(
    journal: Journal, path: str, status: int
) -> None:
    def script(name: str, _number: int) -> Mishap | None:
        return Mishap(status=status, body='{"detail": "Not Found"}') if name == path else None

    budget = Budget()
    with serve_batches(script=script) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(NoBatchApiError, match=r"no Batch API.*Not Found.*transport live"):
                await ask(teacher, make_prompts(2), budget)

    assert isinstance(NoBatchApiError(""), UserError)
    assert budget.spent.completion_tokens == 0
    assert journal.read_batches() == []


async def test_raw_text_is_refused_before_anything_is_sent(journal: Journal) -> None:
    (prompt,) = make_prompts(1)
    raw = prompt.model_copy(update={"messages": (), "raw": "<|user|>", "strategy": "magpie"})
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(NoBatchApiError, match="'magpie' needs raw text"):
                await teacher.complete(raw, Budget())

    assert not server.requests


async def test_wrong_key_ends_the_run_at_the_upload(journal: Journal) -> None:
    trick = Mishap(status=401, body=f'{{"error": {{"message": "Incorrect key {KEY}"}}}}')
    budget = Budget()
    with serve_batches(script=lambda _name, _number: trick) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherRefusedError, match=r"HTTP 401: Incorrect key \*\*\*"):
                await ask(teacher, make_prompts(3), budget)

    assert server.requests.total() == 1
    assert budget.spent.completion_tokens == 0


async def test_unreachable_address_is_the_users_mistake(journal: Journal) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        async with BatchTeacher(url, MODEL, journal=journal, gather_s=0.01) as teacher:
            with pytest.raises(TeacherUnreachableError, match="cannot be reached"):
                await ask(teacher, make_prompts(1))


async def test_endless_server_errors_end_the_run(journal: Journal) -> None:
    trick = Mishap(status=500, body="oops")
    with serve_batches(script=lambda _name, _number: trick) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherFailedError, match=r"3 times in a row.*HTTP 500: oops"):
                await ask(teacher, make_prompts(1))

    assert server.requests.total() == 3


async def test_every_other_request_may_fail(journal: Journal) -> None:
    def script(_name: str, number: int) -> Mishap | None:
        return Mishap(status=503, headers=(("retry-after", "0"),)) if number % 2 else None

    plan = BatchFate(polls=5)
    with serve_batches(lambda _number, _size: plan, script) as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, make_prompts(4))

    assert set(server.submitted.values()) == {1}
    assert journal.read_batches() == []


@pytest.mark.parametrize("name", ["POST /v1/files", "POST /v1/batches", "GET /v1/batches/{id}"])
async def test_lost_reply_pays_for_nothing_twice(journal: Journal, name: str) -> None:
    def script(asked: str, number: int) -> Mishap | None:
        return Mishap(is_reply_lost=True) if asked == name and number == 1 else None

    with serve_batches(script=script) as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, make_prompts(4))

    assert server.batch_sizes == [4]
    assert journal.read_batches() == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("POST /v1/files", "<html>"),
        ("POST /v1/batches", "null"),
        ("GET /v1/batches/{id}", "<html>"),
    ],
)
async def test_nonsense_for_a_reply_is_asked_again(journal: Journal, name: str, body: str) -> None:
    def script(asked: str, number: int) -> Mishap | None:
        return Mishap(status=200, body=body) if asked == name and number == 1 else None

    with serve_batches(script=script) as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, make_prompts(2))

    assert server.batch_sizes == [2]


@pytest.mark.parametrize("cut_after", [0, 200])
async def test_file_that_breaks_off_is_read_again(journal: Journal, cut_after: int) -> None:
    def script(name: str, number: int) -> Mishap | None:
        is_first = name == "GET /v1/files/{id}/content" and number == 1
        return Mishap(cut_after=cut_after) if is_first else None

    with serve_batches(script=script) as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, make_prompts(4))

    assert server.batch_sizes == [4]
    assert server.requests["GET /v1/files/{id}/content"] == 2


async def test_cancelled_caller_takes_its_prompt_back_before_it_is_sent(journal: Journal) -> None:
    prompts = make_prompts(2)
    budget = Budget()
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            tasks = [asyncio.create_task(teacher.complete(p, budget)) for p in prompts]
            while budget.requests_sent < 2:
                await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    assert dict(server.submitted) == {prompts[1].key(MODEL): 1}
    assert budget.spent.completion_tokens == 7


NO_STATUS_LINE = f"bad {KEY}\r\n\r\n".encode()
NO_CHUNK_SIZE = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n"


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        pytest.param("POST /v1/files", NO_STATUS_LINE, id="upload"),
        pytest.param("GET /v1/files/{id}/content", NO_STATUS_LINE, id="file"),
        pytest.param("GET /v1/files/{id}/content", NO_CHUNK_SIZE, id="content of a file"),
    ],
)
async def test_reply_that_is_no_http_is_asked_again_and_told_without_the_key(
    journal: Journal, name: str, reply: bytes
) -> None:
    broken = Mishap(reply=reply)
    with serve_batches(script=lambda asked, _n: broken if asked == name else None) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherFailedError, match="3 times in a row") as caught:
                await ask(teacher, make_prompts(1))

    assert server.requests[name] == 3
    assert KEY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


async def test_wish_to_wait_is_dated_by_the_endpoints_clock(journal: Journal) -> None:
    """Its clock is twenty-six years behind ours, and it wants no request for ten minutes."""
    headers = (
        ("date", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ("retry-after", "Sat, 01 Jan 2000 00:10:00 GMT"),
    )
    busy = Mishap(status=503, headers=headers)
    with serve_batches(script=lambda _name, _number: busy) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherFailedError, match="no request for 600 seconds"):
                await ask(teacher, make_prompts(1))


QUOTED = Mishap(status=401, body=f'{{"error": {{"message": "bad {KEY}"}}}}')


@pytest.mark.parametrize(
    "name",
    ["POST /v1/files", "POST /v1/batches", "GET /v1/batches/{id}", "GET /v1/files/{id}/content"],
)
async def test_key_is_in_no_exception_log_repr_or_journal(
    journal: Journal, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve_batches(script=lambda asked, _n: QUOTED if asked == name else None) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherRefusedError, match=r"bad \*\*\*") as caught:
                await ask(teacher, make_prompts(2))
            told = repr(teacher)

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    told += "".join(traceback.format_exception(caught.value)) + repr(journal.read_batches())
    assert KEY not in told + caplog.text
