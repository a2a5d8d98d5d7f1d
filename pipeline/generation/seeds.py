"""Read seed tasks from our own format, the Self-Instruct one and KoAlpaca v1.1.

The form of a file is told from the keys of its first line. Self-Instruct tasks may carry several
instances of one instruction; only the first becomes a seed task, as in Stanford Alpaca's prompt
builder, which shows ``instances[0]`` alone. Cost grows with the lines of the file.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from schemas.errors import UserError
from schemas.identity import short_id
from schemas.records import Language, SeedTask
from schemas.storage import describe_validation_error


class SeedFileError(UserError):
    """A seed file is missing, empty, of no known form, or one of its lines is broken."""


class _Instance(BaseModel):
    input: str = ""
    output: str = Field(min_length=1)


class _SelfInstructTask(BaseModel):
    """A line of Self-Instruct's ``seed_tasks.jsonl``; its further columns are not read."""

    id: str = Field(min_length=1)
    instruction: str = Field(min_length=1)
    instances: list[_Instance] = Field(min_length=1)
    is_classification: bool = False


class _KoAlpacaRow(BaseModel):
    """A line of KoAlpaca v1.1; its ``url`` is not read."""

    instruction: str = Field(min_length=1)
    output: str = Field(min_length=1)


def load_seed_tasks(path: Path, language: Language | None = None) -> list[SeedTask]:
    """Read a JSONL file of seed tasks in any of the three forms, in file order.

    Args:
        path: The file.
        language: What a foreign file is written in (its form says English for Self-Instruct and
            Korean for KoAlpaca otherwise). In our own form a line in another language is an error.

    Raises:
        SeedFileError: Names file, line and field of the first fault.
    """
    lines = _read_lines(path)
    convert = _find_form(path, lines[0]).convert
    tasks: list[SeedTask] = []
    first_line: dict[str, int] = {}
    for line in lines:
        task = _read_task(path, line, convert, language)
        if task.id in first_line:
            raise SeedFileError(
                f"{path}:{line.number}: id: {task.id!r} stands on line {first_line[task.id]} "
                "already. Remove one of the two lines or give it an id of its own."
            )
        first_line[task.id] = line.number
        tasks.append(task)
    return tasks


class _Line(NamedTuple):
    number: int
    text: str


class _Form(NamedTuple):
    name: str
    keys: frozenset[str]
    convert: Callable[[str, Language | None], SeedTask]


def _read_lines(path: Path) -> list[_Line]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SeedFileError(f"{path}: no such seed file. Give the path of a JSONL file.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SeedFileError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    # Not splitlines(): that also cuts at U+2028 and U+0085, which may stand inside JSON strings.
    numbered = [_Line(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not numbered:
        raise SeedFileError(
            f"{path}: wanted seed tasks, one JSON object a line; the file is empty."
        )
    return numbered


def _find_form(path: Path, line: _Line) -> _Form:
    keys = _keys(path, line)
    for form in _FORMS:
        if form.keys <= keys:
            return form
    known = "; ".join(f"{form.name} with {', '.join(sorted(form.keys))}" for form in _FORMS)
    raise SeedFileError(
        f"{path}:{line.number}: no known form of seed task: found the keys "
        f"{', '.join(sorted(keys)) or '(none)'}; known are {known}."
    )


def _keys(path: Path, line: _Line) -> frozenset[str]:
    try:
        value: object = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        raise SeedFileError(f"{path}:{line.number}: line: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise SeedFileError(f"{path}:{line.number}: line: wanted a JSON object.")
    fields: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
    return frozenset(fields)


def _read_task(
    path: Path,
    line: _Line,
    convert: Callable[[str, Language | None], SeedTask],
    language: Language | None,
) -> SeedTask:
    try:
        task = convert(line.text, language)
    except ValidationError as error:
        raise SeedFileError(f"{path}:{line.number}: {describe_validation_error(error)}") from error
    if language is not None and task.language != language:
        raise SeedFileError(
            f"{path}:{line.number}: language: wanted {language!r}, found {task.language!r}. "
            "Keep one language a file, or load the file without naming a language."
        )
    return task


def _from_own(text: str, _language: Language | None) -> SeedTask:
    return SeedTask.model_validate_json(text)


def _from_self_instruct(text: str, language: Language | None) -> SeedTask:
    task = _SelfInstructTask.model_validate_json(text)
    return SeedTask(
        id=task.id,
        language=language or "en",
        task_type="classification" if task.is_classification else "unspecified",
        instruction=task.instruction,
        input=task.instances[0].input,
        output=task.instances[0].output,
        source="self-instruct",
    )


def _from_koalpaca(text: str, language: Language | None) -> SeedTask:
    row = _KoAlpacaRow.model_validate_json(text)
    return SeedTask(
        id=f"koalpaca-{short_id(row.instruction, row.output)}",
        language=language or "ko",
        instruction=row.instruction,
        output=row.output,
        source="koalpaca-v1.1",
    )


# In this order: our own form has the keys of KoAlpaca's too.
_FORMS = (
    _Form("Self-Instruct", frozenset({"id", "instruction", "instances"}), _from_self_instruct),
    _Form("Pacaloom", frozenset({"id", "language", "instruction", "output"}), _from_own),
    _Form("KoAlpaca v1.1", frozenset({"instruction", "output", "url"}), _from_koalpaca),
)
