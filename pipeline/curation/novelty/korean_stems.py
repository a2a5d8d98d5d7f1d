"""Find the stem of a Korean word: the same for all its forms, whatever their endings.

No dictionary and no model: the longest known suffix is taken off again and again, by closed lists
over decomposed syllables, so that 알려줘, 알려 주세요 and 알려주실래요 are one stem. The stems are often
no words (보일러 becomes 보이), they need only be the same for all forms of a word and, mostly, of no
other. About 30 µs a word.
"""

import unicodedata
from enum import IntEnum
from typing import NamedTuple

from pipeline.curation.novelty import korean_lexicon as lexicon

# Hangul is counted as two columns wide, and words are easier to read than lists of strings.
# ruff: noqa: E501, SIM905


class Role(IntEnum):
    """What a particle says of its noun."""

    NONE = 0
    SUBJECT = 1
    OBJECT = 2
    TO = 3
    FROM = 4
    UNTIL = 5
    THAN = 6
    INSTEAD = 7
    """말고: the noun is what is not meant."""


_TAILS = str.maketrans("ㄴㄹㅁㅂㅆ", "ᆫᆯᆷᆸᆻ")
_RO = unicodedata.normalize("NFD", "로")
_OPEN_VOWELS = frozenset(unicodedata.normalize("NFD", syllable)[1] for syllable in "아어여애워와에")
_ROLES = {
    unicodedata.normalize("NFD", particle): role
    for role, particles in (
        (Role.SUBJECT, "이 가"),
        (Role.OBJECT, "을 를"),
        (Role.TO, "로 으로"),
        (Role.FROM, "에서 부터 로부터 으로부터 에게서 한테서"),
        (Role.UNTIL, "까지 에게 한테 께"),
        (Role.THAN, "보다"),
    )
    for particle in particles.split()
}
_AFTER_CONSONANT = frozenset(
    unicodedata.normalize("NFD", particle)
    for particle in "은 이 을 과 이랑 으로 이나 이라도 이든 이든지 으로부터 으로서 으로써 이란 이라는 "
    "이라고 이며 이고 이면 이라면 이야".split()
)
_AFTER_VOWEL = frozenset(
    unicodedata.normalize("NFD", particle)
    for particle in "를 가 와 로 랑 나 라도 든 로부터 로서 로써 란 라면".split()
)


def _suffixes() -> dict[str, str]:
    """Return the kinds of each decomposed suffix, as letters: p, e, h, d."""
    kinds: dict[str, str] = {}
    for letter, words in (
        ("p", lexicon.PARTICLES),
        ("e", lexicon.ENDINGS),
        ("h", lexicon.HELPERS),
        ("d", lexicon.DOERS),
    ):
        for word in words:
            suffix = word[0].translate(_TAILS) + unicodedata.normalize("NFD", word[1:])
            suffix = unicodedata.normalize("NFD", suffix)
            kinds[suffix] = kinds.get(suffix, "") + letter
    return kinds


_SUFFIXES = _suffixes()
_SHORT = 2
"""Letters of endings that many nouns happen to end in: 기, 지, 자."""
_LONGEST = max(map(len, _SUFFIXES))


class _Cut(NamedTuple):
    rest: str
    suffix: str
    kinds: str


class Stem(NamedTuple):
    text: str
    is_verb: bool
    role: Role


def find_stem(token: str) -> Stem:
    """Take particles and endings off one run of Hangul, down to at least a syllable."""
    rest = unicodedata.normalize("NFD", token)
    is_noun, is_verb, role = False, False, Role.NONE
    while (cut := _cut_suffix(rest)) is not None:
        role = _ROLES.get(cut.suffix, role)
        is_noun = is_noun or "d" in cut.kinds
        is_verb = is_verb or (cut.kinds == "e" and len(cut.suffix) > _SHORT)
        rest = cut.rest
    stem = unicodedata.normalize("NFC", rest)
    if stem not in lexicon.WHOLE:
        plain = _plain(stem, ending_was_cut=is_verb)
        is_verb = is_verb or (plain != stem and stem[-1] in lexicon.CONTRACTIONS)
        stem = plain
    stem = lexicon.SYNONYMS.get(stem, stem)
    return Stem(stem, stem in lexicon.VERBS or (is_verb and not is_noun), role)


def _cut_suffix(word: str) -> _Cut | None:
    """Take the longest suffix off a decomposed word that leaves a syllable."""
    if unicodedata.normalize("NFC", word) in lexicon.WHOLE:
        return None
    for length in range(min(_LONGEST, len(word) - 2), 0, -1):
        suffix = word[-length:]
        kinds = _SUFFIXES.get(suffix)
        if kinds and _fits(word[:-length], suffix, kinds):
            return _Cut(word[:-length], suffix, kinds)
    return None


def _fits(rest: str, suffix: str, kinds: str) -> bool:
    """Tell whether a suffix may follow: 를 only a vowel, 줘 only a connective form."""
    is_closed = _is_final(rest[-1])
    if kinds == "p":
        if suffix in _AFTER_CONSONANT:
            return is_closed
        return suffix not in _AFTER_VOWEL or not is_closed or (suffix, rest[-1]) == (_RO, "ᆯ")
    if kinds == "h":
        return not is_closed and rest[-1] in _OPEN_VOWELS
    return True


def _plain(stem: str, *, ending_was_cut: bool) -> str:
    """Undo what an ending does to a stem's last syllable: 지워, 지운 and 지울 become 지우."""
    stem = lexicon.FORMS.get(stem, stem)
    last = unicodedata.normalize("NFD", stem[-1])
    if last[-1] == "ᆻ" or (last[-1] in "ᆫᆯ" and stem not in lexicon.SHORT_NOUNS):
        last = last[:-1]
    syllable = unicodedata.normalize("NFC", last)
    stem = stem[:-1] + lexicon.CONTRACTIONS.get(syllable, syllable)
    if ending_was_cut and len(stem) > 1 and stem[-1] == "시":
        stem = stem[:-1]
    return lexicon.FORMS.get(stem, stem)


def _is_final(letter: str) -> bool:
    return "ᆨ" <= letter <= "ᇂ"
