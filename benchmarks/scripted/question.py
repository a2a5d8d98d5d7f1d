"""What the scripted endpoint reads of a request, and the name by which it counts it."""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from schemas.exchange import Prompt


class Turn(NamedTuple):
    """One message."""

    role: str
    content: str


class Schema(BaseModel):
    """The part of a JSON schema that an answer can be written from."""

    type: str = "string"
    properties: dict[str, "Schema"] = {}
    items: "Schema | None" = None
    enum: list[str] = []


class Asked(NamedTuple):
    """One request, reduced to what its answer depends on."""

    question: str
    """16 hex digits: the same for a prompt asked twice."""
    model: str
    turns: tuple[Turn, ...]
    """For ``/completions`` one turn of role ``raw``."""
    max_tokens: int
    schema: Schema | None
    """That the answer must follow."""


class _JsonSchema(BaseModel):
    of_answer: Schema | None = Field(default=None, alias="schema")


class _Format(BaseModel):
    json_schema: _JsonSchema = _JsonSchema()


class _Message(BaseModel):
    role: str
    content: str | list[dict[str, Any]] | None = None


class _Body(BaseModel):
    model: str
    messages: list[_Message] = []
    prompt: str = ""
    seed: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: _Format = _Format()


_DEFAULT_MAX_TOKENS = 4096


def read_request(body: bytes) -> Asked:
    """Read the JSON body of a chat or raw completion.

    Raises:
        ValueError: It is none, or asks nothing.
    """
    read = _Body.model_validate_json(body)
    turns = tuple(Turn(message.role, _text_of(message.content)) for message in read.messages)
    if not turns and not read.prompt:
        raise ValueError("wanted messages or a prompt, found neither")
    turns = turns or (Turn("raw", read.prompt),)
    return Asked(
        name_question(read.model, turns, read.seed),
        read.model,
        turns,
        read.max_completion_tokens or read.max_tokens or _DEFAULT_MAX_TOKENS,
        read.response_format.json_schema.of_answer,
    )


def name_prompt(prompt: Prompt, model: str) -> str:
    """Name a prompt of ours as the endpoint names the request that it becomes."""
    turns = [Turn(message.role, message.content) for message in prompt.messages]
    return name_question(model, turns or [Turn("raw", prompt.raw)], prompt.sample_index)


def name_question(model: str, turns: Iterable[Turn], seed: int | None) -> str:
    """Hash what decides an answer."""
    parts = "\0".join([model, str(seed), *("\0".join(turn) for turn in turns)])
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:16]


def _text_of(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content or ""
