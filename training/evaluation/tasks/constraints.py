"""Constraints on an answer that a program can check, in the manner of IFEval.

Zhou et al. 2023 (arXiv:2311.07911): instead of asking whether an answer is good, ask for what can
be counted. Each constraint is data on a task's item; an item is met when all of its are. A blank
answer meets none. White space around the answer never counts, and all texts are compared after
NFC.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.frozen import Frozen
from schemas.records import Language, NonEmptyText

Bound = Annotated[int, Field(ge=0)]


class _Counted(Frozen):
    """A number between two bounds, both included; at least one of them bounds something."""

    at_least: Bound = 0
    at_most: Bound | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.at_most is None and not self.at_least:
            raise ValueError("wanted at_least above 0 or at_most: as it is, every answer meets it")
        if self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}")
        return self


class Words(_Counted):
    """Words between spaces: words in English, 어절 in Korean.

    What has no letter or digit, such as a dash, is none, nor is the mark of a list item.
    """

    kind: Literal["words"] = "words"


class Characters(_Counted):
    """Characters without white space, after NFC: a Hangul syllable is one, a full stop too."""

    kind: Literal["characters"] = "characters"


class Sentences(_Counted):
    """Sentences, by what ends them: a mark, or the end of the line.

    A heading or a list item on its own line is one. Abbreviations, decimals, an ellipsis within
    the line, and a quotation that the sentence goes on after end none.
    """

    kind: Literal["sentences"] = "sentences"


class Lines(_Counted):
    """Lines that are not blank."""

    kind: Literal["lines"] = "lines"


class Paragraphs(_Counted):
    """Blocks between blank lines."""

    kind: Literal["paragraphs"] = "paragraphs"


class ListItems(_Counted):
    """Lines that begin as an item of a list, nested ones too.

    The marks are ``-``, ``*``, ``•``, ``·`` and ``–`` before a space, ``1.`` and ``1)`` before a
    space, and ``①``.
    """

    kind: Literal["list_items"] = "list_items"
    numbered: bool = False
    """Only numbered ones count, and they count upwards from 1; otherwise it is not met."""


class Keyword(_Counted):
    """How often a text occurs, in any case; ``at_most: 0`` forbids it.

    Where it begins or ends in a Latin letter or digit it stands as a whole word there: "every" is
    no "very", and "cats" no "cat". Korean is found anywhere, as particles follow without a space,
    so 비 is in 나비: forbid no Korean word that short.
    """

    kind: Literal["keyword"] = "keyword"
    text: NonEmptyText


class StartsWith(Frozen):
    """The first characters, in any case; quotes and Markdown in front of a letter do not count."""

    kind: Literal["starts_with"] = "starts_with"
    text: NonEmptyText


class EndsWith(Frozen):
    """The last characters, in any case.

    What follows a text that ends in a letter or digit and is neither, as a full stop, does not
    count.
    """

    kind: Literal["ends_with"] = "ends_with"
    text: NonEmptyText


class SentenceEndings(Frozen):
    """Each sentence ends, before its marks, with one of these: 해요체 is ``["요"]``.

    Sentences as in :class:`Sentences`; ㅎㅎ, ``~`` and emoji behind an ending do not count.
    """

    kind: Literal["sentence_endings"] = "sentence_endings"
    texts: tuple[NonEmptyText, ...] = Field(min_length=1)


class AnswerLanguage(Frozen):
    """Most letters are of this language's script, a Hangul syllable counting as its two or three.

    An answer without letters, such as a number, is in every language.
    """

    kind: Literal["language"] = "language"
    language: Language


class Json(Frozen):
    """The whole answer, or the code block that it is, is a JSON object or array.

    An object with at least these keys where some are named.
    """

    kind: Literal["json"] = "json"
    keys: tuple[NonEmptyText, ...] = ()


class Case(Frozen):
    """All letters that have a case are in this one, and there is at least one; Hangul has none."""

    kind: Literal["case"] = "case"
    case: Literal["lower", "upper"]


Constraint = Annotated[
    Words
    | Characters
    | Sentences
    | Lines
    | Paragraphs
    | ListItems
    | Keyword
    | StartsWith
    | EndsWith
    | SentenceEndings
    | AnswerLanguage
    | Json
    | Case,
    Field(discriminator="kind"),
]
