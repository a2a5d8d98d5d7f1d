"""Korean text as morphemes and sentences of them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kiwipiepy import Kiwi

_PREDICATES = ("VV", "VA", "VX", "VCP", "VCN", "XSV", "XSA")
_NOUNS = frozenset({"NNG", "NNP", "NNB", "NR", "NP", "SL", "SN", "SH", "XR", "XSN", "XPN"})
_SIGNS = frozenset({"SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SW", "SB"})


class Morpheme(NamedTuple):
    """A morpheme as Kiwi writes it: without what contraction did to it."""

    form: str
    tag: str
    """Sejong part of speech, without Kiwi's marks of regular and irregular verbs."""
    follows_space: bool

    @property
    def is_noun(self) -> bool:
        """Whether it is a noun or a part of one."""
        return self.tag in _NOUNS

    @property
    def is_predicate(self) -> bool:
        """Whether it is the stem of a verb or adjective, or makes one of a noun."""
        return self.tag in _PREDICATES

    @property
    def is_sign(self) -> bool:
        """Whether it is no word: punctuation and symbols."""
        return self.tag in _SIGNS


def read_morphemes(kiwi: Kiwi, text: str) -> list[Morpheme]:
    """Cut a text into morphemes; a line feed is one, with the tag of a full stop."""
    morphemes: list[Morpheme] = []
    for line in text.split("\n"):
        end = 0
        for token in kiwi.tokenize(line):
            tag = token.tag.partition("-")[0]
            morphemes.append(Morpheme(token.form, tag, token.start > end))
            end = token.end
        morphemes.append(Morpheme("\n", "SF", follows_space=False))
    return morphemes


def cut_sentences(morphemes: Sequence[Morpheme]) -> Iterator[list[Morpheme]]:
    """Cut after full stops, question marks, colons and lines; brackets are left out."""
    sentence: list[Morpheme] = []
    depth = 0
    for one in morphemes:
        if one.tag == "SSO" and one.form in "([{（":
            depth += 1
        elif one.tag == "SSC" and one.form in ")]}）":
            depth = max(0, depth - 1)
        elif depth and one.form != "\n":
            continue
        elif one.tag == "SF" or one.form == ":":
            depth = 0
            yield [*sentence, one]
            sentence = []
        else:
            sentence.append(one)
    if sentence:
        yield sentence
