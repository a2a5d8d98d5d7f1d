"""What a rule is: a small question to one record, answered with the evidence or with None."""

import re
from collections.abc import Callable
from typing import NamedTuple

from schemas.records import InstructionRecord, Language, Reason

_FENCED_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_EVIDENCE_LENGTH = 80

Finder = Callable[[InstructionRecord], str | None]
"""Returns what was found and where, in one line, or None for a record without the defect."""


class Rule(NamedTuple):
    """A defect that a record can have by itself."""

    id: Reason
    languages: tuple[Language, ...]
    """Records of other languages are not asked."""
    explanation: str
    """Why such a record would teach a student something bad."""
    find: Finder


def quote(text: str) -> str:
    """Show found text in one line of bearable length."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= _EVIDENCE_LENGTH else line[: _EVIDENCE_LENGTH - 1] + '…'}”"


def without_code(text: str) -> str:
    """Cut out fenced and inline code, where brackets, links and labels mean something else."""
    return _FENCED_CODE.sub(" ", text)


def task_text(record: InstructionRecord) -> str:
    """What the student is given: instruction and input."""
    return f"{record.instruction}\n{record.input}"
