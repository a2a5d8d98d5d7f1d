"""What a rule is: a small question to one record, answered with the evidence or with None."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from pipeline.curation.rules.view import RecordView
from schemas.records import Language, Reason

_EVIDENCE_LENGTH = 80

Severity = Literal["fatal", "serious", "minor"]
"""``fatal``: no record of use can have it; ``serious``: the default profile drops it; ``minor``:
a matter of taste, only the strict profile drops it."""

Finder = Callable[[RecordView], str | None]
"""Returns what was found and where, in one line, or None for a record without the defect."""


class Example(NamedTuple):
    """A record in small: the rule that carries it fires on it, or lets it pass."""

    language: Language
    instruction: str
    output: str
    input: str = ""


class Rule(NamedTuple):
    """A defect that a record can have by itself."""

    id: Reason
    languages: tuple[Language, ...]
    """Records of other languages are not asked."""
    severity: Severity
    explanation: str
    """Why such a record would teach a student something bad."""
    find: Finder
    examples: tuple[Example, ...]
    """Records that break it, at least one in each of its languages."""
    near_misses: tuple[Example, ...]
    """Records that look alike and break no rule, at least one in each of its languages."""


def quote(text: str) -> str:
    """Show found text in one line of bearable length."""
    line = " ".join(text[: 4 * _EVIDENCE_LENGTH].split())
    return f"“{line if len(line) <= _EVIDENCE_LENGTH else line[: _EVIDENCE_LENGTH - 1] + '…'}”"
