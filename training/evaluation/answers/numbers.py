"""Numbers as people write them in answers: digits, separators, 만 and 억, words, and their units.

Only what a marker reads without thinking: "12", "1,200", "3만 5천", "세 명", "twenty-one". All is
linear in the text.
"""

import re
from decimal import Decimal
from typing import NamedTuple

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?"
# 만큼 is a particle, "as much as"; 조 is left out, as "3조" is a third group more often than 10^12.
_LARGE = r"(?:만(?!큼)|억)"
_SCALED = rf"(?:{_DIGITS})\s?(?:[천백십]\s?{_LARGE}?|{_LARGE})"
_NUMBER = rf"(?:{_SCALED}(?:\s?{_SCALED})*(?:\s?(?:{_DIGITS}))?|{_DIGITS})"
# A minus after a letter, digit or bracket is a hyphen or an operator; halves of a fraction, ratio
# or time of day are no numbers of their own.
_WITHIN = re.compile(rf"(?<![\d.])(?<!\d[,/:])(?:(?<![\w)])[-−])?{_NUMBER}(?![/:]?\d)")
_WHOLE = re.compile(
    rf"(?:(?:약|about)\s*)?(?P<sign>[-−]?)\s*(?:[$€£₩]|USD|KRW)?\s*(?P<number>{_NUMBER})\s*(?P<unit>.*)",
    re.IGNORECASE,
)
_PIECE = re.compile(rf"({_DIGITS})\s?([천백십]?)\s?({_LARGE}?)")
_UNIT = re.compile(r"[^\W\d_]*[%°]?[^\W\d_]*|[ck]?m[23²³][가-힣]*")
_POWERS = {"": 1, "십": 10, "백": 100, "천": 1000, "만": 10_000, "억": 100_000_000}

_NATIVE_ONES_WORDS = "한 두 세 네 다섯 여섯 일곱 여덟 아홉"
_NATIVE_TENS_WORDS = "열 스물 서른 마흔 쉰 예순 일흔 여든 아흔"
_ENGLISH_ONES_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen
"""
_ENGLISH_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"

_NATIVE_ONES = {word: place for place, word in enumerate(_NATIVE_ONES_WORDS.split(), 1)} | {
    "하나": 1,
    "둘": 2,
    "셋": 3,
    "석": 3,
    "넷": 4,
    "넉": 4,
}
_NATIVE_TENS = {word: 10 * place for place, word in enumerate(_NATIVE_TENS_WORDS.split(), 1)} | {
    "스무": 20
}
_SINO_ONES = dict(zip("일이삼사오육칠팔구", range(1, 10), strict=True))
_NATIVE = re.compile(
    rf"(?P<tens>{'|'.join(_NATIVE_TENS)})?\s?(?P<ones>{'|'.join(_NATIVE_ONES)})?\s*(?P<unit>[가-힣]*)"
)
# At least two signs, or "이 사람" would be two people.
_SIGN = "[일이삼사오육칠팔구십백천만억]"
_SINO = re.compile(rf"(?P<number>{_SIGN}(?:\s?{_SIGN})+|[십백천])\s*(?P<unit>[가-힣]*)")
_ENGLISH_ONES = {word: place for place, word in enumerate(_ENGLISH_ONES_WORDS.split())}
_ENGLISH_TENS = {word: 10 * place for place, word in enumerate(_ENGLISH_TENS_WORDS.split(), 2)}
_ENGLISH_POWERS = {"hundred": 100, "thousand": 1000, "million": 1_000_000}


class Quantity(NamedTuple):
    """A number and the word or sign behind it."""

    value: Decimal
    unit: str
    """As written, with whatever particle hangs on it; empty for a bare number."""


def read_quantity(text: str) -> Quantity | None:
    """Read a text that is nothing but a number in digits and at most one word, its unit."""
    whole = _WHOLE.fullmatch(text.strip())
    if whole is None or not _UNIT.fullmatch(whole["unit"]):
        return None
    value = _value_of(whole["number"])
    return Quantity(-value if whole["sign"] else value, whole["unit"])


def read_worded_quantity(text: str) -> Quantity | None:
    """Read a text that is nothing but a number in words, Korean or English, and its unit."""
    text = text.strip().lower()
    return _read_native(text) or _read_sino(text) or _read_english(text)


def find_numbers(text: str) -> list[Decimal]:
    """Return all numbers in digits, in order, wherever they stand."""
    numbers: list[str] = _WITHIN.findall(text)
    return [
        -_value_of(number[1:]) if number[0] in "-−" else _value_of(number) for number in numbers
    ]


def _value_of(number: str) -> Decimal:
    """Add up thousands within each 만 and 억: 3천5백만 is (3000 + 500) * 10,000."""
    total = section = Decimal(0)
    for digits, small, large in _PIECE.findall(number):
        section += Decimal(digits.replace(",", "")) * _POWERS[small]
        if large:
            total += section * _POWERS[large]
            section = Decimal(0)
    return total + section


def _read_native(text: str) -> Quantity | None:
    found = _NATIVE.fullmatch(text)
    if found is None or not (found["tens"] or found["ones"]):
        return None
    value = _NATIVE_TENS.get(found["tens"], 0) + _NATIVE_ONES.get(found["ones"], 0)
    return Quantity(Decimal(value), found["unit"])


def _read_sino(text: str) -> Quantity | None:
    found = _SINO.fullmatch(text)
    if found is None:
        return None
    total = section = digit = 0
    for sign in "".join(found["number"].split()):
        if sign in _SINO_ONES:
            digit = _SINO_ONES[sign]
        elif sign in "만억":
            total += (section + digit or 1) * _POWERS[sign]
            section = digit = 0
        else:
            section += (digit or 1) * _POWERS[sign]
            digit = 0
    return Quantity(Decimal(total + section + digit), found["unit"])


def _read_english(text: str) -> Quantity | None:
    """Read "one hundred and twenty-one apples"; the last word may be no number."""
    words = text.replace("-", " ").split()
    total = section = used = 0
    for word in words:
        if word in _ENGLISH_ONES or word in _ENGLISH_TENS:
            section += _ENGLISH_ONES.get(word, 0) or _ENGLISH_TENS.get(word, 0)
        elif word == "hundred" and section:
            section *= 100
        elif word in _ENGLISH_POWERS and section:
            total, section = total + section * _ENGLISH_POWERS[word], 0
        elif word != "and" or not used:
            break
        used += 1
    if not used or len(words) - used > 1:
        return None
    return Quantity(Decimal(total + section), "".join(words[used:]))
