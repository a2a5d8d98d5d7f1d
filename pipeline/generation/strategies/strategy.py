"""What a strategy is: how a teacher is asked, and how records are found in what it answers."""

from typing import Protocol

from pipeline.generation.sampling import Draw
from schemas.exchange import Completion, Prompt
from schemas.records import Draft


class Strategy(Protocol):
    """A module with two pure functions and one number."""

    @property
    def RECORDS_ASKED(self) -> int:  # noqa: N802 - a module's constant
        """Records that one prompt asks for."""
        ...

    def build(self, draw: Draw) -> Prompt:
        """Write the prompt; what never changes stands first, so that a prefix cache helps."""
        ...

    def parse(self, completion: Completion, prompt: Prompt) -> list[Draft]:
        """Find the drafts in an answer: at least one, and never an exception, on any text."""
        ...
