"""Tell whether a written answer is one of the right ones, as a fair marker would.

What is marked is the answer's beginning: its first line, or as many lines as the reference has.
What a model writes after that is counted by the end rate, not here. In that line neither spelling
of characters (NFKC), case, quotes, Markdown, end punctuation, thousand separators nor a lead-in
("정답은", "The answer is") matter, nor English articles (SQuAD's evaluation, Rajpurkar et al. 2016,
arXiv:1606.05250), nor white space in Korean, where compounds may be written either way (한글 맞춤법
제50항). A Korean answer may carry a particle or copula *behind the reference*: cut off the answer
instead, as by KorQuAD's script, they would make 고양 of 고양이.

A reference with a number and a unit ("3명") is met by the same number, however written ("세 명",
"3 명"), with the same unit or none. A reference that is a bare number is met by the answer's final
number: that of its first line where this is nothing else, otherwise the last one in the text, as
the ``flexible-extract`` filter of lm-evaluation-harness reads GSM8K, so that a solution may be
worked out in front of it. The last one does not count when the task itself gives that number: it
may be copied with the sentence around it, which is not finding it. Linear in the answer.
"""

import re
import unicodedata
from collections.abc import Sequence

from schemas.records import Language
from training.evaluation.answers.numbers import (
    Quantity,
    find_numbers,
    read_quantity,
    read_worded_quantity,
)

_LEAD_IN = re.compile(
    r"[#>*_`\s]*(?:(?:최종\s*)?(?:정답|답변|답)(?:은|는)?(?=[\s:：*])"
    r"|(?:(?:so|therefore),?\s+)?(?:the\s+)?(?:final\s+|correct\s+)?answer\b(?:\s+is\b)?)"
    r"[*_`]*\s*[:：=]?\s*",
    re.IGNORECASE,
)
_QUOTES = re.compile(r"[\"'“”‘’`*«»「」『』《》〈〉]")
# Of both ends what may stand around an answer; "-3", ".5" and "C#" keep their sign.
_BEFORE = re.compile(r"(?:[-*•]\s+|[\s#>=(\[{…])+")
_BEHIND = " \t\n.,:;!?。，！？…~)]}"
_SEPARATOR = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_KOREAN_TAIL = re.compile(
    r"(?:은|는|이|가|을|를|에|에서|에게|께|께서|으로|로|부터|까지)?"
    r"(?:이다|다|입니다|임|이에요|예요|에요|이었다|였다|이었습니다|였습니다|이고요|이요|요)?"
)


def is_exact_match(
    answer: str, references: Sequence[str], language: Language, task: str = ""
) -> bool:
    """Tell whether the answer to a task of this text is one of the references."""
    return any(_matches(answer, reference, language, task) for reference in references)


def _matches(answer: str, reference: str, language: Language, task: str) -> bool:
    text = unicodedata.normalize("NFKC", answer)
    line_count = len(_lines(reference))
    whole, said = (_begin(start, line_count) for start in (text, _drop_lead_in(text)))
    wanted = _normalise(reference, language)
    # "Answer the phone" may be the answer itself.
    if any(_is_reference(_normalise(start, language), wanted, language) for start in (whole, said)):
        return True
    quantity = read_quantity(_bare(reference))
    if quantity is None:
        return False
    stated = _read_stated(said)
    if quantity.unit:
        return stated is not None and _is_same(stated, quantity)
    if stated:
        return stated.value == quantity.value
    found = find_numbers(text)[-1:]
    return found == [quantity.value] and quantity.value not in find_numbers(task)


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _begin(text: str, line_count: int) -> str:
    return "\n".join(_lines(text)[:line_count])


def _drop_lead_in(text: str) -> str:
    lead_in = _LEAD_IN.match(text)
    return text[lead_in.end() :] if lead_in else text


def _bare(text: str) -> str:
    bare = _QUOTES.sub("", unicodedata.normalize("NFKC", text)).rstrip(_BEHIND)
    before = _BEFORE.match(bare)
    return bare[before.end() :] if before else bare


def _normalise(text: str, language: Language) -> str:
    lines = [_SEPARATOR.sub("", _bare(line)).casefold() for line in text.splitlines()]
    joined = " ".join(lines)
    if language == "ko":
        return "".join(joined.split())
    # "A" alone is a choice.
    return " ".join(_ARTICLE.sub(" ", joined).split() or joined.split())


def _is_reference(found: str, wanted: str, language: Language) -> bool:
    if found == wanted:
        return bool(wanted)
    if language == "en" or not wanted or not found.startswith(wanted):
        return False
    return _KOREAN_TAIL.fullmatch(found, len(wanted)) is not None


def _read_stated(line: str) -> Quantity | None:
    bare = _bare(line)
    return read_quantity(bare) or read_worded_quantity(bare)


def _is_same(stated: Quantity, wanted: Quantity) -> bool:
    if stated.value != wanted.value:
        return False
    found, unit = stated.unit.casefold(), wanted.unit.casefold()
    return (found.startswith(unit) and _KOREAN_TAIL.fullmatch(found, len(unit)) is not None) or (
        _KOREAN_TAIL.fullmatch(found) is not None
    )
