"""Read a Korean instruction: the stems that it is about, and what holds for the whole of it.

About 20 µs an instruction, as words that were met before are remembered.
"""

import re
import unicodedata
from enum import IntEnum
from typing import NamedTuple

from pipeline.curation.novelty import korean_lexicon as lexicon
from pipeline.curation.novelty.korean_stems import Role, Stem, find_stem

# Hangul is counted as two columns wide, and words are easier to read than lists of strings.
# ruff: noqa: SIM905


class Kind(IntEnum):
    """What a stem contributes to an instruction."""

    NOUN = 0
    """Also a noun that 하다 makes a verb of: 검색."""
    VERB = 1
    FUNCTION = 2
    QUESTION = 3
    NEGATION = 4
    NUMBER = 5
    FOREIGN = 6
    """Latin, Han and other letters."""


class Word(NamedTuple):
    """One stem of an instruction."""

    stem: str
    kind: Kind
    role: Role = Role.NONE


class Reading(NamedTuple):
    """An instruction as it is compared."""

    words: list[Word]
    """In order, each stem once."""
    negated: int
    """0 not, 1 negated, 2 not sure: it says what to do instead, or names an aversion."""
    act: int
    """0 neither, 1 asks for an answer, 2 orders a deed."""
    questions: int
    """Bits of the questions that it asks, see ``SEPARATE_QUESTIONS``."""
    letters: str
    """Letters and digits alone; equal for texts that differ in spacing and punctuation only."""


_TOKEN = re.compile(r"[가-힣]+|[0-9]+|[^\W0-9_가-힣]+")
_NEGATED = re.compile(r"^(.+?)지[는도]?(?:마|말|맙|않|못)")
_NOT = re.compile(r"마|말(?![하해씀])|않|못|맙")
_NOT_BUT = re.compile(r"말[고구]|마시고")
_INSTEAD = ("말고", "말구")
_INSTEAD_WORD = Word("말고", Kind.FUNCTION)
_NEGATION = Word("!", Kind.NEGATION)
_COUNTED = re.compile(f"^({'|'.join(lexicon.NUMERALS)})({'|'.join(lexicon.COUNTERS)})")
_RELATIVE = re.compile(r"^(이번|다음|지난|저번)([주달해].*)$")
_ORDER = re.compile(
    "(?:줘|줘라|줘요|주세요|줄래|줄래요|실래요|주겠니|주겠어|시겠어요|줄수있[니어나을까요]+|주렴|십시오|라|도록)$"
)
_QUESTION = re.compile("(?:[니까냐]|까요|나요|가요)$")
_EMPTY_VERBS = frozenset("하 해 할 주 보 두 놓 있 되 돼 줄래 수 해주 해보".split())
_COUNTER = re.compile(f"^(?:{'|'.join(lexicon.COUNTERS)})")


class StemReader:
    """Reads instructions; remembers the words it has met."""

    def __init__(self) -> None:
        """Start with none."""
        self._stems: dict[str, Stem] = {}

    def read(self, text: str) -> Reading:
        """Cut a text into stems; full-width and decomposed letters are as the usual ones."""
        tokens = _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())
        found: list[Word] = []
        for place, token in enumerate(tokens):
            before = tokens[place - 1] if place else ""
            after = tokens[place + 1] if place + 1 < len(tokens) else ""
            self._read_token(token, before, after, found)
        words = {word.stem: word for word in reversed(found)}
        return Reading(
            list(reversed(words.values())),
            _negation_of(found),
            _act_of(found, tokens),
            _questions_of(found),
            "".join(tokens),
        )

    def _read_token(self, token: str, before: str, after: str, found: list[Word]) -> None:
        if not "가" <= token[0] <= "힣":
            kind = Kind.NUMBER if token[0].isdigit() else Kind.FOREIGN
            found.append(Word(token.lstrip("0") or "0", kind))
        elif token.endswith(_INSTEAD):
            self._read_instead(token, before, found)
        else:
            rest = _take_negation(self._take_number(token, after, found), before, found)
            relative = _RELATIVE.match(rest)
            parts = relative.groups() if relative else (rest,)
            found.extend(self._word_of(part) for part in parts if part)

    def _read_instead(self, token: str, before: str, found: list[Word]) -> None:
        """Read 가 말고 or 가지 말고: of these only the noun has a role."""
        if len(token) > len(_INSTEAD[0]):
            self._read_token(token[:-2], before, "", found)
        is_verb = before.endswith("지") or token[:-2].endswith("지")
        if found and not is_verb:
            found[-1] = found[-1]._replace(role=Role.INSTEAD)
        found.append(_INSTEAD_WORD)

    def _take_number(self, token: str, after: str, found: list[Word]) -> str:
        """Note a native numeral before its counter, and return the rest of the token."""
        counted = _COUNTED.match(token)
        if not counted and not (token in lexicon.NUMERALS and _COUNTER.match(after)):
            return token
        numeral = counted[1] if counted else token
        found.append(Word(lexicon.NUMERALS[numeral], Kind.NUMBER))
        return token[len(numeral) :]

    def _word_of(self, token: str) -> Word:
        stem = self._stems.get(token)
        if stem is None:
            stem = self._stems[token] = find_stem(token)
        if stem.text in lexicon.NEGATIONS:
            return _NEGATION
        if stem.text in lexicon.QUESTIONS:
            return Word("?" + lexicon.QUESTIONS[stem.text], Kind.QUESTION)
        if stem.text in lexicon.FUNCTION_WORDS:
            return Word(stem.text, Kind.FUNCTION)
        return Word(stem.text, Kind.VERB if stem.is_verb else Kind.NOUN, stem.role)


def _take_negation(token: str, before: str, found: list[Word]) -> str:
    """Note a negation that a token carries, and return the rest of the token."""
    if not token:
        return ""
    negated = _NEGATED.match(token)
    if token.endswith(("금지", "금지야", "금지입니다")):
        found.append(_NEGATION)
        return token[: token.index("금지")]
    if negated or (before.endswith(("지", "지는", "지도")) and _NOT.match(token)):
        found.append(_INSTEAD_WORD if _NOT_BUT.search(token) else _NEGATION)
        return negated[1] if negated else ""
    if token.startswith(("없", "안되", "안됩", "안돼", "안된")) or token in (
        "마",
        "마라",
        "마세요",
    ):
        found.append(_NEGATION)
        return ""
    if len(token) > 2 and token[0] == "안" and token[1] in lexicon.NEGATED_VERBS:
        found.append(_NEGATION)
        return token[1:]
    return "" if token.startswith("아니면") else token


def _negation_of(words: list[Word]) -> int:
    if any(word == _INSTEAD_WORD or word.stem in lexicon.AVERSE_WORDS for word in words):
        return 2
    return int(_NEGATION in words)


def _act_of(words: list[Word], tokens: list[str]) -> int:
    telling = [word for word in words if word.stem not in _EMPTY_VERBS]
    end = "".join(tokens[-3:])
    if telling and telling[-1].kind <= Kind.VERB and _ORDER.search(end):
        return 2
    asks = any(word.stem in lexicon.ASKING_WORDS for word in words)
    return int(asks or _QUESTION.search(end) is not None)


def _questions_of(words: list[Word]) -> int:
    bits = 0
    for word in words:
        bits |= lexicon.SEPARATE_QUESTIONS.get(word.stem, 0)
    return bits
