"""The rule that recomputes the sums of an output: "12 * 12 = 154" is wrong, whoever says so.

Reads digits and words ("12 times 12 equals", "20% of 250 is", "열둘 곱하기 열둘은"), thousands
separators and Korean units (3만 5천). Lines that claim no equality are passed unread. A result may
be rounded to its last place. Whatever is not surely a closed sum passes: variables, code,
remainders, other bases, clocks, the sums of the task, and lines that speak of an error.
"""

import re
from fractions import Fraction

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.spelled import normalise
from pipeline.curation.rules.sums import Side, find_equations
from pipeline.curation.rules.view import RecordView

_OTHER_RULES = re.compile(
    r"\b(?:binary|hexa?\w*|octal|modul\w+|mod|base|clock|puzzle|riddle|boolean|matrix|vectors?)\b"
    r"|what time|o'?clock|몇 시(?!간)|이진|2진|16진|진법|나머지|시계|퍼즐|수수께끼|행렬|벡터|논리",
    re.IGNORECASE,
)
_SPEAKS_OF_ERROR = re.compile(
    r"\b(?:incorrect\w*|wrong\w*|mistak\w+|errors?|not equal|false|instead of)\b"
    r"|틀린|틀렸|잘못|오답|오류|아니",
    re.IGNORECASE,
)
# "12는 144" and "곱하기 열둘은", where no equals sign stands. Two patterns that begin with a letter
# each, so that a search jumps: as one they took twenty times as long.
_DIGITS_ARE = re.compile(r"[\d)%트]\s{0,3}[은는]\s{0,3}[\d(]")
_WORDS_ARE = re.compile(r"기 (?<=[하누]기 )[가-힣\d]{1,12}[은는] ")


def _wrong_arithmetic(record: RecordView) -> str | None:
    if not _may_claim(record.output):
        return None
    for line in record.output_prose.splitlines():
        if _may_claim(line) and not _SPEAKS_OF_ERROR.search(line):
            found = _find_wrong(normalise(line), record)
            if found:
                return found
    return None


def _may_claim(text: str) -> bool:
    """Tell texts that may say that two numbers are equal: most say it nowhere."""
    return (
        "=" in text
        or "＝" in text
        or "qual" in text
        or "QUAL" in text
        or "% of " in text
        or "percent of " in text
        or bool(_DIGITS_ARE.search(text))
        or bool(_WORDS_ARE.search(text))
    )


def _find_wrong(line: str, record: RecordView) -> str | None:
    for left, right in find_equations(line):
        if not holds(left, right):
            claim = line[left.start : right.end]
            if _OTHER_RULES.search(record.instruction):
                return None
            if _squeeze(claim) not in _squeeze(normalise(record.task_text)):
                return f"{quote(claim)}, but {_show(left, right)}"
    return None


def _squeeze(text: str) -> str:
    return "".join(text.split())


def holds(left: Side, right: Side) -> bool:
    """Tell whether two sides are equal, or need not be: no sum, or other units."""
    if not (left.has_operator or right.has_operator):
        return True
    if left.units and right.units and not left.units & right.units:
        return True
    return any(
        _agree(first, second, left, right)
        for first, second in (
            (left.value, right.value),
            (left.plain, right.plain),
            (left.value, right.plain),
            (left.plain, right.value),
        )
    )


def _agree(first: Fraction, second: Fraction, left: Side, right: Side) -> bool:
    if first == second:
        return True
    if left.has_operator and right.has_operator:
        # Two formulas are both exact, unless decimals in them were rounded before.
        scale = max(abs(first), abs(second))
        return bool(left.places or right.places) and abs(first - second) <= scale / 100
    exact, stated, places = (
        (first, second, right.places) if left.has_operator else (second, first, left.places)
    )
    unit = Fraction(1, 10**places)
    # What the stated places can hold must be exact; the rest may be rounded or cut.
    return (exact / unit).denominator != 1 and abs(exact - stated) < unit


def _show(left: Side, right: Side) -> str:
    value = left.value if left.has_operator else right.value
    exact = f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):.6g}"
    return f"the sum is {exact}"


ARITHMETIC_RULES = (
    Rule(
        "wrong-arithmetic",
        ("en", "ko"),
        "fatal",
        "The output states a sum that does not hold.",
        _wrong_arithmetic,
        examples=(
            Example("en", "Compute twelve squared.", "12 * 12 = 154"),
            Example("ko", "열둘의 제곱을 구하세요.", "12 × 12 = 154입니다."),
        ),
        near_misses=(
            Example("en", "Compute twelve squared.", "12 * 12 = 144"),
            Example("ko", "열둘의 제곱을 구하세요.", "12 × 12 = 144입니다."),
        ),
    ),
)
