"""What became of the records of one version in another."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.records import InstructionRecord, Reason


class Loss(NamedTuple):
    """A record that the newer version does not hold any more."""

    record: InstructionRecord
    reason: Reason | None
    """Why the newer version rejects it; None where it never came to it."""


class Change(NamedTuple):
    """A record whose text differs between the versions."""

    before: InstructionRecord
    after: InstructionRecord


class Difference(NamedTuple):
    """What was added, dropped and changed between two versions; each record in one list only."""

    older: str
    """``NAME/VERSION``."""
    newer: str
    added: Sequence[InstructionRecord]
    """In the newer version only."""
    lost: Sequence[Loss]
    changed: Sequence[Change]
    """Edited by a reader, or the same task with another answer."""
    unchanged: int
    regained: Sequence[InstructionRecord]
    """Those of ``added`` that the older version had rejected."""
