"""Noise that hands and machines leave: mashed keys, marks, wrong decoding, loose jamo.

Each sign is impossible in words: letters that follow one another in no English word, runs of keys
of one row, Hangul syllables outside KS X 1001, loose jamo that are no laughter. Linear in the text.

Tried and dropped: the share of vowels (misses "qwoeiu", stops "rhythms").
"""

import re
from itertools import pairwise

from pipeline.curation.rules.rule import quote
from pipeline.curation.rules.view import RecordView

# Letters that follow the first of each group in no word of 12,000 (English instructions, their
# inputs and outputs) that was seen three times.
_NEVER_NEXT = (
    "bfghkqvwxz cfgjnvwxz dfkqxz fbcdghjkmnpqsvwxz gcfjkqvwxz hbcfghjkvwxz jbcdfghjklmnpqrtvwxyz "
    "kdghjkmpqvwxz lhjqxz mdghjkqrvwxz nqwz pfgjknqvwxz qabcdefghijklmnoprstvwxyz rjqx sgjvxz "
    "tjkqvx vbcdfhjklmnpqrstuvwxyz wbcfgjkmpquvxz xbdfghjklmnoqrsuvwz yghjkquvx "
    "zbcdfghjkmnpqrstvwx"
)
_ODD_PAIRS = frozenset(group[0] + letter for group in _NEVER_NEXT.split() for letter in group[1:])
_KEY_ROWS = tuple(
    row[start : start + 4]
    for keys in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for row in (keys, keys[::-1])
    for start in range(len(row) - 3)
    if row[start : start + 4] not in ("wert", "erty", "trew", "tyui", "uiop", "poiu", "ytre")
)
# Any mashed word has one of these: an odd pair, or "uy" of the upper row read backwards.
_HINTS = frozenset(map(tuple, _ODD_PAIRS)) | {("u", "y")}
_LATIN_WORD = re.compile(r"(?<![\w@./:\\#-])[a-zA-Z]{4,}(?![\w@\\/=(])")
_LETTER_RUN = re.compile(r"([^\W\d_])\1{5,}")
_MARK_RUN = re.compile(r"([!?;:~#$%^&@,])\1{7,}|[!@#$%^&*?~;:,./\\{}\[\]<>]{12,}")
_JAMO_MASH = re.compile(r"[ㄱ-ㅣ;]{4,}|[가-힣]?[ㄱ-ㅣ]{2,}[가-힣][ㄱ-ㅣ]+")
_SYMBOL = re.compile(r"[!@#$%^&*?~()+{}<>]")
_LAUGHTER = re.compile(r"[ㅋㅎㅠㅜㅡㄷㅇㄴㄱㅉ;~]+|(?:ㅎ[ㅏㅓㅗㅣ])+")
_HANGUL_WORD = re.compile(r"[가-힣]+")
_FEWEST_GARBLED = 3
_FEWEST_SYMBOLS = 12
_LONGEST_SHOUT = 60
_TABLE = re.compile(r"\|[-:| ]{3,}|==|=>")
CODE_SIGN = re.compile(
    r"[{}]\s*$|\w\)?;\s*$|[=<>]{2}|\w\(|</|\bdef |\bimport |\$\w|\\\w", re.MULTILINE
)
"""Text that is code, where letters and words follow other laws."""
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|“[^”\n]*”|‘[^’\n]*’")
_ANY_DIGIT = re.compile(r"\d[a-z]|[a-z]\d")
_ANY_JAMO = re.compile(r"[ㄱ-ㅣ]|;\w")
_EMPHASIS = re.compile(r"([!?~.;^])\1{2,}")
_SHOWS_LETTERS = re.compile(r"\b(?:sub)?(?:strings?|sequences?)\b|문자열", re.IGNORECASE)
_ANY_LETTER = re.compile(r"[a-zA-Z가-힣]{2}")
_SOME_MARKS = re.compile(r"[!@#$%^&*?~;:,./\\{}\[\]<>()+]{2}")
_LONGEST_WORD = 20
_LONGEST_MASH = 40
_MASH_READ = 400
"""Characters: who mashes keys begins with it, and each letter read costs."""
_TEXT_A_MASH = 2
"""Of a text with one mashed word, it makes up at least this part: not "what is zcash"."""
_NO_WORDS = frozenset({"https", "html", "xhtml", "mysql", "jquery", "kubectl", "nginx", "github"})
_MOJIBAKE = re.compile(r"Ã[\x80-\xff\u0192-\u2122]|â‚¬|â€|ï¿½|ðŸ")
_MIXED = re.compile(
    r"(?<![\w.-])(?=[a-z]*\d)(?=\d*[a-z])(?:\d+[a-z]+\d+[a-z]*|[a-z]+\d+[a-z]+\d*"
    r"|\d[a-z]{3,})(?![\w.-])"
)
_ORDINALS = re.compile(r"\d+(?:st|nd|rd|th|s|x|d|k|m|g|kg|km|cm|mm|ml|am|pm|min|hrs?|px|em|bit)")


