"""Check what was asked of an answer's form.

As IFEval's strict accuracy (Zhou et al. 2023, arXiv:2311.07911) a blank answer meets nothing, and
no line, Markdown or greeting is cut off to make an answer fit. Where IFEval's own checkers differ
from what its instructions say, the instruction decides: it finds "very" in "every", and a start at
the beginning of any line. Linear in the answer.
"""

import json
import re
import unicodedata
from typing import assert_never

from training.evaluation.answers.quality import is_in_language
from training.evaluation.answers.sentences import LIST_MARK, split_sentences, strip_list_mark
from training.evaluation.tasks.constraints import (
    AnswerLanguage,
    Case,
    Characters,
    Constraint,
    EndsWith,
    Json,
    Keyword,
    Lines,
    ListItems,
    Paragraphs,
    SentenceEndings,
    Sentences,
    StartsWith,
    Words,
)

_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_AROUND = " \t\n\"'“”‘’`*_#>()[]「」『』"
_LATIN_END = re.compile(r"[A-Za-z0-9]")
_LAUGHTER = "ㅋㅎㅠㅜ"
_FENCE = re.compile(r"```(?:json)?\s*\n(?P<body>.*)\n\s*```", re.IGNORECASE | re.DOTALL)

_Counted = Words | Characters | Sentences | Lines | Paragraphs | ListItems | Keyword


def is_met(constraint: Constraint, answer: str) -> bool:
    """Tell whether the answer meets the constraint; a blank one meets none."""
    text = unicodedata.normalize("NFC", answer).strip()
    if not text:
        return False
    if isinstance(constraint, _Counted):
        return _is_within(constraint, _count(constraint, text))
    if isinstance(constraint, StartsWith | EndsWith):
        return _has_edge(constraint, text)
    return _has_form(constraint, text)


def _is_within(bounds: _Counted, count: int | None) -> bool:
    if count is None or count < bounds.at_least:
        return False
    return bounds.at_most is None or count <= bounds.at_most


def _count(constraint: _Counted, text: str) -> int | None:
    """Count what the constraint bounds; None when it is there in a form that counts as none."""
    match constraint:
        case Words():
            return _count_words(text)
        case Characters():
            return len("".join(text.split()))
        case Sentences():
            return len(split_sentences(text))
        case Lines():
            return sum(bool(line.strip()) for line in text.splitlines())
        case Paragraphs():
            return sum(bool(block.strip()) for block in re.split(r"\n\s*\n", text))
        case ListItems():
            return _count_list_items(text, numbered=constraint.numbered)
        case Keyword():
            return _count_keyword(text, constraint.text)
        case _:
            assert_never(constraint)


def _count_words(text: str) -> int:
    words = [word for line in text.splitlines() for word in strip_list_mark(line).split()]
    return sum(_LETTER_OR_DIGIT.search(word) is not None for word in words)


def _count_list_items(text: str, *, numbered: bool) -> int | None:
    marks = [mark for line in text.splitlines() if (mark := LIST_MARK.match(line))]
    if not numbered:
        return len(marks)
    numbers = [
        int(unicodedata.numeric(mark["circle"])) if mark["circle"] else int(mark["number"])
        for mark in marks
        if mark["number"] or mark["circle"]
    ]
    return len(numbers) if numbers == [*range(1, len(numbers) + 1)] else None


def _bounded(text: str) -> str:
    """Return a pattern of the text, as a whole word where it begins or ends in Latin letters.

    Korean is found anywhere: a particle follows without a space.
    """
    before = r"(?<![A-Za-z0-9])" if _LATIN_END.match(text) else ""
    after = r"(?![A-Za-z0-9])" if _LATIN_END.match(text[-1]) else ""
    words = r"\s+".join(re.escape(word) for word in text.split())
    return f"{before}{words}{after}"


def _count_keyword(text: str, keyword: str) -> int:
    return len(re.findall(_bounded(keyword), text, re.IGNORECASE))


def _has_edge(constraint: StartsWith | EndsWith, text: str) -> bool:
    wanted = constraint.text
    if isinstance(constraint, StartsWith):
        bare = text.lstrip(_AROUND) if _LETTER_OR_DIGIT.match(wanted) else text
        return re.match(_bounded(wanted), bare, re.IGNORECASE) is not None
    if _LETTER_OR_DIGIT.match(wanted[-1]):
        bare = _strip_end(text)
    else:
        bare = text.rstrip(_AROUND.replace(wanted[-1], ""))
    return re.search(_bounded(wanted) + r"\Z", bare, re.IGNORECASE) is not None


def _strip_end(text: str, laughter: str = "") -> str:
    """Return the text up to its last letter or digit that is no laughter."""
    end = len(text)
    while end and (text[end - 1] in laughter or not _LETTER_OR_DIGIT.match(text[end - 1])):
        end -= 1
    return text[:end]


def _has_form(constraint: SentenceEndings | AnswerLanguage | Json | Case, text: str) -> bool:
    match constraint:
        case SentenceEndings():
            sentences = [_strip_end(sentence, _LAUGHTER) for sentence in split_sentences(text)]
            spoken = [sentence.casefold() for sentence in sentences if sentence]
            endings = tuple(ending.casefold() for ending in constraint.texts)
            return bool(spoken) and all(sentence.endswith(endings) for sentence in spoken)
        case AnswerLanguage():
            return is_in_language(text, constraint.language)
        case Json():
            return _is_json(text, constraint.keys)
        case Case():
            return text.islower() if constraint.case == "lower" else text.isupper()
        case _:
            assert_never(constraint)


def _is_json(text: str, keys: tuple[str, ...]) -> bool:
    fenced = _FENCE.fullmatch(text)
    try:
        value: object = json.loads(fenced["body"] if fenced else text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    if not keys:
        return isinstance(value, dict | list)
    return isinstance(value, dict) and all(key in value for key in keys)


def _refuse(constant: str) -> None:
    """Refuse NaN and infinities, which Python reads and JSON does not have."""
    raise ValueError(constant)
