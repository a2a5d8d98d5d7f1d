"""Find numbered objects in text that is meant to be a JSON array of them, however broken.

Each object names the task that it belongs to, so that a teacher which leaves one out or changes
their order shifts nothing. Without any number the objects count in order, but only when there are
as many as were asked for, or the end was cut off: else nobody knows which one is missing. Linear in
the text.
"""

import re
from typing import NamedTuple

from pipeline.generation.strategies.reading.loose_json import Field, compile_key, find_fields

_KEY = compile_key("number|instruction|input|output|번호|지시|입력|출력")
_NAMES = {"번호": "number", "지시": "instruction", "입력": "input", "출력": "output"}

_NUMBER = re.compile(r"[0-9]{1,4}")


class Item(NamedTuple):
    """One object."""

    parts: dict[str, str]
    """The values of ``instruction``, ``input`` and ``output``, as far as there are any."""
    is_cut: bool
    """The text ended inside it."""


def find_items(text: str, last_part: str, count: int) -> dict[int, Item]:
    """Collect the objects by number; the first one counts where a number comes twice.

    Args:
        text: The completion.
        last_part: Name of the part that stands last in an object: an object that ends the text
            without it was cut.
        count: Objects asked for; those with numbers beyond it are left out.
    """
    groups = _group(text)
    items = [_to_item(group, text if group is groups[-1] else "}", last_part) for group in groups]
    if any("number" in group for group in groups):
        return _by_number(groups, items, count)
    is_sure = len(items) == count or (items and items[-1].is_cut and len(items) < count)
    return dict(enumerate(items, 1)) if is_sure else {}


def _group(text: str) -> list[dict[str, Field]]:
    """Gather fields to objects: one ends at a brace, or when a key comes that it has already."""
    groups: list[dict[str, Field]] = []
    end = 0
    for field in find_fields(text, _KEY):
        name = _NAMES.get(field.key, field.key.lower())
        between = text[end : field.start]
        if not groups or name in groups[-1] or "{" in between or "}" in between:
            groups.append({})
        groups[-1][name] = field
        end = field.end
    return groups


def _by_number(groups: list[dict[str, Field]], items: list[Item], count: int) -> dict[int, Item]:
    found: dict[int, Item] = {}
    for group, item in zip(groups, items, strict=True):
        number = group["number"].text.strip() if "number" in group else ""
        if _NUMBER.fullmatch(number) and 1 <= int(number) <= count:
            found.setdefault(int(number), item)
    return found


def _to_item(group: dict[str, Field], text: str, last_part: str) -> Item:
    """Make the object; ``text`` tells whether the last one was closed."""
    is_cut = any(field.is_cut for field in group.values())
    if last_part not in group:
        is_cut = is_cut or "}" not in text[max(field.end for field in group.values()) - 1 :]
    return Item({name: field.text for name, field in group.items() if name != "number"}, is_cut)
