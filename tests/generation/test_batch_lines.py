"""The files of a batch: what is written, and what is made of whatever comes back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generation.batch.gathering import MOST_BYTES, BatchLine, take_batch
from pipeline.generation.batch.lines import read_line, write_line
from pipeline.generation.teacher.answers import Answer, Failure, Fault
from pipeline.generation.teacher.bodies import Dialect, write_body
from tests.generation.batch_run import make_prompts

SECRET = b"sk-0123456789abcdef"


def mask(body: bytes) -> bytes:
    return body.replace(SECRET, b"***")


def line(response: Any = None, error: Any = None) -> bytes:
    return json.dumps({"custom_id": "k", "response": response, "error": error}).encode()


def test_request_line_is_one_line_with_the_body_of_the_live_endpoint() -> None:
    (prompt,) = make_prompts(1)
    body = write_body("m", prompt, Dialect())

    written = write_line("k", body)

    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1
    assert json.loads(written) == {
        "custom_id": "k",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": json.loads(body),
    }


@pytest.mark.parametrize("text", ["Plain.", "한국어 답변", "a\u2028b", "\ud800", "", "x\x00y"])
def test_answer_is_read_as_the_live_client_reads_it(text: str) -> None:
    choice = {"message": {"content": text}, "finish_reason": "length"}
    body = {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}

    ended = read_line(line({"status_code": 200, "body": body}), mask)

    assert ended is not None
    assert isinstance(ended.outcome, Answer)
    readable = text.replace("\ud800", "\ufffd").replace("\x00", "\ufffd")  # no file holds these
    assert ended.outcome == Answer(readable, "length", 3, 4)


@pytest.mark.parametrize(
    ("read", "fault", "may_be_billed"),
    [
        pytest.param(line({"status_code": 429, "body": {}}), Fault.OVERLOADED, False, id="429"),
        pytest.param(line({"status_code": 500, "body": None}), Fault.RETRY, True, id="500"),
        pytest.param(line({"status_code": 400, "body": "no"}), Fault.PARAMETER, False, id="400"),
        pytest.param(line({"status_code": 401, "body": {}}), Fault.REFUSED, False, id="401"),
        pytest.param(line({"status_code": 200, "body": {}}), Fault.RETRY, True, id="no answer"),
        pytest.param(line(error={"code": "batch_expired"}), Fault.RETRY, False, id="expired"),
        pytest.param(line(error={"code": "odd"}), Fault.RETRY, True, id="another error"),
        pytest.param(line(), Fault.RETRY, True, id="neither"),
    ],
)
def test_failed_line_says_what_to_do_and_whether_it_may_cost(
    read: bytes, fault: Fault, *, may_be_billed: bool
) -> None:
    ended = read_line(read, mask)

    assert ended is not None
    assert isinstance(ended.outcome, Failure)
    assert (ended.outcome.fault, ended.outcome.may_be_billed) == (fault, may_be_billed)


@pytest.mark.parametrize("padding", [0, 280, 290, 300])
def test_key_is_masked_before_the_words_are_cut(padding: int) -> None:
    words = "x" * padding + SECRET.decode()
    for read in (
        line({"status_code": 400, "body": {"error": {"message": words}}}),
        line(error={"code": words, "message": words}),
    ):
        ended = read_line(read, mask)
        assert ended is not None
        assert "sk-0" not in str(ended.outcome)


@pytest.mark.parametrize("read", [b"[" * 50_000, b'{"custom_id": 7}', b"{broken", b"null"])
def test_what_is_no_line_of_a_batch_is_told_apart(read: bytes) -> None:
    assert read_line(read, mask) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)
loose_lines = st.fixed_dictionaries(
    {},
    optional={
        "custom_id": st.text() | json_values,
        "response": json_values
        | st.fixed_dictionaries({"status_code": st.integers(), "body": json_values}),
        "error": json_values | st.fixed_dictionaries({"code": st.text(), "message": st.text()}),
    },
)


@given(loose_lines.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_no_line_raises(read: bytes) -> None:
    ended = read_line(read, mask)

    assert ended is None or isinstance(ended.outcome, Answer | Failure)


@given(st.lists(st.integers(0, MOST_BYTES + 1), max_size=12), st.integers(1, 5))
def test_batches_keep_order_and_both_limits(sizes: list[int], most_prompts: int) -> None:
    class Sized(bytes):
        """Bytes that claim a length without taking the memory."""

        def __new__(cls, size: int) -> "Sized":
            made = super().__new__(cls)
            made.size = size
            return made

        size: int

        def __len__(self) -> int:
            return self.size

    lines: Any = [BatchLine(str(n), Sized(s), Dialect(), None) for n, s in enumerate(sizes)]  # pyright: ignore[reportArgumentType]

    left = lines
    while left:
        batch = take_batch(left, most_prompts)

        assert batch == left[: len(batch)]
        left = left[len(batch) :]
        assert 1 <= len(batch) <= most_prompts
        assert len(batch) == 1 or sum(len(line.request) for line in batch) <= MOST_BYTES
