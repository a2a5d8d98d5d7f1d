"""Find numbered one-line answers: a JSON object with numbers as keys, or a plain numbered list.

A number names its answer better than a place in a list does: a small teacher that writes under its
number what was asked for under it loses no count, and one that leaves a number out shifts nothing.
One pass over the text.
"""

import re
from typing import NamedTuple

from pipeline.generation.strategies.reading.loose_json import compile_key, find_fields

_KEY = compile_key(r"\d{1,3}")
_LINE = re.compile(
    r"[ \t]{0,8}[*_#]{0,4}[ \t]{0,2}(?P<number>\d{1,3})[*_]{0,2}[.):\uff0e\uff09\uff1a]"
    r"[*_]{0,2}(?:[ \t]+|(?=\D))(?P<text>.*)"
)


class Numbered(NamedTuple):
    """One answer."""

    number: int
    text: str
    is_cut: bool
    """The completion ended inside it."""


def find_numbered(text: str, *, is_cut: bool) -> list[Numbered]:
    """Collect the answers in order, those of a JSON object or else those of a list.

    Args:
        text: The completion.
        is_cut: The token limit ended it, so the last entry of a list is incomplete. Of a JSON
            object the text itself tells.
    """
    fields = find_fields(text, _KEY)
    if fields:
        return [Numbered(int(field.key), field.text, field.is_cut) for field in fields]
    return _find_lines(text, is_cut=is_cut)


def _find_lines(text: str, *, is_cut: bool) -> list[Numbered]:
    """Read a list; an entry ends at the next number or an empty line."""
    entries: list[tuple[int, list[str]]] = []
    is_open = False
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found:
            entries.append((int(found["number"]), [found["text"]]))
            is_open = True
        elif is_open and line.strip():
            entries[-1][1].append(line)
        else:
            is_open = False
    return [
        Numbered(number, "\n".join(lines).strip(), is_cut and is_open and index == len(entries))
        for index, (number, lines) in enumerate(entries, 1)
    ]
