"""Tell an answer in own words from one that copies the text behind it.

The measure is the share of the output's n-grams that stand in the source too: runs of six Hangul
syllables in Korean, where endings and particles change with every rewording, of four words in
English. Two example texts with rewordings by hand, which the tests repeat, set the numbers:

====================================  =======  ======
the output                            English  Korean
====================================  =======  ======
verbatim                              1.00     1.00
polite endings changed throughout              0.84
sentences moved, first words changed  0.62     0.52
every fourth word replaced            0.46     0.38
written anew from the same facts      ≤ 0.10   ≤ 0.09
====================================  =======  ======

The threshold is the middle of the gap. Code, short items of lists and names between commas are left
out of the output first: a command, the ingredients or the planets have one wording. Cost is linear
in the texts.
"""

import re
from itertools import groupby
from typing import NamedTuple

from schemas.records import Language

_MOST_COPIED = 0.25

# Elsewhere than in Hangul a token is a word, so that a Korean run may hold names and numbers.
_TOKEN = re.compile(r"[가-힣]|[^\W_가-힣]+")

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_CODE_LINE = re.compile(r"[;{}]\s*\Z|\A\s*(?:[$>=]|\w+\s?=|(?:SELECT|def|import|return)\b)")
_ITEM = re.compile(r"\s*(?:[-*\u2022]|\d{1,3}[.)])\s")
_COMMA = re.compile("[,\u3001\uff0c]")
# Names between commas: so many make an enumeration, none longer than so many words.
_FEWEST_NAMES = 4
_LONGEST_NAME = 3


class _Measure(NamedTuple):
    run: int
    """Tokens of an n-gram."""
    least: int
    """Tokens below which an output is too short to be anyone's wording: a name, a number, a list
    of three. The facts that a question asks for stand in the source by right."""
    item: int
    """Words, in Korean eojeol, up to which an item of a list is no sentence."""


_MEASURES: dict[Language, _Measure] = {"en": _Measure(4, 12, 6), "ko": _Measure(6, 25, 4)}


def is_near_copy(output: str, source: str, language: Language) -> bool:
    """Tell whether too much of an output's wording stands in the source."""
    measure = _MEASURES[language]
    prose = _find_prose(output, measure.item)
    is_short = len(_TOKEN.findall(prose)) < measure.least
    return not is_short and copied_share(prose, source, language) > _MOST_COPIED


def copied_share(output: str, source: str, language: Language) -> float:
    """Return the share, from 0 to 1, of the output's n-grams that are in the source."""
    run = _MEASURES[language].run
    grams = _ngrams(output, run)
    known = set(_ngrams(source, run))
    return sum(gram in known for gram in grams) / len(grams) if grams else 0.0


def _find_prose(text: str, longest_item: int) -> str:
    """Drop what has one wording only: code, short items and names between commas."""
    lines = (line for line in _CODE.sub(" ", text).splitlines() if not _CODE_LINE.search(line))
    return "\n".join(
        _drop_names(line)
        for line in lines
        if not (_ITEM.match(line) and len(line.split()) <= longest_item + 1)
    )


def _drop_names(line: str) -> str:
    kept: list[str] = []
    for is_name, run in groupby(
        _COMMA.split(line), lambda part: len(part.split()) <= _LONGEST_NAME
    ):
        parts = list(run)
        if not is_name or len(parts) < _FEWEST_NAMES:
            kept += parts
    return ",".join(kept)


def _ngrams(text: str, run: int) -> list[tuple[str, ...]]:
    tokens = _TOKEN.findall(text.lower())
    return [tuple(tokens[start : start + run]) for start in range(len(tokens) - run + 1)]
