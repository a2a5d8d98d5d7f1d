"""Decide whether a record holds a protected text, on the words themselves.

Three measures, from certain to likely: the text is a whole field; it stands in a field from end to
end; or its n-grams cover most of it. Short texts are where decontamination goes wrong both ways:
those under 13 words have no 13-gram, and "Write a short story." begins a hundred other tasks. So a
text of no more than one n-gram must be most of the field it stands in, or a sentence of its own
there; and a single word must be the field.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from pipeline.curation.contamination.texts import CutText

Where = Literal["instruction", "input", "instruction and input", "output"]

# What a sentence, line, quotation or list entry begins or ends with; hearts and stars too.
_MARK = re.compile(r"\n|[^\w\s,/&%+-]")
_IDLE_GAP = re.compile(r"(?<!\d) | (?!\d)")

# Hangul begins here; kana, Chinese characters and the rest of Hangul have higher code points.
_FIRST_SYLLABLE = 0x1100

# Shares of a field, a fraction. Against 2,000 others of their own kind, 39,076 Korean instructions
# lose 0.3 % and 21,189 English ones 1.0 % to texts that they hold from end to end.
_MOST_OF_FIELD = 0.6
_SENTENCE_OF_FIELD = 0.1
# Syllables from which a Korean text is a sentence of its own where one side of it is only a space:
# comments and commands end without a full stop, and what follows another verb is not its part.
_LEAST_UNMARKED = 4


class Measure(NamedTuple):
    """How much of a text must be shared, by one length of n-grams."""

    words: int
    """Length of an n-gram, for texts of words."""
    syllables: int
    """Length for texts of syllables and Chinese characters."""
    share: float
    """Of the text, that n-grams of this length must cover; a fraction."""

    def size_for(self, text: CutText) -> int:
        """Choose the length for a text by its script."""
        return self.syllables if is_syllabic(text) else self.words


class Overlap(NamedTuple):
    """How a record holds a protected text."""

    exact: bool
    share: float
    """Of the protected text, a fraction."""
    where: Where
    shared: str
    """The longest run of shared words, folded."""


class Fields(NamedTuple):
    """The texts of a record."""

    instruction: CutText
    input: CutText
    output: CutText


def is_syllabic(text: CutText) -> bool:
    """Tell text of single syllables and characters from text of words."""
    beyond_alphabets = sum(ord(token[0]) >= _FIRST_SYLLABLE for token in text.tokens)
    return 2 * beyond_alphabets > len(text.tokens)


def anchor_size(text: CutText, measures: tuple[Measure, ...]) -> int:
    """Length of the n-grams of which a record must share one to hold the text; 0 for no such."""
    least = 3 if is_syllabic(text) else 2
    if len(text.tokens) < least:
        return 0
    return min(len(text.tokens), *(measure.size_for(text) for measure in measures))


def compare(fields: Fields, text: CutText, measures: tuple[Measure, ...]) -> Overlap | None:
    """Say how a record holds a text, if it does; an exact match goes before an overlap."""
    where = _find_whole(fields, text)
    if where is not None:
        return Overlap(True, 1.0, where, text.excerpt(0, len(text.tokens) - 1))
    size = anchor_size(text, measures)
    if not size:
        return None
    is_short = len(text.tokens) <= min(measure.size_for(text) for measure in measures)
    found: list[Overlap] = []
    for where, field in _parts(fields):
        if (overlap := _find_inside(field, text, is_short, where)) is not None:
            return overlap
        if not is_short and (overlap := _measure(field, text, measures, where)) is not None:
            found.append(overlap)
    return max(found, key=lambda overlap: overlap.share, default=None)


def _find_whole(fields: Fields, text: CutText) -> Where | None:
    wanted = _squeeze(text.tokens)
    if _squeeze(fields.instruction.tokens) == wanted:
        return "instruction"
    if _squeeze(fields.input.tokens) == wanted:
        return "input"
    if _squeeze([*fields.instruction.tokens, *fields.input.tokens]) == wanted:
        return "instruction and input"
    return None


def _squeeze(tokens: list[str]) -> str:
    """Join tokens without gaps, so that "every day" is "everyday", but "1.5" never "15"."""
    return _IDLE_GAP.sub("", " ".join(tokens))


def _parts(fields: Fields) -> Iterator[tuple[Where, CutText]]:
    yield "instruction", fields.instruction
    if fields.input.tokens:
        yield "input", fields.input
        yield "instruction and input", fields.instruction.followed_by(fields.input)
    yield "output", fields.output


def _find_inside(field: CutText, text: CutText, is_short: bool, where: Where) -> Overlap | None:
    """Find the text from end to end; a short one only where it is not part of something else.

    In an output a short text is how everybody writes, so it says nothing there.
    """
    if is_short and where == "output":
        return None
    length = len(text.tokens)
    share = length / max(len(field.tokens), 1)
    for first in _places(field.tokens, text.tokens):
        last = first + length - 1
        stands_alone = share >= _SENTENCE_OF_FIELD and _stands_alone(field, first, last, text)
        if not is_short or share >= _MOST_OF_FIELD or stands_alone:
            return Overlap(True, 1.0, where, field.excerpt(first, last))
    return None


def _places(tokens: list[str], wanted: list[str]) -> Iterator[int]:
    length = len(wanted)
    for first in range(len(tokens) - length + 1):
        if tokens[first] == wanted[0] and tokens[first : first + length] == wanted:
            yield first


def _stands_alone(field: CutText, first: int, last: int, text: CutText) -> bool:
    before = field.between(first) if first else "\n"
    behind = field.between(last + 1) if last + 1 < len(field.tokens) else "\n"
    marks = sum(_MARK.search(gap) is not None for gap in (before, behind))
    if len(text.tokens) >= _LEAST_UNMARKED and is_syllabic(text):
        return marks >= 1 and before != "" and behind != ""
    return marks == 2


def _measure(
    field: CutText, text: CutText, measures: tuple[Measure, ...], where: Where
) -> Overlap | None:
    """Find the measure that covers enough of the text, if one does."""
    for measure in measures:
        covered = _cover(field.tokens, text.tokens, measure.size_for(text))
        share = sum(covered) / len(covered)
        if share >= measure.share:
            first, last = _longest_run(covered)
            return Overlap(False, share, where, text.excerpt(first, last))
    return None


def _cover(tokens: list[str], wanted: list[str], size: int) -> list[bool]:
    """Mark the tokens of a text that lie in an n-gram which the other text has too."""
    known = {tuple(tokens[first : first + size]) for first in range(len(tokens) - size + 1)}
    covered = [False] * len(wanted)
    for first in range(len(wanted) - size + 1):
        if tuple(wanted[first : first + size]) in known:
            covered[first : first + size] = [True] * size
    return covered


def _longest_run(covered: list[bool]) -> tuple[int, int]:
    """Return first and last place of the longest run that is covered; there is one."""
    best, last, length = 0, 0, 0
    for end, is_covered in enumerate(covered):
        length = length + 1 if is_covered else 0
        if length > best:
            best, last = length, end
    return last - best + 1, last
