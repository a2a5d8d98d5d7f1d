"""English words without grammar or without sense: pairs no sentence has, made-up words, one stem.

Four readings, each of which a sentence passes: pairs such as "the of", a chain without one word of
grammar, words that are not spelled like English ones, and a text half of which is one stem. The
spelling of the first words alone is read, the rest is linear in the text.
"""

import re
from collections import Counter
from itertools import pairwise, product

from pipeline.curation.rules.asking import IMPERATIVE
from pipeline.curation.rules.keyboard import CODE_SIGN
from pipeline.curation.rules.rule import quote
from pipeline.curation.rules.spelling import count_odd

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_DETERMINERS = frozenset({"the", "an", "my", "your", "our", "their", "every"})
_AFTER_NO_DETERMINER = frozenset(
    "and or but of to when because then is are was were has have she they we from until with by at "  # noqa: SIM905
    "him them does did been into than unless which who whom why where my your our their".split()
)
_PREPOSITIONS = frozenset({"of", "from", "into", "during", "between"})
_AFTER_NO_PREPOSITION = frozenset(
    "is are was were of and or then has have had will he she they".split()  # noqa: SIM905
)
_ALONE = frozenset({"because", "unless", "although"})
_AFTER_NO_CONJUNCTION = frozenset(
    {"to", "is", "are", "was", "were", "and", "or", "but", "will", "has"}
)
_COPULAS = frozenset({"is", "are", "was", "were"})
_AFTER_NO_COPULA = frozenset(
    "is are was were has have does do did will would suggests says goes when".split()  # noqa: SIM905
)
_NUMBERS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve seventeen".split()  # noqa: SIM905
)
_MANNERS = frozenset({"quickly", "slowly", "softly", "loudly", "happily"})
_AFTER_NO_A = frozenset({"which", "than", "from", "were", "have", "of", "they"})
_DEGREES = frozenset({"very", "too"})
_BASE_FORMS = frozenset(
    "swim eat give write know sing become begin choose forget speak steal sleep".split()  # noqa: SIM905
)
"""Verbs that take another form after "be"."""
_GRAMMAR = (
    _DETERMINERS
    | _AFTER_NO_DETERMINER
    | _PREPOSITIONS
    | _DEGREES
    | frozenset(
        "a in on as not no this that these those you i me us his her its what how do can could "  # noqa: SIM905
        "will would should may must all each some any there here so more most one please he it if "
        "for be vs like only let go don isn about using via per within without after before over "
        "under against through also while".split()
    )
)
_CLASHES = frozenset(
    pair
    for firsts, seconds in (
        (_DETERMINERS, _AFTER_NO_DETERMINER),
        (_PREPOSITIONS, _AFTER_NO_PREPOSITION),
        (_ALONE, _AFTER_NO_CONJUNCTION),
        (_COPULAS, _AFTER_NO_COPULA),
        (frozenset({"a"}), _AFTER_NO_A),
        (_DEGREES, _COPULAS),
        (_NUMBERS, _MANNERS),
        (frozenset({"be"}), _BASE_FORMS),
    )
    for pair in product(firsts, seconds)
)

_NO_PROSE = re.compile(r"[,\n:|/<>=_$→+*\\]| -|\d")
_FEWEST_SALAD_WORDS = 6
_WORDS_A_CLASH = 25
# Words in small letters that are no part of a name, an address or a call.
_PLAIN_WORD = re.compile(r"(?<![\w@./:\\#’'-])[a-z]{3,}(?![\w@\\/=(’'-])")
_SPELLED_READ = 160
"""Characters whose words are spelled: noise begins early."""
_FEWEST_SPELLED = 4
_FEWEST_ODD = 3
_ODD_A_WORD = 0.6
_ODD_SHARE = 0.45
# Words of grammar of the languages that a text may have instead, by rights or not.
_OTHER_LANGUAGES = frozenset(
    "les des une est pour dans avec sur vous nous que qui der die das und ein eine ist mit nicht "  # noqa: SIM905
    "von zum auf los las una para con por del como che sono della per non het een van niet voor "
    "dat uma dos nao com yang dan untuk dengan tidak ini itu och att som det inte jag ang mga nga "
    "hindi ipsum dolor quod sed cum bir ve ile bu kwa wa ya nie jest sie".split()
)
_STEM = 3
_LONGEST_STEMMED = 80
_FEWEST_FORMS = 5
_STEM_SHARE = 0.4


def find_english_salad(text: str, given: str) -> str | None:
    """Say why an English text cannot be read; ``given`` are words that it may repeat."""
    words = _WORD.findall(text.lower())
    found = _find_clash(text, words) or _find_made_up(text, given) or _find_one_stem(text, words)
    found = found or _find_no_grammar(text, words, given)
    return None if found and CODE_SIGN.search(text) else found


def _find_clash(text: str, words: list[str]) -> str | None:
    if len(words) < _FEWEST_SALAD_WORDS:
        return None
    clashes = _CLASHES.intersection(pairwise(words))
    if not clashes or len(clashes) * _WORDS_A_CLASH < len(words):
        return None
    # Words with a mark between them are a list, or two clauses.
    clashes = {pair for pair in clashes if re.search(r"\b{}\s+{}\b".format(*pair), text, re.I)}
    if len(clashes) * _WORDS_A_CLASH < len(words):
        return None
    return f"is words without grammar: {quote(' '.join(min(clashes)))} in {quote(text)}"


def _find_made_up(text: str, given: str) -> str | None:
    """Find a text half of whose words are spelled like none: "a snizzy wop and blargify it"."""
    words = {word for word in _PLAIN_WORD.findall(text, 0, _SPELLED_READ) if word not in _GRAMMAR}
    if len(words) < _FEWEST_SPELLED or not text.isascii():
        return None
    odd = {word: count for word in words if (count := count_odd(word))}
    if sum(odd.values()) < max(_FEWEST_ODD, _ODD_A_WORD * len(words)):
        return None
    if len(odd) < max(2, _ODD_SHARE * len(words)) or _is_of_another_language(words):
        return None
    if all(word in given for word in odd):
        return None
    return f"is made-up words: {quote(' '.join(sorted(odd)))}"


def _is_of_another_language(words: set[str]) -> bool:
    return len(_OTHER_LANGUAGES & words) > 1


def _find_one_stem(text: str, words: list[str]) -> str | None:
    """Find "the fox foxing was foxed into foxness": one stem bent into half of a sentence."""
    if not 2 * _FEWEST_FORMS <= len(words) <= _LONGEST_STEMMED or _NO_PROSE.search(text):
        return None
    ((stem, count),) = Counter(word[:_STEM] for word in words).most_common(1)
    if count < _STEM_SHARE * len(words):
        return None
    forms = sorted({word for word in words if word.startswith(stem)})
    root = min(forms, key=len).removesuffix("e")
    if len(forms) < _FEWEST_FORMS or not all(form.startswith(root) for form in forms):
        return None
    return f"bends one stem in every way: {quote(' '.join(forms))}"


def _find_no_grammar(text: str, words: list[str], given: str) -> str | None:
    if len(words) < _FEWEST_SALAD_WORDS or not _GRAMMAR.isdisjoint(words):
        return None
    if _NO_PROSE.search(text) or text.istitle() or IMPERATIVE.match(text) or not text.isascii():
        return None
    if _is_of_another_language({*words}) or "'s" in text:
        return None
    if {*words} <= {*_WORD.findall(given.lower())}:
        return None
    return f"is words without grammar: {quote(text)}"
