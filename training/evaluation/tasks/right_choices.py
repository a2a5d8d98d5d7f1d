"""Read which of its choices is a row's right one: by number, letter or text."""

from collections.abc import Sequence
from pathlib import Path

from training.evaluation.tasks.drafts import Draft
from training.evaluation.tasks.items import TaskError


def name_choices(path: Path, drafts: Sequence[Draft], counts_from: int | None) -> list[Draft]:
    """Turn the numbers and letters of right choices into the choices themselves.

    Args:
        path: Of the file, for messages.
        drafts: With labels as they are in the file.
        counts_from: Number of the first choice; None finds out.

    Raises:
        TaskError: A label names no choice, or numbers do not show where they begin.
    """
    base = _find_base(path, drafts) if counts_from is None else counts_from
    return [draft._replace(label=_find_choice(path, draft, base)) for draft in drafts]


def _find_base(path: Path, drafts: Sequence[Draft]) -> int:
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


def _is_number(draft: Draft) -> bool:
    return draft.label.isdecimal() and draft.label not in draft.choices


def _find_choice(path: Path, draft: Draft, base: int) -> str:
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
