"""Read an endpoint's reply: an answer, or a failure with what is to be done about it.

Failures are values here and not exceptions, because an exception of the HTTP client drags the
request along, and with it the API key.
"""

import json
import math
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel, FiniteFloat, ValidationError

from pipeline.generation.strategies.reading.drafting import clean
from pipeline.generation.teacher.error_bodies import one_line, read_error_body
from pipeline.generation.teacher.waiting import read_retry_after
from schemas.exchange import Usage

_TOO_BUSY = frozenset({429, 503, 529})
_MAY_PASS = frozenset({408, 409, 425})
_ABSENT = frozenset({404, 405, 501})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_OF_PROMPT = frozenset(
    {
        "content_filter",  # Azure
        "invalid_prompt",  # OpenAI's reasoning models
        "context_length_exceeded",  # OpenAI
        "exceed_context_size_error",  # llama.cpp
    }
)
"""Why one prompt gets no answer while others do."""

_MOST_TOKENS = 10**9


class Fault(Enum):
    """What is to be done about a failed request."""

    RETRY = "retry"
    """Cut connection, server error, nonsense: may pass."""
    OVERLOADED = "overloaded"
    """Too much at once: may pass, sooner with fewer requests under way."""
    TIMEOUT = "timeout"
    """No answer in time; likewise, and with more patience."""
    UNREACHABLE = "unreachable"
    """No connection came about: wrong address, or the server is not up."""
    PARAMETER = "parameter"
    """400 or 422: perhaps it goes without what the endpoint names."""
    ABSENT = "absent"
    """The endpoint has no such path, or no such model."""
    NO_CREDIT = "no-credit"
    """The account has nothing left; OpenAI says so with 429."""
    REFUSED = "refused"
    """The endpoint understood and will not: wrong key or model."""

    @property
    def is_of_all(self) -> bool:
        """Any prompt would have met it at that moment."""
        return self in (Fault.OVERLOADED, Fault.UNREACHABLE)


class Failure(NamedTuple):
    """A request that brought no answer."""

    fault: Fault
    words: str
    """One line: the status and what the endpoint said."""
    retry_after_s: float | None = None
    """How long the endpoint asks to wait."""
    parameter: str = ""
    """The part of the request that the endpoint names as the cause."""
    may_be_billed: bool = True
    """The endpoint may have worked on it."""


class Answer(NamedTuple):
    """What is read from a reply."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    is_counted: bool = True
    """The reply told its usage."""

    @property
    def usage(self) -> Usage:
        """As the endpoint counted it; zeros where it did not."""
        return Usage(prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens)


class _Part(BaseModel):
    text: str | None = None
    """Other parts, such as Mistral's reasoning, have none."""


class _Message(BaseModel):
    content: str | list[_Part] | None = None


class _Choice(BaseModel):
    message: _Message | None = None
    text: str | None = None
    """In the place of a message, where raw text was continued."""
    finish_reason: str | int | None = None
    error: object = None
    """As OpenRouter tells that the model failed half-way."""


class _Usage(BaseModel):
    prompt_tokens: FiniteFloat | None = None
    completion_tokens: FiniteFloat | None = None


class _Reply(BaseModel):
    choices: list[_Choice]
    usage: object = None


def read_answer(body: bytes, content_type: str) -> Answer | Failure:
    """Read the body of a reply with status 200; anything but a completion may pass, so retry."""
    try:
        # json.loads and not model_validate_json: a body may hold lone surrogates as \\ud800.
        reply = _Reply.model_validate(json.loads(body))
        choice = reply.choices[0]
    except (ValueError, RecursionError, IndexError):
        return Failure(Fault.RETRY, f"no completion but {_describe_body(body, content_type)}")
    text = _read_text(choice)
    if text is None and choice.finish_reason is None:
        return Failure(Fault.RETRY, "a choice without content and without finish_reason")
    if choice.finish_reason == "error":
        words = one_line(json.dumps(choice.error, ensure_ascii=False))
        return Failure(Fault.RETRY, f"an answer that ended with an error: {words}")
    usage = _read_usage(reply.usage)
    return Answer(
        clean(text or ""),
        clean(str(choice.finish_reason or "stop")),
        _count(usage.prompt_tokens),
        _count(usage.completion_tokens),
        usage.prompt_tokens is not None and usage.completion_tokens is not None,
    )


def _read_text(choice: _Choice) -> str | None:
    content = choice.text if choice.message is None else choice.message.content
    return "".join(part.text or "" for part in content) if isinstance(content, list) else content


def _read_usage(value: object) -> _Usage:
    """Read a usage; one of another shape costs the count and not the answer."""
    try:
        return _Usage.model_validate(value)
    except ValidationError:
        return _Usage()


def _count(tokens: float | None) -> int:
    """Bound what an endpoint claims to what a budget and a database can add up."""
    return math.ceil(min(max(tokens or 0, 0), _MOST_TOKENS))


def read_failure(
    status: int, body: bytes, retry_after: str | None, now_s: float
) -> Answer | Failure:
    """Sort a reply with another status than 200.

    A prompt that is refused for what it says, or for its length, counts as answered with nothing:
    as an error it would end every run that draws the prompt, at the same place. A filter's refusal
    is billed all the same, without being counted.

    Args:
        status: Of the reply.
        body: Of the reply, with the API key masked.
        retry_after: Its header, if any.
        now_s: Time of day to which a date in the header is compared, in seconds since 1970.
    """
    error = read_error_body(body)
    if status == 400 and error.code in _OF_PROMPT:
        return Answer("", error.code, 0, 0, is_counted=False)
    return Failure(
        _find_fault(status, error.code),
        f"HTTP {status}: {error.message}",
        read_retry_after(retry_after, now_s),
        error.parameter,
        may_be_billed=status >= 500 and status not in (501, 503),
    )


def _find_fault(status: int, code: str) -> Fault:
    if code in _NO_CREDIT or status == 402:
        return Fault.NO_CREDIT
    if status in _TOO_BUSY:
        return Fault.OVERLOADED
    if status == 504:  # a gateway's patience is over; the next attempt may meet a shorter queue
        return Fault.TIMEOUT
    if status in _ABSENT:
        return Fault.ABSENT
    if status in (400, 422):
        return Fault.PARAMETER
    return Fault.RETRY if status in _MAY_PASS or status >= 500 else Fault.REFUSED


def _describe_body(body: bytes, content_type: str) -> str:
    start = one_line(body[:400].decode("utf-8", "replace"), 80)
    return f"{content_type or 'no content type'}, {len(body)} bytes: {start!r}"
