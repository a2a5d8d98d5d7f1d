"""ROUGE-L F1 that sees Hangul.

Lin 2004 (aclanthology W04-1013), as the library ``rouge_score`` computes it for English: runs of
``[a-z0-9]`` in lower case, no stemmer. That tokenizer finds nothing in Korean, where a token here
is a Hangul syllable, a Han character, or a whole run of other letters and digits; particles attach
to nouns, so whole words would hide most of what two sentences share.

The longest common subsequence is found a row at a time in the bits of an integer (Hyyrö 2004), so
the cost is the product of the lengths divided by some thirty.
"""

import re
import unicodedata
from collections.abc import Sequence

from schemas.records import Language

_ENGLISH = re.compile(r"[a-z0-9]+")
_KOREAN = re.compile(r"[가-힣㐀-䶿一-鿿]|[^\W_가-힣㐀-䶿一-鿿]+")


def rouge_l(answer: str, references: Sequence[str], language: Language) -> float:
    """Return the F1 with the reference that is closest, in [0, 1]; 0 without references."""
    tokens = _tokenize(answer, language)
    return max((_f1(tokens, _tokenize(text, language)) for text in references), default=0.0)


def _tokenize(text: str, language: Language) -> list[str]:
    if language == "en":
        return _ENGLISH.findall(text.lower())
    return _KOREAN.findall(unicodedata.normalize("NFC", text).casefold())


def _f1(found: Sequence[str], wanted: Sequence[str]) -> float:
    if not found or not wanted:
        return 0.0
    return 2 * _common_length(found, wanted) / (len(found) + len(wanted))


def _common_length(first: Sequence[str], second: Sequence[str]) -> int:
    places: dict[str, int] = {}
    for place, token in enumerate(first):
        places[token] = places.get(token, 0) | 1 << place
    every = (1 << len(first)) - 1
    # A zero bit marks a place at which the longest common subsequence grows by one.
    row = every
    for token in second:
        shared = row & places.get(token, 0)
        row = (row + shared | row - shared) & every
    return len(first) - row.bit_count()
