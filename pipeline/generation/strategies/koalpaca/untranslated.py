"""Tell a translated text from one that was left, wholly or in part, in the source's language.

English left in Korean: the share of Latin letters among all letters, without what Korean writers
leave in Latin letters too: code, quotations, names, abbreviations, units. What counts as such is
read from the source. A word that changes from Hangul to Latin letters is broken in any case.
Korean left in English: any Hangul that the source did not quote, because an English text has no
other use for it. Linear in the texts.
"""

import re

from schemas.records import Language

# Share of letters. Of the instructions of our Korean seed tasks, written by people, 1 in 175 is
# above it, a choice of five English words; of the English ones, left as they are, all are.
_MOST_LATIN = 0.33
# Latin letters from which the share says anything: "USB 3.0" and "axolotl" may stay as they are.
_LEAST_LATIN = 12
# km, kg, ml, GB, vs.
_LONGEST_UNIT = 2
# Words of a quotation that may be a label or a term; a longer one is a text to be translated.
_LONGEST_QUOTATION = 4
# Of these, prose has one in three words; a line of code with a long string has one or two.
_MOST_FRAME = 2

_FENCED = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_QUOTED = re.compile(
    r"\"[^\"\n]+\"|“[^”\n]+”|‘[^’\n]+’|「[^」\n]+」|『[^』\n]+』|(?<!\w)'[^'\n]+'(?![A-Za-z])"
)
_ADDRESS = re.compile(r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.-]+|</?[A-Za-z][^>\n]*>")
_CALL = re.compile(r"\b\w+\([^()\n]*\)")
# Signs that prose hardly has. A table's bars are none, because its cells are translated.
_CODE = re.compile(
    r"[{}=<>\\]|;\s*\Z|\w\(\w*\)|\w\["
    r"|\A\s*(?:def|class|import|return|const|let|var|elif|raise|print|SELECT|FROM|WHERE|JOIN)\b"
    r"|\A\s*(?:for|while|if|else|try|except|with)\b.*:\s*\Z"
    r"|\A\s*(?:#|//|--|\$|>>>)\s"
)
_FRAME = re.compile(
    r"\b(?:the|an?|of|to|in|on|at|by|for|with|and|or|is|are|was|were|be|has|have|it|its|this|that"
    r"|these|which|what|you|your|we|our|not|no|as|from|each|into)\b",
    re.IGNORECASE,
)
_IS_ABOUT_LINES = re.compile(
    r"\b(?:commands?|logs?|files?|file ?names?|scripts?|terminal)\b|명령|로그|파일|스크립트|터미널",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ][A-Za-z0-9_À-ÖØ-öø-ɏ]*")
# A capital within a sentence is a name's, several are an abbreviation's.
_NAME = re.compile(r"(?<=[^\s.!?:\"] )[A-Z]\w*|\b[A-Z][A-Z0-9]{1,4}\b")
_IDENTIFIER = re.compile(r"[a-z][A-Z]|[_\d]")
# 인voice, 마ilestone: a word that was begun in Korean. Korean particles stand behind Latin words.
_MIXED_WORD = re.compile(r"[가-힣][a-z]{2,}")
_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]")
_HANGUL = re.compile(r"[가-힣ㄱ-ㆎ]+")


def is_untranslated(source: str, translation: str, language: Language) -> bool:
    """Tell whether too much of the source's language stands in the translation.

    Args:
        source: The text in the other language.
        translation: What was made of it.
        language: What the translation should be in.
    """
    if language == "en":
        return _has_own_hangul(source, translation)
    excused = _find_excused(source)
    prose = _strip_foreign(translation)
    if _MIXED_WORD.search(prose):
        return True
    left = [word for word in _WORD.findall(prose) if not _is_excused(word, excused)]
    latin = sum(len(_LATIN.findall(word)) for word in left)
    hangul = sum(map(len, _HANGUL.findall(prose)))
    return latin >= _LEAST_LATIN and latin > _MOST_LATIN * (latin + hangul)


def drop_kept_lines(instruction: str, source: str, translation: str) -> str:
    """Drop lines that stand in the source as they are, where the task is about such lines.

    Args:
        instruction: The source's, in the other language; it tells of a command, a log or a file.
        source: The source's input.
        translation: The input that was made of it.
    """
    if not _IS_ABOUT_LINES.search(instruction):
        return translation
    kept = {line.strip() for line in source.splitlines() if _count_frame(line) <= _MOST_FRAME}
    return "\n".join(line for line in translation.splitlines() if line.strip() not in kept)


def _count_frame(line: str) -> int:
    return len(_FRAME.findall(line))


def _find_excused(source: str) -> set[str]:
    """Collect words of the source that a translation may keep: code, quotations, calls, names."""
    kept = [*_FENCED.findall(source), *_CALL.findall(source), *_NAME.findall(source)]
    kept += filter(_is_term, _QUOTED.findall(source))
    kept += filter(_is_code, source.splitlines())
    return {word for text in kept for word in _WORD.findall(text)}


def _strip_foreign(text: str) -> str:
    """Drop what no translator touches."""
    prose = "\n".join(line for line in _FENCED.sub(" ", text).splitlines() if not _is_code(line))
    prose = _CALL.sub(" ", _ADDRESS.sub(" ", prose))
    return _QUOTED.sub(lambda quoted: " " if _is_term(quoted[0]) else quoted[0], prose)


def _is_term(quotation: str) -> bool:
    return len(quotation.split()) <= _LONGEST_QUOTATION


def _is_code(line: str) -> bool:
    return _CODE.search(line) is not None and _count_frame(line) <= _MOST_FRAME


def _is_excused(word: str, excused: set[str]) -> bool:
    return len(word) <= _LONGEST_UNIT or word in excused or _IDENTIFIER.search(word) is not None


def _has_own_hangul(source: str, translation: str) -> bool:
    quoted = " ".join([*_FENCED.findall(source), *_QUOTED.findall(source)])
    return any(run not in quoted for run in _HANGUL.findall(translation))
