"""Make task items of the files that people have: known sets as published, and any table.

What a file is, its columns tell: one of :mod:`training.evaluation.tasks.shapes`, or a table with a
text and a label, or with a question and an answer that is written. Rows without a text are left
out of known sets, of which NSMC has a few, and counted in the card's origin.

Cost: linear, about 20 µs a row.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from schemas.records import Language
from schemas.storage import RecordFileError, describe_validation_error
from training.evaluation.tasks.drafts import Draft, make_items, text_of
from training.evaluation.tasks.items import TaskCard, TaskError, TaskItem, Wording
from training.evaluation.tasks.right_choices import name_choices
from training.evaluation.tasks.rows import FileRow, read_rows
from training.evaluation.tasks.shapes import LABEL_ALIASES, SHAPES, Shape
from training.evaluation.tasks.spoken import find_language

_TEXT = ("text", "document", "sentence", "review", "comment", "title", "input")
_LABEL = ("label", "labels", "sentiment", "category", "class")
_QUESTION = ("question", "prompt", "instruction", "query", "text")
_ANSWER = ("references", "answers", "answer", "reference", "target", "output", "response")
_TABLES: tuple[dict[str, tuple[str, ...]], ...] = (
    {"text": _TEXT, "label": _LABEL},
    {"text": _QUESTION, "references": _ANSWER},
)


class _Columns(NamedTuple):
    """Which column is which part."""

    shape: Shape | None
    of: dict[str, str]


def read_task_file(
    path: Path, labels: Sequence[str] = (), language: Language | None = None
) -> tuple[TaskCard | None, list[TaskItem]]:
    """Read the items of a user's file, and describe it where its shape is known.

    Args:
        path: JSON lines, a JSON list, CSV, TSV (``.txt`` too) or Parquet.
        labels: Of a card beside the file; numbers in the file stand for them in this order.
        language: Of the prompts; None decides by the texts' share of Hangul.

    Returns:
        The card of a known shape, else None; and the items in file order.

    Raises:
        RecordFileError: The file cannot be read, or a row is none.
        TaskError: It has neither the columns of a task nor labels that can be understood; tells
            which were wanted and found.
    """
    rows = read_rows(path)
    if not rows:
        raise TaskError(f"{path}: wanted one row an item, found none.")
    if _is_ours(rows):
        return None, [_read_own(path, row) for row in rows]
    columns = _find_columns(path, rows)
    spoken = language or find_language(text_of(row.fields.get(_main(columns))) for row in rows)
    drafts = [_draft(path, row, columns, spoken, labels) for row in rows]
    if columns.shape is not None and columns.shape.choices:
        drafts = name_choices(path, drafts, columns.shape.counts_from)
    whole = [draft for draft in drafts if draft.text.strip()]
    if columns.shape is None:
        _refuse_empty_texts(path, drafts)
        if not labels:
            _refuse_bare_numbers(path, whole)
    items = make_items(path, whole)
    empty = len(drafts) - len(whole)
    return _make_card(path, columns.shape, spoken, empty) if columns.shape else None, items


def _is_ours(rows: Sequence[FileRow]) -> bool:
    return {"id", "split", "text"} <= rows[0].fields.keys() and all(
        row.fields.get("split") in ("test", "shots") for row in rows
    )


def _read_own(path: Path, row: FileRow) -> TaskItem:
    try:
        return TaskItem.model_validate(row.fields)
    except ValidationError as error:
        raise RecordFileError(f"{path}:{row.number}: {describe_validation_error(error)}") from error


def _find_columns(path: Path, rows: Sequence[FileRow]) -> _Columns:
    first = rows[0]
    for shape in SHAPES:
        found = _match(shape.columns, first)
        if len(found) == len(shape.columns) and _fits(shape, found["label"], rows):
            return _Columns(shape, found)
    for columns in _TABLES:
        found = _match(columns, first)
        if len(found) == len(columns) == len(set(found.values())):
            return _Columns(None, found)
    raise TaskError(
        f"{path}: wanted columns of a task (text and label; question and answer; question, choices "
        "and answer; or those of NSMC, KoBEST, KLUE-NLI), found "
        f"{', '.join(map(repr, list(first.fields)[:12])) or 'none'}. Rename columns to these."
    )


def _fits(shape: Shape, column: str, rows: Sequence[FileRow]) -> bool:
    """Tell whether all labels are ones of the shape's."""
    if shape.taken_for == "any":
        return True
    count = len(next(iter(shape.labels.values())))
    known = {word for words in (*shape.labels.values(), *LABEL_ALIASES) for word in words}
    if shape.taken_for == "numbers-and-words":
        known |= set(map(str, range(count)))
    return all(text_of(row.fields.get(column)).casefold() in known for row in rows)


