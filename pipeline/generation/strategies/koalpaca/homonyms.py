"""English words that are translated into Korean in a sense which the source does not have.

KoAlpaca v1.0 turned "odd" in the sense of strange into 홀수, odd number. Each entry names what
betrays the wrong sense in Korean and where in the source that sense would be right. Entries are
kept to mistakes that translating models make with short tasks, and to Korean words that have no
other use there; a table of all ambiguous words would flag more good translations than bad ones.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple


class _Homonym(NamedTuple):
    word: re.Pattern[str]
    """What stands in the English source."""
    mistaken: re.Pattern[str]
    """The Korean of another sense of the word."""
    unless: re.Pattern[str]
    """What in the source makes that sense the right one."""
    right: re.Pattern[str] | None
    """The Korean of the sense that the source has: beside it the other one says something else."""


def _entry(word: str, mistaken: str, unless: str, right: str = "") -> _Homonym:
    return _Homonym(
        re.compile(rf"\b(?:{word})", re.IGNORECASE),
        # Not within a longer word: 활 is a bow, 생활 and 활동 have nothing to do with it.
        re.compile(rf"(?<![가-힣])(?:{mistaken})"),
        re.compile(rf"\b(?:{unless})", re.IGNORECASE),
        re.compile(right) if right else None,
    )


# A bare noun, as against the beginning of a longer one.
_ALONE = r"(?=$|[^가-힣]|(?:이|가|을|를|은|는|의|에|로|과|와|도|에서|에게)(?![가-힣]))"

_NUMERIC = (
    r"(?<!a )numbers?\b|integers?\b|digits?\b|parity\b|multiples?\b|divisib|primes?\b|numeric"
    r"|odd\W+(?:or|and|nor|from)\W+even\b|even\W+(?:or|and|nor|from)\W+odd\b|-numbered"
    r"|\w is (?:odd|even)\b|odds\b|(?:odd|even)-dated"
    r"|(?:odd|even) (?:values?|elements?|ind(?:ex|ices)|rows?|pages?|days?|sides?)\b"
)
_HOMONYMS = (
    _entry(r"odd (?:one|man)s? out\b", "홀수", r"numbers?\b"),
    _entry(r"odd(?:ly|est|er|ity|ities)?\b", "홀수", _NUMERIC),
    _entry(r"even\b", "짝수", _NUMERIC),
    _entry(r"match(?:es)?\b", "성냥", r"fire|flame|candle|stove|strike|burn|light|smok|box"),
    _entry(
        r"(?:river|stream|canal|creek|lake)\w* ?banks?\b|banks? of (?:the|a|an) "
        r"(?:\w+ )?(?:river|stream|canal|creek|lake)",
        "은행" + _ALONE,
        r"money|account|loan|cash|deposit|branch|teller|atm\b|ginkgo",
    ),
    _entry(
        r"(?:coil|metal|steel|mattress|clock|compress|stretch)\w* springs?\b"
        r"|springs? (?:constant|scale|balance|coil)|hot springs?\b",
        "봄" + _ALONE,
        r"seasons?\b|summer|autumn|winter|march\b|april|may\b|flowers?\b|bloom",
    ),
    _entry(
        r"(?:baseball|cricket|softball|aluminium|wooden) bats?\b|swung (?:\w+ )?bat\b", "박쥐",
        r"cave|wings?\b|mammal|animal|vampire|nocturnal",
    ),
    _entry(r"cranes?\b", "두루미|학" + _ALONE, r"birds?\b|nest|feather|migrat|marsh|wing|origami"),
    _entry(
        r"bow(?:s|ed|ing)?\b", "활" + _ALONE,
        r"arrow|archer|violin|cello|viola|fiddle|string|hunt|shoot|target|weapon|quiver",
    ),
    _entry(
        r"(?:alphabetical|ascending|descending|chronological|numerical|reverse|any|right|correct) "
        r"order\b|in order\b",
        "주문",
        r"customer|shop|store\b|purchas|deliver|restaurant|ship|orders\b|ordered\b|order numbers?\b"
        r"|invoice|spell|magic|waiter|menu|café|cafe\b",
        "순서|차례|[가-힣]순",
    ),
    _entry(
        r"(?:first|last|capital|upper-?case|lower-?case|missing|middle|silent|each) letters?\b"
        r"|letters? (?:in|of) (?:the|a|each|this) (?:word|alphabet|name)",
        "편지",
        r"(?:write|writes|wrote|writing|send|sent|receiv\w+|post\w*|mail\w*) |cover letter|dear\b",
    ),
    _entry(
        r"(?:markdown|two-column|three-column|database|html|sql) tables?\b"
        r"|tables? (?:with|of) (?:\w+ ){0,2}(?:columns?|rows?)",
        "식탁|탁자",
        r"dining|kitchen|furniture|chairs?\b|restaurant|dinner|wooden",
    ),
    _entry(
        r"(?:json|dictionary|dict|object|primary|foreign|api|public|private) (?:\w+ )?keys?\b"
        r"|with the keys\b|musical key\b",
        "열쇠",
        r"locks?\b|doors?\b|drawers?\b|cars?\b|keyring|padlock",
    ),
    _entry(
        r"(?:find|calculate|compute|state|give|report) the mean\b|mean (?:and|or) (?:the )?median",
        "의미",
        r"meanings?\b|means\b|does [^.?!]{1,40} mean\b",
        "평균",
    ),
)  # fmt: skip


def has_wrong_sense(source: Iterable[str], translation: Iterable[str]) -> bool:
    """Tell whether a Korean translation gives one of the words a sense that the source has not.

    Args:
        source: Instruction and input in English; each helps to read the other.
        translation: The same in Korean.
    """
    english, korean = "\n".join(source), "\n".join(translation)
    return any(
        entry.word.search(english)
        and entry.mistaken.search(korean)
        and not entry.unless.search(english)
        and not (entry.right and entry.right.search(korean))
        for entry in _HOMONYMS
    )
