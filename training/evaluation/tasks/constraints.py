"""Constraints on an answer that a program can check, in the manner of IFEval.

Zhou et al. 2023 (arXiv:2311.07911): instead of asking whether an answer is good, ask for what can
be counted. Each constraint is data on a task's item; an item is met when all of its are.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.frozen import Frozen
from schemas.records import Language, NonEmptyText

Bound = Annotated[int, Field(ge=0)]


class _Counted(Frozen):
    """A number between two bounds, both included."""

    at_least: Bound = 0
    at_most: Bound | None = None


class Words(_Counted):
    """Words between spaces: words in English, 어절 in Korean."""

    kind: Literal["words"] = "words"


class Characters(_Counted):
    """Characters without white space, after NFC: a Hangul syllable is one."""

    kind: Literal["characters"] = "characters"


class Sentences(_Counted):
    """Sentences, by what ends them."""

    kind: Literal["sentences"] = "sentences"


class Lines(_Counted):
    """Lines that are not blank."""

    kind: Literal["lines"] = "lines"


class Paragraphs(_Counted):
    """Blocks between blank lines."""

    kind: Literal["paragraphs"] = "paragraphs"


class ListItems(_Counted):
    """Lines that begin as an item of a list: ``- ``, ``* ``, ``• `` or ``1. ``, ``1) ``."""

    kind: Literal["list_items"] = "list_items"
    numbered: bool = False
    """Only numbered ones count, and they count upwards from 1."""


class Keyword(_Counted):
    """How often a text occurs, in any case; ``at_most: 0`` forbids it."""

    kind: Literal["keyword"] = "keyword"
    text: NonEmptyText


class StartsWith(Frozen):
    """The first characters."""

    kind: Literal["starts_with"] = "starts_with"
    text: NonEmptyText


class EndsWith(Frozen):
    """The last characters."""

    kind: Literal["ends_with"] = "ends_with"
    text: NonEmptyText


class SentenceEndings(Frozen):
    """Each sentence ends, before its full stop, with one of these: 해요체 is ``["요"]``."""

    kind: Literal["sentence_endings"] = "sentence_endings"
    texts: tuple[NonEmptyText, ...] = Field(min_length=1)


class AnswerLanguage(Frozen):
    """Most letters are of this language's script."""

    kind: Literal["language"] = "language"
    language: Language


class Json(Frozen):
    """The whole answer is JSON; an object with these keys where some are named."""

    kind: Literal["json"] = "json"
    keys: tuple[NonEmptyText, ...] = ()


class Case(Frozen):
    """All letters that have a case are in this one."""

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
