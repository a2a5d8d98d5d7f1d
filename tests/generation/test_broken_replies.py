"""Replies that are no HTTP, and addresses and keys that are none, never show the key."""

import logging
import traceback

import pytest

from pipeline.generation.budget.budget import Budget
from pipeline.generation.teacher.addresses import UnusableAddressError
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.endings import TeacherFailedError
from tests.generation.scripted_server import Trick, serve
from tests.generation.teacher_room import KEY, MODEL, in_turn, make_prompt
from tests.generation.virtual_time import SkippedTime

OK = b"HTTP/1.1 200 OK\r\n"
BROKEN = [
    pytest.param(b"hello, this is no HTTP\r\n\r\n", id="status line"),
    pytest.param(OK + b"x-a: " + b"a" * 20_000 + b"\r\n\r\n", id="long header"),
    pytest.param(OK + b"a header without a colon\r\n\r\n", id="bad header"),
    pytest.param(OK + b"content-length: abc\r\n\r\n{}", id="bad length"),
    pytest.param(OK + b"transfer-encoding: chunked\r\n\r\nZZZ\r\nabc", id="bad chunk"),
    pytest.param(b"\x15\x03\x01\x00\x02\x02\x16", id="TLS"),
    pytest.param(OK + f"Bearer {KEY}\r\n\r\n".encode(), id="quotes the key"),
]


@pytest.mark.parametrize("reply", BROKEN)
async def test_broken_reply_is_asked_again(reply: bytes) -> None:
    with serve(in_turn([Trick(raw=reply)])) as server:
        async with Teacher(
            server.base_url, MODEL, KEY, concurrency=1, clock=SkippedTime().clock
        ) as teacher:
            answer = await teacher.complete(make_prompt(), Budget())

    assert answer.attempts == 2


@pytest.mark.parametrize("reply", BROKEN)
async def test_key_is_in_no_exception_for_a_broken_reply(
    reply: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(lambda _number, _asked: Trick(raw=reply)) as server:
        async with Teacher(
            server.base_url, MODEL, KEY, concurrency=1, max_attempts=2, clock=SkippedTime().clock
        ) as teacher:
            with pytest.raises(TeacherFailedError) as caught:
                await teacher.complete(make_prompt(), Budget())

    assert caught.value.__cause__ is caught.value.__context__ is None
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert KEY not in told + caplog.text


@pytest.mark.parametrize(
    ("url", "key"),
    [
        pytest.param("http://127.0.0.1:1/v1", "sk-한국어키", id="Korean key"),
        pytest.param("http://127.0.0.1:1/v1", "sk-secret\n", id="line break"),
        pytest.param("http://user:secret@127.0.0.1:1/v1", "", id="password"),
        pytest.param("http://[::secret/v1", "", id="half a bracket"),
        pytest.param("http://127.0.0.1:99999/v1", "", id="port"),
        pytest.param("http:///v1", "", id="no host"),
        pytest.param("localhost:8000/v1", "", id="no scheme"),
        pytest.param("sk-secret", "", id="a key for an address"),
        pytest.param("http://127.0.0.1:1/v1?key=secret", "", id="a key in the address"),
    ],
)
def test_unusable_address_or_key_is_refused_without_being_quoted(url: str, key: str) -> None:
    with pytest.raises(UnusableAddressError) as caught:
        Teacher(url, MODEL, key, concurrency=1)

    told = "".join(traceback.format_exception(caught.value))
    assert "secret" not in str(caught.value)
    assert "한국어" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "Error: OPENAI_" in told


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/v1", "https://한국.kr/v1", "http://[::1]:8/v1"]
)
async def test_usable_addresses_are_accepted(url: str) -> None:
    async with Teacher(url, MODEL, KEY, concurrency=1) as teacher:
        assert teacher.model == MODEL
