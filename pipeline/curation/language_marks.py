"""Words and forms that give a language away: English function words, Korean in Latin letters.

Detectors need a sentence to be sure. These need a word or two, and where they decide no detector
is asked. Cost: one look-up a word.
"""

import re
from collections.abc import Sequence

# English words that hold a sentence together, none of them common in French, German, Spanish,
# Italian, Portuguese or Dutch prose, as "in", "an", "was", "on", "me", "so" and "is" are.
_FUNCTION_WORDS = """
the and with from this that these those it its you your yours what which how why when who whose
where are is were been being has have had does did would should could can cannot will i my our their
them they she his her there than then because if but or not for to by at about between into after
before while through without during each every some any other more most such only also write explain
following used means please list give let make find compare isn't aren't don't doesn't didn't can't
won't i'm i'll it's that's let's you're we're they're weren't wasn't couldn't shouldn't wouldn't
frequently u ur thx gotta wanna gonna lol omg idk tbh
"""
_ENGLISH = frozenset(_FUNCTION_WORDS.split())
# With those above they join an English sentence around Korean words; Korean borrows none of them.
_FURTHER_JOINTS = """
a an of in on as was be do no me we he so translate summarize define correct use mean
"""
_JOINTS = _ENGLISH.union(_FURTHER_JOINTS.split())
# What an English request or question begins with.
_FIRST_WORDS = """
what how why when who where which is are does do did can could should would will explain translate
write list name give compare define describe correct summarize summarise rewrite use convert find
fix make tell show create please identify classify suggest recommend
"""
_OPENERS = frozenset(_FIRST_WORDS.split())

# Revised Romanisation, a syllable: 학 hak, 요 yo, 습 seup. English words seldom fall into these.
_ROMANISED = re.compile(
    r"(?:(?:kk|tt|pp|ss|jj|ch|[gndrmbsjktph])?"
    r"(?:yae|yeo|wae|ae|ya|eo|ye|wa|oe|yo|wo|we|wi|yu|eu|ui|a|e|o|u|i)"
    r"(?:ng|[kntlmpsg](?![aeiouy])|[kntlmp](?=[aeiouy])|ss(?=[aeiouy]))?)+"
)
_ROMANISED_MARK = re.compile(r"eo|eu|ae|oe|yo$|nida$|seyo")


def count_joints(words: Sequence[str]) -> int:
    """Count the words that hold an English sentence together."""
    return sum(word.lower() in _JOINTS for word in words)


def count_english(words: Sequence[str]) -> int:
    """Count the words that no other language has."""
    return sum(word in _ENGLISH for word in map(str.lower, words))


def opens_english(words: Sequence[str]) -> bool:
    """Tell whether the first word is one that English requests and questions begin with."""
    return bool(words) and words[0].lower() in _OPENERS


def is_romanised_korean(words: Sequence[str]) -> bool:
    """Tell Korean in Latin letters: "annyeonghaseyo", "oneul nalssi eottaeyo?"."""
    spelt = [word.lower() for word in words if _ROMANISED.fullmatch(word.lower())]
    marked = sum(_ROMANISED_MARK.search(word) is not None for word in spelt)
    if len(words) == 1:
        return marked == 1 and len(words[0]) >= 8
    return 4 * len(spelt) >= 3 * len(words) and 5 * marked >= 2 * len(words)


def is_name_or_code(words: Sequence[str]) -> bool:
    """Tell few words that are capitalised throughout, or spelt as no word is, from others."""
    if all(len(word) == 1 or word.isupper() for word in words):
        return True
    if any(word[1:] != word[1:].lower() and not word.isupper() for word in words):
        return True
    return len(words) > 1 and all(word[0].isupper() for word in words)


def has_vowel(words: Sequence[str]) -> bool:
    """Tell words from symbols such as "dx" and "kg"."""
    return any(len(word) > 1 and re.search("[aeiouyAEIOUY]", word) for word in words)
