"""Find tasks in a list of numbered Instruction/Input/Output blocks, English or Korean.

The parser of Stanford Alpaca splits on ``###`` and on the numbers it expects: one skipped number
loses the rest of a completion, ``##`` makes the next task part of an output, "No input" becomes an
input. Here the labels lead: a line that begins with one starts the next part when it comes in
order (an input only after an instruction, an output only once), and is text otherwise, so that an
output may itself speak of "Input:". Numbers are not compared. One pass over the lines.
"""

import re
from enum import IntEnum

from pipeline.generation.strategies.drafting import Pieces

_SEPARATOR = re.compile(r"[ \t]*#{1,6}[ \t]*")
_NUMBER = r"[0-9]{1,3}[ \t]?[.):\uff0e\uff09][ \t]{0,4}"
_LABEL = re.compile(
    rf"(?:#{{1,6}}[ \t]{{0,4}})?[*_]{{0,2}}(?:{_NUMBER})?[*_]{{0,2}}"
    r"(?P<label>instruction|input|output|지시(?:문|사항)?|입력|출력)"
    r"[ \t]{0,2}[0-9]{0,3}[*_]{0,2}[ \t]{0,2}[:\uff1a][*_]{0,2}(?P<rest>.*)",
    re.IGNORECASE,
)
_LEADING_NUMBER = re.compile(rf"\s*{_NUMBER}(?=\D|\Z)")
_LAST_LINE_NUMBER = re.compile(r"\n[0-9]{1,3}[.)][ \t]*\Z")


class _Part(IntEnum):
    INSTRUCTION = 0
    INPUT = 1
    OUTPUT = 2


def find_tasks(text: str, *, is_cut: bool) -> list[Pieces]:
    """Collect the tasks in order.

    The text may begin inside an instruction, because Alpaca's prompt ends with an open one.

    Args:
        text: The completion.
        is_cut: The token limit ended it, so its last task is incomplete.
    """
    reader = _Reader()
    for line in text.splitlines():
        reader.read(line)
    reader.close(is_cut=is_cut)
    return reader.tasks


class _Reader:
    """The task that is being read and those that are complete."""

    def __init__(self) -> None:
        self.tasks: list[Pieces] = []
        self._begin(is_labelled=False)

    def read(self, line: str) -> None:
        """Take one line as a separator, a label or text."""
        if _SEPARATOR.fullmatch(line):
            if self._part is _Part.OUTPUT:
                self.close()
            return
        label = _LABEL.fullmatch(line.strip())
        part = _part_of(label["label"]) if label else None
        if label is None or part is None or not self._starts(part):
            self._lines[self._part].append(line)
            return
        if part is _Part.INSTRUCTION:
            self.close()
            self._begin(is_labelled=True)
        self._part = part
        self._lines[part].append(label["rest"])

    def close(self, *, is_cut: bool = False) -> None:
        """End the current task; text before the first label that led to nothing is no task."""
        if self._is_labelled or self._part is not _Part.INSTRUCTION:
            instruction, given, output = ("\n".join(lines).strip() for lines in self._lines)
            instruction = _LEADING_NUMBER.sub("", instruction, count=1)
            output = _LAST_LINE_NUMBER.sub("", output)
            self.tasks.append(Pieces(instruction, given, output, is_cut))
        self._begin(is_labelled=False)

    def _starts(self, part: _Part) -> bool:
        return part is _Part.INSTRUCTION or part > self._part

    def _begin(self, *, is_labelled: bool) -> None:
        self._part = _Part.INSTRUCTION
        self._is_labelled = is_labelled
        self._lines: tuple[list[str], list[str], list[str]] = ([], [], [])


def _part_of(label: str) -> _Part:
    if label[0] in "oO출":
        return _Part.OUTPUT
    return _Part.INPUT if label.lower() in {"input", "입력"} else _Part.INSTRUCTION
