"""Whether a flow would take the parameters that a deployment, a schedule or a trigger gives it.

Those of a trigger are looked at by the server only when its event has come: at night, and what is
wrong with them is an event of its own, which nobody reads.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.services.flow_signature import Signature
from schemas.storage import describe_validation_error

_PLACEHOLDER = "{{"
_KIND = "__prefect_kind"


def has_placeholder(value: object) -> bool:
    """Tell whether Prefect fills in a part of a value, so that it cannot be judged before."""
    return _PLACEHOLDER in str(value) or _KIND in str(value)


def complain_about_parameters(given: Mapping[str, Any], signature: Signature) -> Iterator[str]:
    """Say, each in a clause, what a flow would refuse."""
    for name, value in given.items():
        if name not in signature.models:
            known = ", ".join(signature.models)
            yield f"parameters: the flow has no parameter {name!r}; it has {known}"
            continue
        model = signature.models[name]
        if model is not None:
            yield from _complain_about_value(f"parameters.{name}", value, model)
    for name in sorted(signature.required - set(given)):
        yield f"parameters: the flow needs {name!r}, which is not given"


def _complain_about_value(where: str, value: object, model: type[BaseModel]) -> Iterator[str]:
    if isinstance(value, str) and has_placeholder(value):
        return
    try:
        model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        judged = [one for one in details if not _is_filled_in(value, one["loc"])]
        if not judged:
            return
        first = judged[0]
        field = ".".join(str(part) for part in first["loc"])
        text = f"{field}: {first['msg'].removeprefix('Value error, ')}"
        if len(judged) == len(details):
            text = describe_validation_error(error)
        yield f"{where}.{_suggest(first, model) or text}"


def _suggest(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Name the field that is meant by one that is not there."""
    if error["type"] != "extra_forbidden" or len(error["loc"]) != 1:
        return ""
    key = str(error["loc"][0])
    nearest = difflib.get_close_matches(key, model.model_fields, n=1)
    return f"{key}: there is no such field; did you mean {nearest[0]}?" if nearest else ""


def _is_filled_in(value: object, path: Sequence[int | str]) -> bool:
    """Tell whether an error is about a place that Prefect fills in."""
    for part in path:
        if isinstance(value, dict) and _KIND not in value:
            value = cast(dict[object, object], value).get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = cast(list[object], value)[part]
        else:
            break
    return has_placeholder(value)
