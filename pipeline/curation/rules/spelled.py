"""Write sums that are partly in words as the signs and digits that the parser reads.

"12 times 12 equals", "20% of 250 is", "250의 20%는", "3만 5천", "열둘 곱하기 셋은 서른여섯이다".
Linear in the line.
"""

import re
from fractions import Fraction

_SYMBOLS = str.maketrans(
    {"×": "*", "✕": "*", "÷": "/", "−": "-", "–": "-", "＋": "+", "＝": "=", "²": "^2", "³": "^3"}
)
_SPELLED: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = tuple(
    (
        words,
        re.compile(rf"(?<=[\d)])\s*(?:{'|'.join(words)})\s*(?=[\d(])", re.IGNORECASE),
        f" {symbol} ",
    )
    for words, symbol in (
        (("plus", "더하기"), "+"),
        (("minus", "빼기"), "-"),
        (("times", "multiplied by", "곱하기", "x"), "*"),
        (("divided by", "나누기"), "/"),
        (("equals", "is equal to", "은", "는"), "="),
    )
)
_NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,15})(?:\.\d{1,10})?"
_PERCENT_OF = re.compile(
    rf"({_NUMBER})\s?(?:%|percent) of ([$€£₩]?{_NUMBER})(?:,? which| [a-z]{{2,12}}|,)?"
    r" (?:is|are|equals|comes to|makes|gives) (?=[$€£₩]?\d)",
    re.IGNORECASE,
)
_KOREAN_PERCENT_OF = re.compile(
    rf"({_NUMBER}\s?[조억만천]?)\s?(?:원|명|개|달러|점)?의 ({_NUMBER})\s?(?:%|퍼센트)[은는] (?=\d)"
)
_SCALES = {"조": 10**12, "억": 10**8, "만": 10**4, "천": 10**3, "백": 10**2}
_COMPOUND = re.compile(
    rf"{_NUMBER}[조억만](?: ?{_NUMBER}[억만천백]){{1,4}}(?: ?\d{{1,3}}(?![\d,.]))?"
)
_PART = re.compile(rf"({_NUMBER})([조억만천백]?)")

_DIGITS = {"영": 0, "공": 0} | {word: at for at, word in enumerate("일이삼사오육칠팔구", 1)}
_ONES = ("하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
_DECADES = ("열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_NATIVE = {word: at for at, word in enumerate(_ONES, 1)} | {
    word: 10 * at for at, word in enumerate(_DECADES, 1)
}
_PIECE = re.compile(r"하나|다섯|여섯|일곱|여덟|아홉|스물|서른|마흔|예순|일흔|여든|아흔|[가-힣]")
_TENS = {"십": 10, "백": 100, "천": 1000}
_KOREAN_WORD = (
    r"(?:[영공일이삼사오육칠팔구십백천만억]|하나|둘|셋|넷|다섯|여섯|일곱|여덟|아홉|열|스물|서른|마흔|쉰|예순"
    r"|일흔|여든|아흔){1,12}"
)
_KOREAN_SUM = re.compile(
    rf"(?<![가-힣\d])({_KOREAN_WORD}|\d{{1,15}}) (더하기|빼기|곱하기|나누기) "
    rf"({_KOREAN_WORD}|\d{{1,15}})[은는] ({_KOREAN_WORD}|\d{{1,15}})"
    r"(?=이다|입니다|이에요|예요|[.,!]|$)"
)


def normalise(line: str) -> str:
    """Write spelled operators, percentages and typographic signs as the parser reads them."""
    # Each search only where its words stand: a sum is mostly written in signs.
    if "하기 " in line or "빼기 " in line or "누기 " in line:
        line = _KOREAN_SUM.sub(_digits_of_sum, line)
    if " of " in line:
        line = _PERCENT_OF.sub(r"(\1% * \2) = ", line)
    if "의 " in line:
        line = _KOREAN_PERCENT_OF.sub(r"(\1 * \2%) = ", line)
    if any(scale in line for scale in "조억만"):
        line = _COMPOUND.sub(_plain_number, line)
    line = line.translate(_SYMBOLS)
    lowered = line.lower()
    for words, pattern, symbol in _SPELLED:
        if any(word in lowered for word in words):
            line = pattern.sub(symbol, line)
    return line


def _digits_of_sum(found: re.Match[str]) -> str:
    first, operator, second, result = found.groups()
    return f"{_in_digits(first)} {operator} {_in_digits(second)}는 {_in_digits(result)}"


def _in_digits(word: str) -> str:
    return word if word[0].isdecimal() else str(read_korean_number(word))


def read_korean_number(word: str) -> int:
    """Read a number in Sino-Korean or native words: 백오십사, 서른여섯, 삼만오천."""
    total = below_myriad = digit = 0
    for piece in re.findall(
        r"하나|다섯|여섯|일곱|여덟|아홉|스물|서른|마흔|예순|일흔|여든|아흔|[가-힣]", word
    ):
        if piece in ("만", "억"):
            total += (below_myriad + digit or 1) * _SCALES[piece]
            below_myriad = digit = 0
        elif piece in _TENS:
            below_myriad += (digit or 1) * _TENS[piece]
            digit = 0
        elif piece in _NATIVE:
            below_myriad += _NATIVE[piece]
        else:
            digit = _DIGITS.get(piece, 0)
    return total + below_myriad + digit


def _plain_number(found: re.Match[str]) -> str:
    """Add up the parts of "3만 5천"; parts that do not fall are two numbers, and stay."""
    total, last = Fraction(0), None
    for number, scale in _PART.findall(found[0]):
        size = _SCALES.get(scale, 1)
        if last is not None and size >= last:
            return found[0]
        total += Fraction(number.replace(",", "")) * size
        last = size
    return str(total.numerator) if total.denominator == 1 else found[0]
