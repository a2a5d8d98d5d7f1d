"""Read an endpoint's reply: an answer, or a failure with what is to be done about it.

Failures are values here and not exceptions, because an exception of the HTTP client drags the
request along, and with it the API key.
"""

import json
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from pipeline.generation.strategies.drafting import clean


class Fault(Enum):
    """What is to be done about a failed request."""

    RETRY = "retry"
    """Overload, timeout, cut connection, nonsense: may pass."""
    UNREACHABLE = "unreachable"
    """No connection came about: wrong address, or the server is not up."""
    SCHEMA = "schema"
    """400 to a request with a response schema: perhaps the endpoint has no structured answers."""
    REFUSED = "refused"
    """The endpoint understood and will not: wrong key, model or parameter."""


class Failure(NamedTuple):
    """A request that brought no answer."""

    fault: Fault
    words: str
    """One line: the status and what the endpoint said."""
    retry_after_s: float | None = None
    """How long the endpoint asks to wait."""


class Answer(NamedTuple):
    """What is read from a reply."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Reply(BaseModel):
    choices: list[_Choice]
    usage: _Usage | None = None


class _ErrorBody(BaseModel):
    message: str


def read_answer(body: bytes, content_type: str) -> Answer | Failure:
    """Read the body of a reply with status 200; anything but a completion may pass, so retry."""
    try:
        # json.loads and not model_validate_json: a body may hold lone surrogates as \\ud800.
        reply = _Reply.model_validate(json.loads(body))
        choice = reply.choices[0]
    except (ValueError, RecursionError, IndexError):
        return Failure(Fault.RETRY, f"no completion but {_describe_body(body, content_type)}")
    if choice.message.content is None and choice.finish_reason is None:
        return Failure(Fault.RETRY, "a choice without content and without finish_reason")
    usage = reply.usage or _Usage()
    return Answer(
        clean(choice.message.content or ""),
        clean(choice.finish_reason or "stop"),
        max(usage.prompt_tokens or 0, 0),
        max(usage.completion_tokens or 0, 0),
    )


def read_failure(status: int, body: bytes, retry_after: str | None, now_s: float) -> Failure:
    """Sort a reply with another status than 200."""
    words = f"HTTP {status}: {_read_words(body)}"
    if status in (408, 409, 425, 429) or status >= 500:
        return Failure(Fault.RETRY, words, _read_retry_after(retry_after, now_s))
    return Failure(Fault.SCHEMA if status in (400, 422) else Fault.REFUSED, words)


def one_line(text: str, limit: int = 300) -> str:
    """Fold white space and cut what is too long for a message."""
    folded = " ".join(clean(text).split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"


def _describe_body(body: bytes, content_type: str) -> str:
    start = one_line(body[:400].decode("utf-8", "replace"), 80)
    return f"{content_type or 'no content type'}, {len(body)} bytes: {start!r}"


def _read_words(body: bytes) -> str:
    """Find the message of an OpenAI-style error body, or quote the body's beginning."""
    try:
        value: object = json.loads(body)
        nested = value.get("error", value) if isinstance(value, dict) else value  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return one_line(_ErrorBody.model_validate(nested).message)
    except (ValueError, RecursionError, ValidationError):
        return one_line(body[:1000].decode("utf-8", "replace")) or "(empty body)"


def _read_retry_after(header: str | None, now_s: float) -> float | None:
    """Read Retry-After, seconds or an HTTP date (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(header).timestamp() - now_s, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
