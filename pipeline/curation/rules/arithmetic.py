"""The rule that recomputes the sums of an output: "12 * 12 = 154" is wrong, whoever says so.

Reads digits and words ("12 times 12 equals", "12 곱하기 12는"), thousands separators and Korean
units (3만). A result may be rounded to its last place. Whatever is not surely a closed sum passes:
variables, code, remainders, other bases, the sums of the task, and lines that speak of an error.
"""

import re
from fractions import Fraction

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.sums import Side, find_equations, normalise
from pipeline.curation.rules.view import RecordView

_OTHER_RULES = re.compile(
    r"\b(?:binary|hexa?\w*|octal|modul\w+|mod|base|clock|puzzle|riddle|boolean|matrix|vectors?)\b"
    r"|이진|2진|16진|진법|나머지|시계|퍼즐|수수께끼|행렬|벡터|논리",
    re.IGNORECASE,
)
_SPEAKS_OF_ERROR = re.compile(
    r"\b(?:incorrect\w*|wrong\w*|mistak\w+|errors?|not equal|false|instead of)\b"
    r"|틀린|틀렸|잘못|오답|오류|아니",
    re.IGNORECASE,
)


def _wrong_arithmetic(record: RecordView) -> str | None:
    if "=" not in normalise(record.output) or _OTHER_RULES.search(record.instruction):
        return None
    given = _squeeze(normalise(record.task_text))
    for line in normalise(record.output_prose).splitlines():
        if _SPEAKS_OF_ERROR.search(line):
            continue
        for left, right in find_equations(line):
            claim = line[left.start : right.end]
            if not holds(left, right) and _squeeze(claim) not in given:
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