def _match(columns: dict[str, tuple[str, ...]], row: FileRow) -> dict[str, str]:
    found: dict[str, str] = {}
    for part, names in columns.items():
        name = next((name for name in names if name in row.fields), None)
        if name is not None:
            found[part] = name
    return found


def _main(columns: _Columns) -> str:
    return next(iter(columns.of.values()))


def _draft(
    path: Path, row: FileRow, columns: _Columns, language: Language, labels: Sequence[str]
) -> Draft:
    """Read a row; the label of a choice among the row's own stays as it is in the file."""
    parts = {part: row.fields.get(name) for part, name in columns.of.items()}
    shape = columns.shape
    if shape is None:
        references = _list_of(parts["references"]) if "references" in parts else ()
        label = _name_label(parts["label"], labels) if "label" in parts else ""
        return Draft(row, text_of(parts["text"]), label, references=references)
    texts = {part: _read_part(value, shape, language) for part, value in parts.items()}
    shown = [text for part, text in texts.items() if part != "label"]
    text = shape.texts[language].format(**texts) if all(shown) else ""
    choices = tuple(one for part in shape.choices for one in _list_of(parts[part]))
    names = labels or shape.labels.get(language, ())
    label = texts["label"] if shape.choices else _name_label(parts["label"], names)
    if names and label not in names:
        raise TaskError(
            f"{path}:{row.number}: wanted label {', '.join(names)} or a number below {len(names)}, "
            f"found {label!r}."
        )
    return Draft(row, text, label, choices, group=texts.get(shape.group, ""))


def _read_part(value: JsonValue, shape: Shape, language: Language) -> str:
    text = text_of(value)
    return shape.readings.get(text, {}).get(language, text)


def _list_of(value: JsonValue) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for one in values if (text := text_of(one)))


def _name_label(value: JsonValue, names: Sequence[str]) -> str:
    """Turn a number, or another's word, into the label's own word."""
    text = text_of(value)
    if text in names:
        return text
    if text.isdecimal() and int(text) < len(names):
        return names[int(text)]
    for aliases in LABEL_ALIASES:
        if len(aliases) == len(names) and text.casefold() in aliases:
            return names[aliases.index(text.casefold())]
    return text


def _refuse_empty_texts(path: Path, drafts: Sequence[Draft]) -> None:
    """Let nobody wonder where rows are that no card accounts for."""
    empty = next((draft.row.number for draft in drafts if not draft.text.strip()), None)
    if empty is not None:
        raise RecordFileError(f"{path}:{empty}: wanted a text, found none. Take the row out.")


def _refuse_bare_numbers(path: Path, drafts: Sequence[Draft]) -> None:
    labels = sorted({draft.label for draft in drafts if draft.label})
    if labels and all(label.isdecimal() for label in labels):
        raise TaskError(
            f"{path}: labels {', '.join(labels[:5])} are numbers, which say nothing to a model. "
            f"Write words, or put them in order into {path.stem}.card.json."
        )


def _make_card(path: Path, shape: Shape, language: Language, empty: int) -> TaskCard:
    wordings = [
        Wording(name=name, instruction=question)
        for name, question in zip(("plain", "other"), shape.questions[language], strict=True)
    ]
    if shape.has_arrow:
        wordings.append(Wording(name="arrow", form="arrow"))
    left_out = f"; rows without a text, left out: {empty}" if empty else ""
    return TaskCard(
        language=language,
        family=shape.family,
        labels=shape.labels.get(language, ()),
        wordings=tuple(wordings),
        licence="unknown",
        origin=path.name + left_out,
    )
