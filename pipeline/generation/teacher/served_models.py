"""Tell whether endpoints serve the same model under the name that is asked for.

Answers of all of them get into one journal under one name, so two models under it would make
records that nobody can attribute, and nothing later would notice. What a server says of itself
(``GET /models``) is the only sign: OpenAI's ``id``, vLLM's ``root`` and ``max_model_len``,
llama.cpp's ``meta``. llama.cpp takes any name, so a name that only some of them list is refused.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from pydantic import BaseModel

from pipeline.generation.teacher.endpoint_list import LIST_NAME
from pipeline.generation.teacher.error_bodies import one_line
from schemas.errors import UserError

_MOST_NAMED = 5


class ModelsDifferError(UserError):
    """Endpoints serve different models under one name."""


class ServedModel(NamedTuple):
    """What a server says of one model; zeros and empty where it does not."""

    name: str
    source: str = ""
    """Last part of the folder or repository that it was loaded from."""
    context_tokens: int = 0
    parameters: int = 0


class _Meta(BaseModel):
    n_params: int = 0


class _Entry(BaseModel):
    id: str
    root: str | None = None
    max_model_len: int | None = None
    meta: _Meta | None = None


class _List(BaseModel):
    data: list[_Entry]


def read_models(body: bytes) -> tuple[ServedModel, ...]:
    """Read the reply to ``GET /models``; empty where it cannot be read."""
    try:
        entries = _List.model_validate(json.loads(body)).data
    except (ValueError, RecursionError):
        return ()
    return tuple(_read_entry(entry) for entry in entries)


def check_same(model: str, served: Mapping[str, Sequence[ServedModel]]) -> str:
    """Compare what endpoints list, each with each.

    Args:
        model: The name that is asked for.
        served: By address; empty where a server tells nothing.

    Returns:
        A line for people about what may be two models; empty where nothing hints at it.

    Raises:
        ModelsDifferError: Two of them certainly are.
    """
    doubt = ""
    for one, other in combinations(served, 2):
        difference = find_difference(model, served[one], served[other])
        if difference:
            raise ModelsDifferError(
                f"{LIST_NAME} names endpoints that do not serve the same model as {model!r}: "
                f"{one} and {other} ({difference}). Serve the same model under the same name on "
                "all of them, or leave one out."
            )
        found = find_doubt(model, served[one], served[other])
        if found and not doubt:
            doubt = f"Check that {one} and {other} serve the same model as {model!r}: {found}."
    return doubt


def find_difference(model: str, some: Sequence[ServedModel], others: Sequence[ServedModel]) -> str:
    """Say what shows that two servers answer with different models under the name.

    Args:
        model: The name that is asked for.
        some: What one server lists; empty where it tells nothing, which shows nothing.
        others: What another one lists.
    """
    if not some or not others:
        return ""
    one, other = _find(model, some), _find(model, others)
    if (one is None) != (other is None):
        missing = some if one is None else others
        return f"one lists {model!r}, the other only {_name(missing)}"
    if one is None or other is None:  # both take any name, or pass it on
        mine, theirs = _name(some), _name(others)
        return "" if mine == theirs else f"one lists {mine}, the other {theirs}"
    if one.parameters and other.parameters and one.parameters != other.parameters:
        return f"one has {one.parameters:,} parameters, the other {other.parameters:,}"
    return ""


def find_doubt(model: str, some: Sequence[ServedModel], others: Sequence[ServedModel]) -> str:
    """Say what may be two models, and may be two folders, or settings, of one."""
    one, other = _find(model, some), _find(model, others)
    if one is None or other is None:
        return ""
    if one.source and other.source and one.source != other.source:
        return f"one loaded {one.source!r}, the other {other.source!r}"
    mine, theirs = one.context_tokens, other.context_tokens
    if mine and theirs and mine != theirs:
        return (
            f"one takes {mine:,} tokens, the other {theirs:,}, so that a long prompt is answered "
            "by one of them only"
        )
    return ""


def _read_entry(entry: _Entry) -> ServedModel:
    source = one_line((entry.root or "").rstrip("/").rpartition("/")[2], 80)
    parameters = entry.meta.n_params if entry.meta else 0
    return ServedModel(entry.id, source, entry.max_model_len or 0, parameters)


def _find(model: str, listed: Sequence[ServedModel]) -> ServedModel | None:
    return next((one for one in listed if one.name == model), None)


def _name(listed: Sequence[ServedModel]) -> str:
    names = sorted(one_line(one.name, 60) for one in listed)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
