"""What an endpoint's headers say about waiting, in every form that was met."""

import math
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generation.teacher.waiting import read_duration, read_exhaustion, read_retry_after

NOON = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("20ms", 0.02),
        ("1.5", 1.5),
        ("7.66s", 7.66),
        ("1h30m0s", 5400),
        ("1m0.5s", 60.5),
        ("2m59.56s", 179.56),
        ("1d2h", 93_600),
        ("120ms", 0.12),
        ("0", 0),
        ("", 0),
        ("soon", 0),
        ("-3", 0),
        ("nan", 0),
        ("inf", 0),
        ("1s2h", 0),
    ],
)
def test_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert read_duration(text) == pytest.approx(seconds)


@given(st.text(max_size=20))
def test_no_text_is_an_endless_duration_or_an_error(text: str) -> None:
    assert 0 <= read_duration(text) < math.inf
    wait = read_retry_after(text, NOON)
    assert wait is None or 0 <= wait < math.inf


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("7", 7, id="seconds"),
        pytest.param("1.25", 1.25, id="part of a second"),
        pytest.param("-5", 0, id="negative"),
        pytest.param("nan", None, id="no number"),
        pytest.param("inf", None, id="endless"),
        pytest.param("soon", None, id="words"),
        pytest.param(formatdate(NOON + 90, usegmt=True), 90, id="date"),
        pytest.param(formatdate(NOON - 90, usegmt=True), 0, id="past date"),
        pytest.param(formatdate(NOON + 9e8, usegmt=True), None, id="date in another age"),
        pytest.param("Wed, 99 Foo 2026 00:00:00 GMT", None, id="broken date"),
        pytest.param(None, None, id="missing"),
    ],
)
def test_retry_after_is_read_as_seconds_from_now(header: str | None, seconds: float | None) -> None:
    assert read_retry_after(header, NOON) == seconds


def headers(**fields: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"Content-Type", b"application/json"),
        *((f"X-RateLimit-{n.replace('_', '-')}".encode(), v.encode()) for n, v in fields.items()),
    ]


@pytest.mark.parametrize(
    ("given_headers", "seconds"),
    [
        pytest.param(headers(remaining_requests="0", reset_requests="6m0s"), 0, id="too far"),
        pytest.param(headers(remaining_requests="0", reset_requests="1m1s"), 61, id="requests"),
        pytest.param(headers(remaining_tokens="0", reset_tokens="20ms"), 0.02, id="tokens"),
        pytest.param(headers(remaining_tokens="9", reset_tokens="20s"), 0, id="room left"),
        pytest.param(headers(remaining_tokens="-1", reset_tokens="20s"), 0, id="azure"),
        pytest.param(headers(remaining_tokens="0"), 0, id="no reset"),
        pytest.param(headers(reset_tokens="5s"), 0, id="no remaining"),
        pytest.param([], 0, id="no headers"),
        pytest.param(
            headers(
                remaining_requests="0",
                reset_requests="2s",
                remaining_tokens="0",
                reset_tokens="3s",
            ),
            3,
            id="the longer of both",
        ),
    ],
)
def test_exhausted_limit_is_waited_for(
    given_headers: list[tuple[bytes, bytes]], seconds: float
) -> None:
    assert read_exhaustion(given_headers) == pytest.approx(seconds)
