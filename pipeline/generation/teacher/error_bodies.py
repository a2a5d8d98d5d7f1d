"""Read what an endpoint says about a request that it did not answer.

Two shapes are read: OpenAI's ``{"error": {"message", "param", "code"}}``, which most servers
follow, some without the outer layer, and FastAPI's ``{"detail": [{"loc", "msg"}]}``. Of anything
else the beginning is quoted.
"""

import json
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from pipeline.generation.strategies.reading.drafting import clean


class ErrorBody(NamedTuple):
    """What was said."""

    message: str
    """One line."""
    parameter: str = ""
    """The part of the request that is named as the cause; empty where none is."""
    code: str = ""
    """Its type where the code is but a number, as llama.cpp repeats the status."""


class _Error(BaseModel):
    message: str
    param: str | None = None
    code: str | int | None = None
    type: str | int | None = None


class _Nested(BaseModel):
    error: _Error | str


class _Detail(BaseModel):
    loc: list[str | int]
    msg: str


class _Details(BaseModel):
    detail: list[_Detail] | str


def read_error_body(body: bytes) -> ErrorBody:
    """Read a body of any kind."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return _quote(body)
    for read in (_read_nested, _read_flat, _read_details):
        try:
            return read(value)
        except ValidationError:
            continue
    return _quote(body)


def one_line(text: str, limit: int = 300) -> str:
    """Fold white space and cut what is too long for a message."""
    folded = " ".join(clean(text).split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"


def _quote(body: bytes) -> ErrorBody:
    return ErrorBody(one_line(body[:1000].decode("utf-8", "replace")) or "(empty body)")


def _read_nested(value: object) -> ErrorBody:
    error = _Nested.model_validate(value).error
    return ErrorBody(one_line(error)) if isinstance(error, str) else _describe(error)


def _read_flat(value: object) -> ErrorBody:
    return _describe(_Error.model_validate(value))


def _read_details(value: object) -> ErrorBody:
    detail = _Details.model_validate(value).detail
    if isinstance(detail, str):
        return ErrorBody(one_line(detail))
    # Without "input", which quotes whole requests back.
    parts = [f"{'.'.join(map(str, part.loc))}: {part.msg}" for part in detail]
    return ErrorBody(one_line("; ".join(parts)))


def _describe(error: _Error) -> ErrorBody:
    code = error.code if isinstance(error.code, str) else str(error.type or "")
    return ErrorBody(one_line(error.message), error.param or "", code)
