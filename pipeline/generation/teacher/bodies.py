"""Write the body of a request in the dialect that an endpoint has shown to understand.

OpenAI-compatible endpoints differ: some have no ``response_format``, OpenAI's reasoning models want
``max_completion_tokens`` and no ``temperature``. What is refused is told by the parameter that the
refusal names, never by the name of a model. A dialect only ever gets smaller: after seven refusals
(two formats, one renaming, four omissions) there is nothing left to give up, so nobody asks in
circles. The limit on the answer's length is always sent, because the budget relies on it.
"""

import json
import re
from enum import IntEnum
from typing import Any, NamedTuple

from pipeline.generation.teacher.answers import Failure
from schemas.exchange import Prompt

_OMITTABLE = frozenset({"temperature", "top_p", "seed", "stop"})
_SPEAKS_OF_FORMAT = re.compile(
    r"response_?format|json_?(?:schema|object)|structured|grammar|guided", re.IGNORECASE
)
_SPEAKS_OF_LENGTH = re.compile(r"context.(?:length|size|window)|too large", re.IGNORECASE)
_NAMES = re.compile(r"(?<![A-Za-z_])(?:temperature|top_p|seed|stop|max_tokens)(?![A-Za-z_])")


class AnswerFormat(IntEnum):
    """How an answer is asked to follow a schema, from the strictest to not at all."""

    JSON_SCHEMA = 0
    JSON_OBJECT = 1
    TEXT = 2


class Dialect(NamedTuple):
    """What an endpoint understands, as far as it is known."""

    answer_format: AnswerFormat = AnswerFormat.JSON_SCHEMA
    length_name: str = "max_tokens"
    omitted: frozenset[str] = frozenset()

    def join(self, other: "Dialect") -> "Dialect":
        """Return what is understood by both."""
        return Dialect(
            max(self.answer_format, other.answer_format),
            max(self.length_name, other.length_name, key=len),
            self.omitted | other.omitted,
        )


class Lesson(NamedTuple):
    """What a refusal taught."""

    dialect: Dialect
    given_up: str
    """What is no longer sent, and what is sent instead, for the log."""


def learn(spoken: Dialect, prompt: Prompt, refusal: Failure) -> Lesson | None:
    """Find the dialect to try after a refusal; None when it names nothing that can be given up.

    Args:
        spoken: The dialect of the refused request.
        prompt: What it asked; only what was sent can have been refused.
        refusal: A 400 or 422.
    """
    names = {refusal.parameter} if refusal.parameter in {*_OMITTABLE, "max_tokens"} else None
    if names is None:
        if _is_about_format(refusal) and _has_format(spoken, prompt):
            weaker = AnswerFormat(spoken.answer_format + 1)
            return Lesson(
                spoken._replace(answer_format=weaker),
                f"response_format; asking for {weaker.name.lower()} instead",
            )
        names = set(_NAMES.findall(refusal.words))
    if _SPEAKS_OF_LENGTH.search(refusal.words):
        names -= {"max_tokens"}  # understood by its name, and refused for its size
    return _give_up(spoken, prompt, names)


def _give_up(spoken: Dialect, prompt: Prompt, names: set[str]) -> Lesson | None:
    sent = _OMITTABLE - spoken.omitted - (frozenset() if prompt.decoding.stop else {"stop"})
    omitted = sent & names
    is_renamed = "max_tokens" in names and spoken.length_name == "max_tokens"
    if not omitted and not is_renamed:
        return None
    parts = [*sorted(omitted), *(["max_tokens (max_completion_tokens instead)"] * is_renamed)]
    length_name = "max_completion_tokens" if is_renamed else spoken.length_name
    return Lesson(
        spoken._replace(omitted=spoken.omitted | omitted, length_name=length_name),
        ", ".join(parts),
    )


def _is_about_format(refusal: Failure) -> bool:
    return _SPEAKS_OF_FORMAT.search(f"{refusal.parameter} {refusal.words}") is not None


def _has_format(spoken: Dialect, prompt: Prompt) -> bool:
    return prompt.response_schema is not None and spoken.answer_format < AnswerFormat.TEXT


def make_body(model: str, prompt: Prompt, dialect: Dialect) -> dict[str, Any]:
    """Make the JSON body of a request."""
    decoding = prompt.decoding
    body: dict[str, Any] = {"model": model}
    if prompt.raw:
        body["prompt"] = prompt.raw
    else:
        body["messages"] = [
            {"role": message.role, "content": message.content} for message in prompt.messages
        ]
    body[dialect.length_name] = decoding.max_tokens
    wishes: dict[str, Any] = {
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "seed": prompt.sample_index,
    }
    if decoding.stop:
        wishes["stop"] = list(decoding.stop)
    body.update((name, wish) for name, wish in wishes.items() if name not in dialect.omitted)
    if _has_format(dialect, prompt):
        body["response_format"] = _make_format(prompt, dialect.answer_format)
    return body


def write_body(model: str, prompt: Prompt, dialect: Dialect) -> bytes:
    """Write the body as it goes over the wire."""
    body = make_body(model, prompt, dialect)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _make_format(prompt: Prompt, answer_format: AnswerFormat) -> dict[str, Any]:
    if answer_format is AnswerFormat.JSON_OBJECT:
        return {"type": "json_object"}
    schema = {"name": "record", "strict": True, "schema": prompt.response_schema}
    return {"type": "json_schema", "json_schema": schema}
