"""A long pattern in parts, each searched for only where what it is made of stands in the text.

One alternation of thirty turns is tried at each letter of a text, 100 ns a letter. Most texts hold
the words of no turn, which plain substring tests tell in a hundredth of that. Linear in the text.
"""

import re
from typing import NamedTuple

from pipeline.curation.rules.view import holds_any

Marks = tuple[str, ...]
"""In lower case; what bears them holds at least one."""


class Part(NamedTuple):
    """One turn of a pattern."""

    pattern: re.Pattern[str]
    needs: tuple[Marks, ...]
    """One mark of each stands wherever the pattern matches."""


def part(pattern: str, *needs: Marks) -> Part:
    """Compile a turn that ignores case."""
    return Part(re.compile(pattern, re.IGNORECASE), needs)


def search(parts: tuple[Part, ...], text: str, lowered: str) -> re.Match[str] | None:
    """Find what the alternation of the parts would: the first match, of the first part there."""
    first: re.Match[str] | None = None
    # Parts share tuples of marks; hashing one takes as long as some of its tests, its identity not.
    known: dict[int, bool] = {}
    for pattern, needs in parts:
        for marks in needs:
            holds = known.get(id(marks))
            if holds is None:
                holds = known[id(marks)] = holds_any(lowered, marks)
            if not holds:
                break
        else:
            found = pattern.search(text)
            if found and (first is None or found.start() < first.start()):
                first = found
    return first
