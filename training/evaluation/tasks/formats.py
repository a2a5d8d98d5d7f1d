"""Make task items of the files that people have: known sets as published, and any table.

What a file is, its columns tell: one of :mod:`training.evaluation.tasks.shapes`, or a table with a
text and a label, or with a question and an answer that is written. Rows without a text, as NSMC has
a few, are left out and counted in the card's origin.

Which items are worked examples: where the file says (``split``: train are, the others are scored),
else a fifth by a seeded hash of the text, or of the passage that several share, so that no text
stands on both sides and a file that grows keeps its sides.

Cost: linear, about 20 µs a row.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import JsonValue, ValidationError

from schemas.identity import short_id
from schemas.records import Language
from schemas.storage import RecordFileError, describe_validation_error
from training.evaluation.tasks.items import TaskCard, TaskError, TaskItem, Wording
from training.evaluation.tasks.rows import FileRow, read_rows
from training.evaluation.tasks.shapes import LABEL_ALIASES, SHAPES, Shape
from training.evaluation.tasks.spoken import find_language

Split = Literal["test", "shots"]

_ONE_IN = 5
"""Of which one is a worked example."""
_SPLITS: dict[str, Split] = {
    "test": "test",
    "validation": "test",
    "valid": "test",
    "dev": "test",
    "train": "shots",
    "shots": "shots",
}
_ID = ("id", "guid", "idx", "ID")
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


class _Draft(NamedTuple):
    """An item without id and split."""

    row: FileRow
    text: str
    label: str = ""
    choices: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    group: str = ""


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
    spoken = language or find_language(_text_of(row.fields.get(_main(columns))) for row in rows)
    drafts = [_draft(path, row, columns, spoken, labels) for row in rows]
    drafts = _number_choices(path, drafts, columns)
    whole = [draft for draft in drafts if draft.text.strip()]
    if not labels and columns.shape is None:
        _refuse_bare_numbers(path, whole)
    items = _make_items(path, whole)
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
    return all(_text_of(row.fields.get(column)).casefold() in known for row in rows)


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
) -> _Draft:
    """Read a row; the label of a choice among the row's own stays as it is in the file."""
    parts = {part: row.fields.get(name) for part, name in columns.of.items()}
    shape = columns.shape
    if shape is None:
        references = _list_of(parts["references"]) if "references" in parts else ()
        label = _name_label(parts["label"], labels) if "label" in parts else ""
        return _Draft(row, _text_of(parts["text"]), label, references=references)
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
    return _Draft(row, text, label, choices, group=texts.get(shape.group, ""))


def _read_part(value: JsonValue, shape: Shape, language: Language) -> str:
    text = _text_of(value)
    return shape.readings.get(text, {}).get(language, text)


def _text_of(value: JsonValue) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def _list_of(value: JsonValue) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for one in values if (text := _text_of(one)))


def _name_label(value: JsonValue, names: Sequence[str]) -> str:
    """Turn a number, or another's word, into the label's own word."""
    text = _text_of(value)
    if text in names:
        return text
    if text.isdecimal() and int(text) < len(names):
        return names[int(text)]
    for aliases in LABEL_ALIASES:
        if len(aliases) == len(names) and text.casefold() in aliases:
            return names[aliases.index(text.casefold())]
    return text


def _number_choices(path: Path, drafts: list[_Draft], columns: _Columns) -> list[_Draft]:
    """Turn the numbers and letters of right choices into the choices themselves."""
    shape = columns.shape
    if shape is None or not shape.choices:
        return drafts
    base = _find_base(path, drafts) if shape.counts_from is None else shape.counts_from
    return [draft._replace(label=_find_choice(path, draft, base)) for draft in drafts]


def _find_base(path: Path, drafts: Sequence[_Draft]) -> int:
    """Find out whether a file counts its choices from 0 or from 1."""
    numbered = [draft for draft in drafts if _is_number(draft)]
    from_0 = any(int(draft.label) == 0 for draft in numbered)
    from_1 = any(int(draft.label) == len(draft.choices) for draft in numbered)
    if numbered and from_0 == from_1:
        raise TaskError(
            f"{path}: wanted choices that are counted from 0 or from 1, found "
            f"{'both' if from_0 else 'neither a first nor a last one'}. Write letters or the "
            "choices themselves as answers."
        )
    return 1 if from_1 else 0


def _is_number(draft: _Draft) -> bool:
    return draft.label.isdecimal() and draft.label not in draft.choices


def _find_choice(path: Path, draft: _Draft, base: int) -> str:
    label, choices = draft.label, draft.choices
    if label in choices:
        return label
    place = "ABCDEFGH".find(label) if len(label) == 1 and label.isalpha() else -1
    if label.isdecimal():
        place = int(label) - base
    if not 0 <= place < len(choices):
        raise TaskError(
            f"{path}:{draft.row.number}: wanted the number, letter or text of one of "
            f"{len(choices)} choices, found {label!r}."
        )
    return choices[place]


def _refuse_bare_numbers(path: Path, drafts: Sequence[_Draft]) -> None:
    labels = sorted({draft.label for draft in drafts if draft.label})
    if labels and all(label.isdecimal() for label in labels):
        raise TaskError(
            f"{path}: labels {', '.join(labels[:5])} are numbers, which say nothing to a model. "
            f"Write words, or put them in order into {path.stem}.card.json."
        )


def _make_items(path: Path, drafts: Sequence[_Draft]) -> list[TaskItem]:
    """Give drafts an id, their own or by content, and a side."""
    ids: Counter[str] = Counter()
    items: list[TaskItem] = []
    for draft in drafts:
        own = next((text for name in _ID if (text := _text_of(draft.row.fields.get(name)))), "")
        name = own or short_id(draft.text, draft.label, draft.choices, draft.references)
        ids[name] += 1
        items.append(
            TaskItem(
                # The same row twice is two items; an id of the file's own twice is a fault.
                id=name if own or ids[name] == 1 else f"{name}-{ids[name]}",
                split=_find_split(path, draft),
                text=draft.text,
                label=draft.label,
                choices=draft.choices,
                references=draft.references,
                group=short_id(draft.group) if draft.group else "",
            )
        )
    return items


def _find_split(path: Path, draft: _Draft) -> Split:
    if "split" not in draft.row.fields:
        number = int(short_id("worked example", draft.group or draft.text), 16)
        return "shots" if number % _ONE_IN == 0 else "test"
    said = _text_of(draft.row.fields["split"])
    if said not in _SPLITS:
        raise RecordFileError(
            f"{path}:{draft.row.number}: split: wanted {', '.join(_SPLITS)}, found {said!r}."
        )
    return _SPLITS[said]


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
