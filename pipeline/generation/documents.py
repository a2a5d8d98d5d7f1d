"""Questions with accepted answers from a file of the user's: what KoAlpaca v1.1 was made from."""

from pydantic import Field

from schemas.frozen import Frozen
from schemas.records import Language, NonEmptyText, Text


class Document(Frozen):
    """A question that people asked and its accepted answer, as a source for a record."""

    id: str = Field(min_length=1)
    """Unique within its file."""
    title: NonEmptyText
    body: Text = ""
    """What the asker wrote below the title."""
    answer: NonEmptyText
    language: Language
    licence: str = Field(min_length=1)
    """Under which the text may be used; kept in each record made from it."""
