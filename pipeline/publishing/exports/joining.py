"""Instruction and input as one turn, for formats that have no place for an input.

The turn alone cannot be taken apart: an instruction may contain what joins the two. The mark beside
the file says how long the instruction is.
"""

from typing import NamedTuple

from pipeline.publishing.exports.contract import ExportError, Mark
from pipeline.publishing.exports.rows import Row

BLANK_LINE = "\n\n"
"""Stands between instruction and input in a chat turn."""


class Task(NamedTuple):
    """What is asked."""

    instruction: str
    input: str


def join(row: Row, between: str = BLANK_LINE) -> str:
    """Write instruction and input as one text."""
    return row.instruction + between + row.input if row.input else row.instruction


def take_apart(turn: str, length: int, between: str = BLANK_LINE) -> Task:
    """Undo :func:`join`, given the length of the instruction in code points."""
    return Task(turn[:length], turn[length + len(between) :])


def restore(turn: object, output: object, mark: Mark, between: str = BLANK_LINE) -> Row:
    """Make the row again that a turn and its answer were written from.

    Raises:
        ExportError: The file holds something else than text there.
    """
    if not (isinstance(turn, str) and isinstance(output, str)):
        raise ExportError(f"{mark.file}: wanted text for record {mark.id}, found {turn!r:.60}.")
    task = take_apart(turn, mark.instruction_length, between)
    return Row(mark.id, mark.language, task.instruction, task.input, output)
