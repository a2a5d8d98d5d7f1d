"""What an instruction asks for, as two words; the same shape in both languages."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Asked(NamedTuple):
    """What is asked for; both are empty where an instruction asks for nothing that is known."""

    verb: str
    """Dictionary form."""
    noun: str
    """Dictionary form; empty where the verb has no object."""


NOTHING = Asked("", "")


class Read(NamedTuple):
    """One instruction, read once."""

    asked: Asked
    words: Sequence[str]
    """In order, as distinct-n counts them."""


class InstructionReader(Protocol):
    """Reads instructions of one language."""

    def read(self, instruction: str) -> Read:
        """Find what is asked for, and the words."""
        ...
