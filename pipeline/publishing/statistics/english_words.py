"""English sentences as words, and where a noun phrase among them has its head."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.publishing.statistics.english_nouns import is_noun, singularise

# Words are easier to read than lists of strings.
# ruff: noqa: SIM905

_TOKEN = re.compile(
    r"(?P<code>`[^`\n]*`|\w*[^\W\d_]_\w+|\w*_[^\W_]\w*|[^\W\d_]+\d\w*)"
    r"|(?P<number>\d+(?:[.,:]\d+)*\w*)"
    r"|(?P<compound>[^\W\d_]+(?:-[^\W\d_]+)+)"
    r"|(?P<word>[^\W\d_]+?(?=['’](?:s|d|m|re|ve|ll)\b)|['’](?:s|d|m|re|ve|ll)\b|[^\W\d_]+)"
    r"|(?P<end>[.?!:;](?=\s|$|[\"'”’)])|\n)"
    r"|(?P<mark>[,()\[\]{}])"
)
_ABBREVIATION = re.compile(r"\b(Mr|Mrs|Ms|Dr|St|vs|etc|e\.g|i\.e)\.")
_LONGEST_SENTENCE = 60
_MOST_SENTENCES = 48
_OWNERS = frozenset("my your his her its our their this that these those".split())
_RECEIVERS = frozenset("me us him them".split())
_CLAUSE_OPENERS = frozenset("how why when where what which whether if".split())
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class Word(NamedTuple):
    """A word or sign of a sentence."""

    text: str
    """In lower case."""
    kind: str
    """``word``, ``compound`` (with hyphens), ``number``, ``code`` or ``mark``."""
    tag: str = ""
    """Universal part of speech and, of verbs, form: ``VERB|Inf``; of words and compounds only."""

    @property
    def is_tagged(self) -> bool:
        """Whether a tagger reads it."""
        return self.kind in {"word", "compound"}

    @property
    def is_possessive(self) -> bool:
        """Whether it is the 's of a genitive or a shortened "is"."""
        return self.text in {"'s", "’s"}

    def is_a(self, *parts: str) -> bool:
        """Tell whether the word is one of these parts of speech."""
        return self.tag.partition("|")[0] in parts


def cut_sentences(instruction: str) -> list[list[Word]]:
    """Cut a text into sentences; a colon or semicolon ends one too."""
    sentences: list[list[Word]] = [[]]
    text = _ABBREVIATION.sub(r"\1", instruction.replace("e-mail", "email"))
    for found in _TOKEN.finditer(text):
        if found.lastgroup == "end":
            sentences.append([])
        elif len(sentences[-1]) < _LONGEST_SENTENCE:
            sentences[-1].append(Word(found.group().lower(), found.lastgroup or ""))
        if len(sentences) > _MOST_SENTENCES:
            break
    return [sentence for sentence in sentences if any(one.is_tagged for one in sentence)]


def find_head(words: Sequence[Word], *, gives: bool = False) -> str:
    """Find the head of the noun phrase that opens these words, in the singular.

    Args:
        words: From the phrase on.
        gives: Of two phrases that follow each other the second counts: give me a poem.

    Returns:
        Its dictionary form; empty where no noun phrase opens them.
    """
    head, likely = "", ""
    before: Word | None = None
    for one in _skip_brackets(words):
        if one.is_possessive:
            head = ""
        elif _is_nominal(one):
            head = one.text
        elif head and gives and _opens_phrase(one):
            head, gives = "", False
        elif head or not _may_precede_noun(one, before):
            break
        elif before is not None and one.is_a("ADJ", "VERB") and is_noun(one.text):
            likely = one.text  # a fable, the key: adjectives to the tagger
        before = one
    return singularise(head or likely)


def _skip_brackets(words: Sequence[Word]) -> Iterator[Word]:
    depth = 0
    for one in words:
        if one.text in _OPENING:
            depth += 1
        elif one.text in _CLOSING:
            depth -= 1
        elif depth == 0:
            yield one


def _is_nominal(one: Word) -> bool:
    return one.kind == "compound" or one.is_a("NOUN", "PROPN")


def _may_precede_noun(one: Word, before: Word | None) -> bool:
    if one.text in _CLAUSE_OPENERS:
        return False
    if one.kind in {"number", "code", "mark"} or one.is_a("DET", "ADJ", "NUM", "ADV", "X", "CCONJ"):
        return True
    if before is None:
        return one.text in _OWNERS or one.text in _RECEIVERS
    if one.text == "of":
        return before.is_a("DET", "PRON", "NUM")
    if one.is_a("PRON"):
        return one.text in _OWNERS
    return one.is_a("VERB") and one.text.endswith(("ing", "ed", "en"))


def _opens_phrase(one: Word) -> bool:
    return one.is_a("DET", "NUM") or one.kind == "number" or one.text in _OWNERS
