"""Turn rows that were read into items: an id each, and a side.

Which items are worked examples: where the file says (``split``: train are, the others are scored),
else a fifth by a hash of the text, or of the passage that several share, so that no text stands on
both sides and a file that grows keeps its sides.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import JsonValue

from schemas.identity import short_id
from schemas.storage import RecordFileError
from training.evaluation.tasks.items import TaskItem
from training.evaluation.tasks.rows import FileRow

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


class Draft(NamedTuple):
    """An item without id and split."""

    row: FileRow
    text: str
    label: str = ""
    choices: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    group: str = ""


def text_of(value: JsonValue) -> str:
    """Write a value as a text without space around it; false and true are 0 and 1."""
    if isinstance(value, bool):
        return str(int(value))
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def make_items(path: Path, drafts: Sequence[Draft]) -> list[TaskItem]:
    """Give drafts an id, their own or by content, and a side."""
    ids: Counter[str] = Counter()
    items: list[TaskItem] = []
    for draft in drafts:
        own = next((text for name in _ID if (text := text_of(draft.row.fields.get(name)))), "")
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


def _find_split(path: Path, draft: Draft) -> Split:
    if "split" not in draft.row.fields:
        number = int(short_id("worked example", draft.group or draft.text), 16)
        return "shots" if number % _ONE_IN == 0 else "test"
    said = text_of(draft.row.fields["split"])
    if said not in _SPLITS:
        raise RecordFileError(
            f"{path}:{draft.row.number}: split: wanted {', '.join(_SPLITS)}, found {said!r}."
        )
    return _SPLITS[said]