def find_mash(text: str, record: RecordView, part: str) -> str | None:
    given = record.task_text if part == "output" else ""
    if part == "instruction" and any(mark in text for mark in "'\"“‘"):
        text = _QUOTED.sub(" ", text)
    found = _find_marks(text) or _find_strange_hangul(text, given)
    if found:
        return found
    found = _find_latin_mash(text, given, part)
    return None if found and CODE_SIGN.search(text) else found


def _find_marks(text: str) -> str | None:
    if not _SOME_MARKS.search(text) and "Ã" not in text and "â" not in text and "ï" not in text:
        return None
    if len(_MOJIBAKE.findall(text)) >= _FEWEST_GARBLED:
        return f"was decoded wrongly: {quote(text)}"
    if _ANY_LETTER.search(text):
        text = _EMPHASIS.sub(r"\1", text)
    symbols = len(_SYMBOL.findall(text))
    shown = len(text) - text.count(" ")
    noise = symbols >= _FEWEST_SYMBOLS and symbols * 3 > shown and not _TABLE.search(text)
    runs = _MARK_RUN.search(text) and sum(map(str.isalpha, text)) * 2 < len(text)
    if noise or (runs and not CODE_SIGN.search(text)):
        return f"is marks: {quote(text)}"
    return None


def _find_strange_hangul(text: str, given: str) -> str | None:
    if text.isascii():
        return None
    for jamo in _JAMO_MASH.finditer(text) if _ANY_JAMO.search(text) else ():
        is_alphabet = [*jamo[0]] == sorted({*jamo[0]})
        if not (_LAUGHTER.fullmatch(jamo[0]) or jamo[0] in given or is_alphabet):
            return f"has a run of loose letters: {quote(jamo[0])}"
    strange = [word for word in _odd_syllables(text) if word not in given]
    return f"has syllables that no word has: {quote(' '.join(strange))}" if strange else None


def _find_latin_mash(text: str, given: str, part: str) -> str | None:
    text = text[:_MASH_READ]
    lower = text.lower()
    if _HINTS.isdisjoint(pairwise(lower)) and not (
        part == "instruction" and _ANY_DIGIT.search(text)
    ):
        return _find_shout(text, given)
    words = _LATIN_WORD.findall(text)
    if part == "instruction":
        mixed = [word for word in _MIXED.findall(text) if not _ORDINALS.fullmatch(word)]
        if len(mixed) >= _FEWEST_GARBLED and len(mixed) * 4 >= len(words):
            return f"has words from a hand on the keyboard: {quote(' '.join(mixed))}"
    if not words or (part == "instruction" and _SHOWS_LETTERS.search(text)):
        return None
    # Names of other languages are spelled by other rules.
    mashed = [
        word
        for word in words
        if (word.islower() or word == words[0]) and word not in given and _is_mashed(word)
    ]
    if not mashed:
        return _find_shout(text, given)
    first = mashed[0]
    shown = quote(" ".join(mashed))
    many = len(mashed) > 1 and len(mashed) * 8 >= len(words)
    alone = len(words) <= 2 and len(first) * _TEXT_A_MASH >= len(text)
    alone = alone or any(row in first.lower() for row in _KEY_ROWS)
    if many or (alone and len(first) < _LONGEST_MASH):
        return f"has words from a hand on the keyboard: {shown}"
    return None


def _find_shout(text: str, given: str) -> str | None:
    run = _LETTER_RUN.search(text) if len(text) < _LONGEST_SHOUT else None
    if run is None or _LAUGHTER.fullmatch(run[0]) or run[0] in given:
        return None
    return f"repeats one letter: {quote(run[0])}"


def _odd_syllables(text: str) -> list[str]:
    """Find words with Hangul outside KS X 1001's 2,350 syllables, two of them at least."""
    # KS X 1001 writes other syllables out from a filler, which the codec keeps.
    if b"\xa4\xd4" not in text.encode("euc_kr", "replace"):
        return []
    words = [word for word in _HANGUL_WORD.findall(text) if _is_odd(word)]
    return words if len(words) >= 2 else []


def _is_odd(word: str) -> bool:
    # The codec writes syllables outside the standard as sequences of eight bytes.
    return len(word.encode("euc_kr")) > 2 * len(word)


def _is_mashed(word: str) -> bool:
    lower = word.lower()
    if word not in (lower, lower.capitalize()) or lower in _NO_WORDS:
        return False
    odd = sum(first + second in _ODD_PAIRS for first, second in pairwise(lower))
    if odd >= 2 or (odd and (len(lower) <= 6 or len(lower) >= _LONGEST_WORD)):
        return True
    return any(row in lower for row in _KEY_ROWS)


def is_rows(text: str) -> bool:
    """Tell a text of nothing but three or more runs of keys, which no password looks like."""
    words = text.lower().split()
    return len(words) >= _FEWEST_GARBLED and all(
        any(row in word for row in _KEY_ROWS) for word in words
    )
