"""How an exchange stands in the journal's table, and how damage to it shows.

The prompt is JSON; its key is the hash of all that decides the answer, so damage to it shows when
the key is computed again. The answer is in columns with a CRC-32 over them. Making a row takes
about 6 µs for 2 kB of prompt and 2 kB of answer, reading an answer back with every check 5 µs.
"""

import zlib
from typing import NamedTuple

from pydantic import ValidationError

from schemas.exchange import Completion, Exchange, Prompt, Usage


class AnswerRow(NamedTuple):
    """The columns of an answer, in the table's order."""

    key: str
    model: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    latency_s: float
    attempts: int
    checksum: int
    text: str


class Row(NamedTuple):
    """All that is written of an exchange, in the order of :data:`INSERT`."""

    key: str
    arrived_s: float
    model: str
    strategy: str
    language: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    latency_s: float
    attempts: int
    checksum: int
    text: str
    prompt: str


class StoredExchange(NamedTuple):
    """An exchange, and when it came."""

    exchange: Exchange
    arrived_s: float
    """Unix time."""


ANSWER_COLUMNS = ", ".join(AnswerRow._fields)
ROW_COLUMNS = ", ".join(Row._fields)
INSERT = (
    f"INSERT INTO completions ({ROW_COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))}) "  # noqa: S608 - names of our own
    "ON CONFLICT (key) DO NOTHING"
)


class DamagedRowError(ValueError):
    """What stands in the row is not what was written."""


def make_row(stored: StoredExchange) -> Row:
    """Lay an exchange out."""
    (prompt, answer), arrived_s = stored
    return Row(
        answer.id,
        arrived_s,
        answer.model,
        prompt.strategy,
        prompt.language,
        answer.finish_reason,
        answer.usage.prompt_tokens,
        answer.usage.completion_tokens,
        answer.latency_s,
        answer.attempts,
        _sum_up(answer),
        answer.text,
        prompt.model_dump_json(),
    )


def read_completion(row: AnswerRow) -> Completion:
    """Read an answer back.

    Raises:
        DamagedRowError: The columns do not fit the model or the checksum.
    """
    try:
        completion = Completion(
            id=row.key,
            model=row.model,
            text=row.text,
            finish_reason=row.finish_reason,
            usage=Usage(prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens),
            latency_s=row.latency_s,
            attempts=row.attempts,
        )
    except ValidationError as error:
        raise DamagedRowError(f"the answer's {error.errors()[0]['loc'][-1]} is damaged") from error
    if _sum_up(completion) != row.checksum:
        raise DamagedRowError("the answer does not fit its checksum")
    return completion


def read_exchange(row: Row) -> StoredExchange:
    """Read question and answer back.

    Raises:
        DamagedRowError: The answer is damaged, or the prompt is none or another one.
    """
    completion = read_completion(AnswerRow(*(getattr(row, name) for name in AnswerRow._fields)))
    try:
        prompt = Prompt.model_validate_json(row.prompt)
    except ValidationError as error:
        raise DamagedRowError("the prompt cannot be read") from error
    if prompt.key(completion.model) != completion.id:
        raise DamagedRowError("the prompt does not fit its key")
    return StoredExchange(Exchange(prompt, completion), row.arrived_s)


def _sum_up(answer: Completion) -> int:
    usage = answer.usage
    # SQLite stores -0.0 as 0.0; adding 0.0 does the same.
    parts = (
        f"{answer.id}\n{answer.model}\n{answer.finish_reason}\n{usage.prompt_tokens}\n"
        f"{usage.completion_tokens}\n{answer.latency_s + 0.0!r}\n{answer.attempts}\n{answer.text}"
    )
    return zlib.crc32(parts.encode())
