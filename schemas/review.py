"""What a reader decides about a record: one line of an append-only file."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.frozen import Frozen
from schemas.records import NonEmptyText, Text

ReviewVerdict = Literal["accept", "reject", "edit"]


class ReviewedText(Frozen):
    """The columns of a record as a reader wants them."""

    instruction: NonEmptyText
    input: Text = ""
    output: NonEmptyText


class ReviewDecision(Frozen):
    """One decision; a later one about the same record takes its place."""

    record: str = Field(pattern=r"^[0-9a-f]{16}$")
    """Id of the record or rejected draft as the reader saw it."""
    verdict: ReviewVerdict
    """``accept`` keeps a record, and brings a rejected draft back; ``reject`` drops it; ``edit``
    keeps it with other text."""
    edited: ReviewedText | None = None
    """Present with ``edit`` and only then."""
    note: str = Field(default="", max_length=2000)
    """Why, in the reader's words."""
    author: str = Field(min_length=1, max_length=100)
    time: datetime
    """With its offset from UTC."""
    dataset: str
    """``NAME/VERSION`` that was read."""

    @model_validator(mode="after")
    def _edits_only_with_edit(self) -> Self:
        if (self.verdict == "edit") != (self.edited is not None):
            raise ValueError("edited text is for the verdict 'edit', which needs it")
        if self.time.tzinfo is None:
            raise ValueError("time needs an offset from UTC")
        return self
