"""Write the lines of a batch's input file and read those of its output and error files.

The format is OpenAI's: one JSON object a line, matched by ``custom_id``, in any order. The body of
an answer is the one that the live endpoint would have sent, so the same function reads it and the
completion is the same. Cost grows with the bytes of the files, one line in memory at a time.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import BaseModel

from pipeline.generation.strategies.reading.drafting import clean
from pipeline.generation.teacher.answers import Answer, Failure, Fault, read_answer, read_failure
from pipeline.generation.teacher.error_bodies import one_line

CHAT_PATH = "/v1/chat/completions"

_NEVER_RAN = frozenset({"batch_expired", "batch_cancelled"})


class EndedLine(NamedTuple):
    """What became of one prompt of a batch."""

    key: str
    outcome: Answer | Failure


class _Response(BaseModel):
    status_code: int
    body: Any = None


class _Error(BaseModel):
    code: str | None = None
    message: str | None = None


class _Line(BaseModel):
    custom_id: str
    response: _Response | None = None
    error: _Error | None = None


def write_line(key: str, body: bytes) -> bytes:
    """Write the request for one prompt, with its line break.

    Args:
        key: Comes back as ``custom_id``.
        body: JSON, as the live endpoint would be sent it.
    """
    names = {"custom_id": key, "method": "POST", "url": CHAT_PATH}
    return json.dumps(names).encode()[:-1] + b', "body": ' + body + b"}\n"


def read_line(line: bytes, mask: Callable[[bytes], bytes]) -> EndedLine | None:
    """Read one line of an output or error file; None for what is no line of a batch.

    Args:
        line: Without its line break.
        mask: Takes the API key out of the words of an error.
    """
    try:
        # json.loads and not model_validate_json: a line may hold lone surrogates as \\ud800.
        read = _Line.model_validate(json.loads(line))
    except (ValueError, RecursionError):
        return None
    return EndedLine(read.custom_id, _judge(read, mask))


def _judge(line: _Line, mask: Callable[[bytes], bytes]) -> Answer | Failure:
    if line.response is None:
        error = line.error or _Error()
        words = mask(clean(f"{error.code}: {error.message}").encode()).decode()
        return Failure(Fault.RETRY, one_line(words), may_be_billed=error.code not in _NEVER_RAN)
    body = json.dumps(line.response.body).encode()
    if line.response.status_code == 200:
        return read_answer(body, "application/json")
    return read_failure(line.response.status_code, mask(body), None, 0.0)
