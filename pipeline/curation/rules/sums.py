"""Find closed sums in a line of text and work them out exactly: a small parser, no eval.

A line is cut into tokens; runs of numbers, operators, brackets and equals signs are chains, and a
chain is cut at its equals signs into sides. A side is left out when something that is no number
may belong to it: a variable, a remainder, the other half of "1 hour 30 minutes". Linear in the
line.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

Kind = Literal["number", "operator", "open", "close", "equals", "word", "other"]

_SCALES: dict[str, int] = {
    "조": 10**12,
    "억": 10**8,
    "만": 10**4,
    "천": 10**3,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_TOKEN = re.compile(
    r"[$€£₩]?(?P<number>\d{1,3}(?:,\d{3})+(?!\d)|\d{1,30}|(?<![\w.])(?=\.\d))(?P<places>\.\d{1,20})?"
    r"(?:\s?(?P<scale>[조억만천](?=원|명|개|달러|엔|톤|[^가-힣]|$)"
    r"|(?:thousand|million|billion|trillion)\b))?(?P<percent>%(?!\s*[\d(]))?"
    r"|(?P<unit>(?<=\d )[hmgL](?![\w^]))|(?P<other>[=!<>:]=|=>|->|[a-zA-Z](?![a-zA-Z]))"
    r"|(?P<equals>=)|(?P<operator>\*\*|[-+*/^])|(?P<open>\()|(?P<close>\))"
    r"|(?P<word>[a-zA-Z]{2,20}/[a-zA-Z]+|[^\W\d_]+)|(?P<symbol>\S)",
    re.IGNORECASE,
)
_OPERATOR = re.compile(r"[-+*/^]")
# After one of these a number stands by itself; after any other word it may be half a quantity.
_CONNECTIVES = frozenset(
    {"and", "so", "then", "thus", "therefore", "or", "그리고", "이고", "이며"}
    | {"is", "are", "as", "because", "which", "gives", "makes", "means", "since", "if"}
)
_KOREAN_CONNECTIVES = ("므로", "니까", "라서", "이고", "이며", "인데", "지만", "이면")
_FUNCTIONS = frozenset({"sin", "cos", "tan", "log", "ln", "sqrt", "mod", "root"})
_COMPARES = re.compile(
    r"보다|이상|이하|미만|초과|나머지|정도|가량|remainder|rem|mod|more|less|fewer|greater|higher|lower|larger|smaller|times|percent",
    re.IGNORECASE,
)
_LONGEST_CHAIN = 80
_LONGEST_NUMBER = 40
_LARGEST_EXPONENT = 32


class Token(NamedTuple):
    """A piece of a line."""

    kind: Kind
    text: str
    start: int
    end: int
    value: Fraction = Fraction(0)
    places: int = 0
    """Digits after the point."""
    is_percent: bool = False


class Side(NamedTuple):
    """One side of an equals sign, worked out."""

    value: Fraction
    plain: Fraction
    """The value when percent signs are read as units: "45 / 60 * 100 = 75%"."""
    places: int
    """Most digits after the point of its numbers."""
    has_operator: bool
    units: frozenset[str]
    """First letters of the words after its numbers."""
    start: int
    end: int


def find_equations(line: str) -> Iterator[tuple[Side, Side]]:
    """Find the pairs of sides that a normalised line says are equal, of which one is a sum."""
    if "=" not in line or not _OPERATOR.search(line):
        return
    tokens = list(_tokenize(line))
    start = 0
    while start < len(tokens):
        if tokens[start].kind in ("other", "word"):
            start += 1
            continue
        end = _chain_end(tokens, start)
        if any(token.kind == "equals" for token in tokens[start:end]):
            sides = _split(tokens, start, end)
            for left, right in pairwise(sides):
                if left is not None and right is not None:
                    yield left, right
        start = max(end, start + 1)


def _tokenize(line: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(line):
        start, end = found.span()
        number = found["number"]
        if number is not None and len(number) > _LONGEST_NUMBER:
            yield Token("other", found[0], start, end)
        elif number is not None:
            places = len(found["places"] or ".") - 1
            value = _value(number.replace(",", "") or "0", found["places"], found["scale"])
            yield Token("number", found[0], start, end, value, places, bool(found["percent"]))
        else:
            yield Token(_KINDS[found.lastgroup or "symbol"], found[0], start, end)


def _value(digits: str, places: str | None, scale: str | None) -> Fraction:
    # Reading a fraction from a string takes four times as long as from an int.
    value = Fraction(digits + places) if places else Fraction(int(digits))
    return value * _SCALES.get(scale.lower(), 1) if scale else value


_KINDS: dict[str, Kind] = {
    "other": "other",
    "symbol": "other",
    "equals": "equals",
    "operator": "operator",
    "open": "open",
    "close": "close",
    "word": "word",
    "unit": "word",
}


def _chain_end(tokens: Sequence[Token], start: int) -> int:
    """Find where the chain that begins at ``start`` ends; at ``start`` if none does."""
    end = start
    while end < len(tokens) and end - start < _LONGEST_CHAIN:
        token, before = tokens[end], tokens[end - 1] if end > start else None
        if token.kind == "other" or (token.kind == "word" and not _belongs(tokens, start, end)):
            break
        starts_operand = token.kind in ("number", "open")
        if starts_operand and before is not None and before.kind in ("number", "close"):
            break
        if starts_operand and end - start > 1 and _is_unit(tokens, end - 1):
            break
        end += 1
    return end


def _is_unit(tokens: Sequence[Token], place: int) -> bool:
    return tokens[place].kind == "word" and tokens[place - 1].kind == "number"


def _belongs(tokens: Sequence[Token], start: int, place: int) -> bool:
    """Tell a unit after a number, or a label such as "+ 배 4개" before one, from other words."""
    if place == start:
        return False
    if tokens[place - 1].kind == "number":
        return True
    follows_sign = tokens[place - 1].kind in ("operator", "equals")
    leads_to_number = place + 1 < len(tokens) and tokens[place + 1].kind == "number"
    word = tokens[place].text
    is_label = word.lower() not in _FUNCTIONS and not word.endswith(_KOREAN_CONNECTIVES)
    return follows_sign and leads_to_number and is_label


def _connects(word: str) -> bool:
    return word.lower() in _CONNECTIVES or word.endswith(_KOREAN_CONNECTIVES)


def _split(tokens: Sequence[Token], start: int, end: int) -> list[Side | None]:
    """Work out the sides of a chain; None for those that something else may belong to."""
    parts: list[list[Token]] = [[]]
    for token in tokens[start:end]:
        if token.kind == "equals":
            parts.append([])
        else:
            parts[-1].append(token)
    sides = [_evaluate(part) for part in parts]
    if _is_open_before(tokens, start):
        sides[0] = None
    if _is_open_after(tokens, end):
        sides[-1] = None
    return sides


def _is_open_before(tokens: Sequence[Token], start: int) -> bool:
    if start == 0:
        return False
    before = tokens[start - 1]
    if before.kind == "other":
        return before.text not in ".,:;!?\"'“”‘’→·•>"
    if before.kind == "word":
        half = start >= 2 and tokens[start - 2].kind == "number"
        word = before.text.lower()
        return word in _FUNCTIONS or word == "by" or (half and not _connects(before.text))
    return True


def _is_open_after(tokens: Sequence[Token], end: int) -> bool:
    last = tokens[end - 1]
    is_unit = last.kind == "word"
    if is_unit and _COMPARES.match(last.text):
        return True
    if end == len(tokens):
        return False
    after = tokens[end]
    if is_unit and after.kind in ("number", "open"):
        return not _connects(last.text)
    if after.kind == "word":
        return bool(_COMPARES.match(after.text)) or "/" in after.text
    return after.kind != "other" or after.text not in ".,:;?\"'“”‘’→)]。"


def _evaluate(tokens: Sequence[Token]) -> Side | None:
    numbers = [token for token in tokens if token.kind == "number"]
    formula = [token for token in tokens if token.kind != "word"]
    value = _Parser(formula, percent=Fraction(1, 100)).value()
    plain = _Parser(formula, percent=Fraction(1)).value()
    # "2 miles / 1/6 hour" divides by a sixth.
    is_nested = len(formula) < len(tokens) and sum(one.text == "/" for one in formula) > 1
    if value is None or plain is None or is_nested:
        return None
    units = (tokens[place].text for place in range(1, len(tokens)) if _is_unit(tokens, place))
    return Side(
        value,
        plain,
        max(token.places for token in numbers),
        any(token.kind == "operator" for token in formula[1:]),
        frozenset(unit[0].lower() for unit in units),
        formula[0].start,
        formula[-1].end,
    )


class _Malformed(Exception):  # noqa: N818 - the parser's way out, never leaves it
    pass


class _Parser:
    """Recursive descent over sum, product, power, sign, bracket."""

    def __init__(self, tokens: Sequence[Token], percent: Fraction) -> None:
        self._tokens = tokens
        self._percent = percent
        self._place = 0

    def value(self) -> Fraction | None:
        """Work the tokens out; None where they are no complete formula, or divide by zero."""
        try:
            value = self._sum()
        except (_Malformed, ZeroDivisionError):
            return None
        return value if self._place == len(self._tokens) else None

    def _next_is(self, *operators: str) -> str | None:
        if self._place < len(self._tokens):
            token = self._tokens[self._place]
            if token.kind == "operator" and token.text in operators:
                self._place += 1
                return token.text
        return None

    def _sum(self) -> Fraction:
        value = self._product()
        while operator := self._next_is("+", "-"):
            other = self._product()
            value = value + other if operator == "+" else value - other
        return value

    def _product(self) -> Fraction:
        value = self._signed()
        while operator := self._next_is("*", "/"):
            other = self._signed()
            value = value * other if operator == "*" else value / other
        return value

    def _signed(self) -> Fraction:
        if self._next_is("-"):
            return -self._signed()
        return self._power()

    def _power(self) -> Fraction:
        base = self._atom()
        if not self._next_is("^", "**"):
            return base
        exponent = self._signed()
        if exponent.denominator != 1 or abs(exponent) > _LARGEST_EXPONENT:
            raise _Malformed
        return base ** int(exponent)

    def _atom(self) -> Fraction:
        if self._place >= len(self._tokens):
            raise _Malformed
        token = self._tokens[self._place]
        self._place += 1
        if token.kind == "number":
            return token.value * (self._percent if token.is_percent else 1)
        if token.kind != "open":
            raise _Malformed
        value = self._sum()
        if self._place >= len(self._tokens) or self._tokens[self._place].kind != "close":
            raise _Malformed
        self._place += 1
        return value
