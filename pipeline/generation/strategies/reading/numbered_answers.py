"""Find numbered answers: a JSON object with numbers as keys, an array, or a plain numbered list.

A number names its answer better than a place in a list does: a small teacher that writes under its
number what was asked for under it loses no count, and one that leaves a number out shifts nothing.
A few passes over the text.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.generation.strategies.reading.loose_json import (
    compile_key,
    find_fields,
    read_strings,
)

_KEY = compile_key(r"\d{1,3}")
_NUMBER_OR_TASK = compile_key("number|번호|instruction|task|지시|과제")
_DIGITS = re.compile(r"\d{1,3}")
_LINE = re.compile(
    r"[ \t]{0,8}(?:[-*\u2022][ \t]{1,4})?[*_#]{0,4}[ \t]{0,2}(?:(?:task|과제)[ \t]{1,2})?"
    r"(?P<number>\d{1,3})번?[*_]{0,2}[.):\uff0e\uff09\uff1a][*_]{0,2}(?:[ \t]+|(?=\D))(?P<text>.*)",
    re.IGNORECASE,
)


class Numbered(NamedTuple):
    """One answer."""

    number: int
    text: str
    is_cut: bool
    """The completion ended inside it."""


class _Line(NamedTuple):
    number: int
    """0 where the line begins with none."""
    text: str
    is_behind_gap: bool
    """It is the first one, or follows an empty line."""


def find_numbered(text: str, count: int, *, is_cut: bool) -> list[Numbered]:
    """Collect one-line answers in order, those of JSON or else those of a list.

    Args:
        text: The completion.
        count: Answers asked for; an array without numbers is read when it has as many.
        is_cut: The token limit ended it, so the last entry of a list is incomplete. Of a JSON
            object the text itself tells.
    """
    keyed = _find_keyed(text)
    if keyed:
        return keyed
    strings = read_strings(text)
    if len(strings) == count:
        return [Numbered(number, entry, is_cut=False) for number, entry in enumerate(strings, 1)]
    return _find_objects(text) or _find_lines(text, is_cut=is_cut)


def find_long(text: str, count: int, *, is_cut: bool) -> list[Numbered]:
    """Collect answers that may have paragraphs and numbered steps of their own.

    In a plain list an answer begins at the number that is next, behind an empty line where the
    list has such. If a number comes twice in a row, or not as many are found as were asked for,
    nobody knows where an answer ends, and the list is empty.

    Args:
        text: The completion.
        count: Answers asked for.
        is_cut: The token limit ended it, so that the last answer is incomplete and some may lack.
    """
    keyed = _find_keyed(text)
    if keyed:
        return keyed
    lines = _read_lines(text)
    answers = _follow(lines, [line.number if line.is_behind_gap else 0 for line in lines])
    if len(answers) < 2:
        answers = _follow(lines, [line.number for line in lines])
    if len(answers) != count and not (is_cut and len(answers) < count):
        return []
    return [
        Numbered(number, entry, is_cut and number == len(answers))
        for number, entry in enumerate(answers, 1)
    ]


def _find_keyed(text: str) -> list[Numbered]:
    return [
        Numbered(int(field.key), _unwrap(field.text), field.is_cut)
        for field in find_fields(text, _KEY)
    ]


def _unwrap(value: str) -> str:
    """Take the task out of an object that stands for it."""
    fields = find_fields(value, _NUMBER_OR_TASK) if value.startswith("{") else []
    return next((field.text for field in fields if not _is_number(field.key)), value)


def _find_objects(text: str) -> list[Numbered]:
    """Pair each task of an array of objects with the number before it."""
    found: list[Numbered] = []
    number = 0
    for field in find_fields(text, _NUMBER_OR_TASK):
        if _is_number(field.key):
            digits = _DIGITS.match(field.text)
            number = int(digits[0]) if digits else 0
        elif number:
            found.append(Numbered(number, field.text, field.is_cut))
            number = 0
    return found


def _is_number(key: str) -> bool:
    return key.lower() in {"number", "번호"}


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


def _read_lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    before = ""
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        number = int(found["number"]) if found else 0
        lines.append(_Line(number, line, not before.strip()))
        before = line
    return lines


def _follow(lines: Iterable[_Line], numbers: Iterable[int]) -> list[str]:
    """Gather the answers that begin at 1, 2, 3 and so on; none when a number comes twice."""
    answers: list[list[str]] = []
    for line, number in zip(lines, numbers, strict=True):
        if number and number == len(answers):
            return []
        if number == len(answers) + 1:
            head = _LINE.fullmatch(line.text)
            answers.append([head["text"] if head else ""])
        elif answers:
            answers[-1].append(line.text)
    return ["\n".join(answer).strip() for answer in answers]
