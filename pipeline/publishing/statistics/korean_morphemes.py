"""Korean text as morphemes and sentences of them."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from kiwipiepy import Kiwi, Token

_LEFT_OUT = re.compile(r"\s*`[^`\n]*`|['\"‘’“”「」『』]")
_CODE_AS_OBJECT = re.compile(r"([가-힣])\s*`[^`\n]*`[을를]")
_PREDICATES = ("VV", "VA", "VX", "VCP", "VCN", "XSV", "XSA")
_NOUNS = frozenset({"NNG", "NNP", "NNB", "NR", "NP", "SL", "SN", "SH", "XR", "XSN", "XPN"})
_SIGNS = frozenset({"SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SW", "SB"})


class Morpheme(NamedTuple):
    """A morpheme as Kiwi writes it: without what contraction did to it."""

    form: str
    tag: str
    """Sejong part of speech, without Kiwi's marks of regular and irregular verbs."""
    follows_space: bool
    word: str = ""
    """What is written without a space around it."""
    end_in_word: int = 0
    """Where the morpheme ends in it."""

    @property
    def is_particle(self) -> bool:
        """Whether it is a particle or ending, behind which another word begins."""
        return self.tag.startswith("J")

    @property
    def is_nominal(self) -> bool:
        """Whether a particle can follow: also 쓰기, a verb made a noun."""
        return self.is_noun or self.tag == "ETN"

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
    """Cut a text into morphemes; a line feed is one, with the tag of a full stop.

    Quotation marks and code, behind which Kiwi takes particles for nouns, are left out.
    """
    morphemes: list[Morpheme] = []
    text = _CODE_AS_OBJECT.sub(_put_particle, text)
    for line in _LEFT_OUT.sub("", text).split("\n"):
        end = 0
        # Kiwi types its answer by what could be asked of it: here it is always a list of tokens.
        for token in cast("list[Token]", kiwi.tokenize(line)):
            start = max(line.rfind(" ", 0, token.start), line.rfind("\t", 0, token.start)) + 1
            morphemes.append(
                Morpheme(
                    form=token.form,
                    tag=token.tag.partition("-")[0],
                    follows_space=token.start > end,
                    word=line[start : token.end],
                    end_in_word=token.end - start,
                )
            )
            end = token.end
        morphemes.append(Morpheme("\n", "SF", follows_space=False))
    return morphemes


def _put_particle(found: re.Match[str]) -> str:
    """Give the noun before a piece of code the particle that fits it."""
    closes = (ord(found[1]) - ord("가")) % 28
    return found[1] + ("을" if closes else "를")


def cut_sentences(morphemes: Sequence[Morpheme]) -> Iterator[list[Morpheme]]:
    """Cut after full stops, lines and colons behind a whole sentence; brackets are left out."""
    sentence: list[Morpheme] = []
    depth = 0
    for one in morphemes:
        if one.tag == "SSO" and one.form in "([{（":
            depth += 1
        elif one.tag == "SSC" and one.form in ")]}）":
            depth = max(0, depth - 1)
        elif depth and one.form != "\n":
            continue
        elif one.tag == "SF" or (one.form == ":" and sentence and sentence[-1].tag == "EF"):
            depth = 0
            yield [*sentence, one]
            sentence = []
        else:
            sentence.append(one)
    if sentence:
        yield sentence
