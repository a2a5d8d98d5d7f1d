"""What a reader decides about a record: one line of an append-only file.

Nothing in the file is ever changed, so what takes a decision back is one more line: the verdict
``withdraw`` removes the latest decision about its record that still stands, and the one before it
stands again.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from schemas.frozen import Frozen
from schemas.records import NonEmptyText, Text

ReviewVerdict = Literal["accept", "reject", "edit", "withdraw"]


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
    keeps it with other text; ``withdraw`` takes the latest decision about it back."""
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


class StandingDecision(NamedTuple):
    """The decision about a record that no later one has replaced or taken back."""

    place: int
    """Its ordinal among all decisions, from 0."""
    decision: ReviewDecision


class DecisionTable:
    """Which decisions stand; linear in the decisions, constant time for each."""

    def __init__(self, decisions: Iterable[ReviewDecision] = ()) -> None:
        """Take decisions in the order in which they were made."""
        self._count = 0
        self._stacks: dict[str, list[StandingDecision]] = {}
        for decision in decisions:
            self.add(decision)

    def add(self, decision: ReviewDecision) -> None:
        """Take the next decision; one that withdraws where nothing stands changes nothing."""
        stack = self._stacks.setdefault(decision.record, [])
        if decision.verdict != "withdraw":
            stack.append(StandingDecision(self._count, decision))
        elif stack:
            stack.pop()
        self._count += 1

    def find(self, record: str) -> StandingDecision | None:
        """Return what stands about a record or draft."""
        stack = self._stacks.get(record)
        return stack[-1] if stack else None

    def list_standing(self) -> list[StandingDecision]:
        """List what stands, oldest first."""
        return sorted(
            (stack[-1] for stack in self._stacks.values() if stack), key=lambda one: one.place
        )
