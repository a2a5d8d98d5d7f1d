"""Find tasks in a list of numbered Instruction/Input/Output blocks, English or Korean.

The parser of Stanford Alpaca splits on ``###`` and on the numbers it expects: one skipped number
loses the rest of a completion, ``##`` makes the next task part of an output, "No input" becomes an
input. Here the labels lead: a line that begins with one starts the next part when it comes in
order (an input only after an instruction, an output only once), and is text otherwise, so that an
output may itself speak of "Input:". Numbers are not compared. One pass over the lines; each
repetition in the patterns is bounded, so that no line costs more than its length.
"""

import re
from enum import IntEnum

from pipeline.generation.strategies.reading.drafting import Pieces

_SEPARATOR = re.compile(r"[ \t]{0,80}#{1,6}[ \t]{0,80}")
_WORD = (
    r"instruction|input|output"
    r"|지시(?:[ \t]?사항|문)?|입력(?:[ \t]?(?:값|문|글|자료))?|출력(?:[ \t]?(?:값|문|글))?"
)
_COLON = "[:\uff1a]"
_POINT = "[.):\uff0e\uff09\uff1a\u3001]"
_NUMBER = rf"[(\uff08]?\d{{1,3}}(?:-\d{{1,3}})?[ \t]?{_POINT}[ \t]{{0,4}}"
_LABEL = re.compile(
    r"(?P<hash>#{1,6}[ \t]{0,4})?(?:[-*\u2022\u00b7][ \t]{1,4})?[*_]{0,2}"
    rf"(?:(?:task|과제)?[ \t]?{_NUMBER})?[*_]{{0,2}}"
    rf"(?P<open>[\[<(【〔〈《「『\uff08\uff1c\uff3b][ \t]?)?(?P<label>{_WORD})[ \t]{{0,2}}\d{{0,3}}"
    r"(?P<close>[ \t]?[\]>)】〕〉》」』\uff09\uff1e\uff3d])?[*_]{0,2}[ \t]{0,2}"
    rf"(?P<colon>{_COLON})?[*_]{{0,2}}(?P<rest>.*)",
    re.IGNORECASE,
)
# A task that goes on in the same line, as the original's split allows.
_INLINE = re.compile(
    r"[ \t]{0,8}(?<![\d#-])((?:#{2,6}[ \t]{0,4})?(?:(?:task|과제)[ \t]?)?\d{1,3}\.[ \t]{1,4}"
    rf"(?:{_WORD}){_COLON})"
    r"|(?<=[^#\s])(?=###[ \t]{0,8}(?:\n|\Z))",
    re.IGNORECASE,
)
_LEADING_NUMBER = re.compile(rf"\A\s*+{_NUMBER}(?=\D|\Z)")
# The head of the next task, when it stands in a line of its own: "5.", "### Task 5", a rule.
_LAST_HEAD = re.compile(
    rf"(?:\n[ \t]{{0,4}}(?:\d{{1,3}}[.)\uff0e\uff09]|-{{3,9}}|={{3,9}}|\*{{3,9}}"
    rf"|[#*_ ]{{0,8}}(?:task|과제)[ \t]{{0,2}}\d{{1,3}}{_POINT}?[*_]{{0,2}}"
    r")?[ \t]{0,4}){1,4}\Z",
    re.IGNORECASE,
)


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
    for line in _INLINE.sub(r"\n\1", text).splitlines():
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
        if label is None or not _is_marked(label) or not self._starts(_part_of(label)):
            self._lines[self._part].append(line)
            return
        part = _part_of(label)
        if part is _Part.INSTRUCTION:
            self.close()
            self._begin(is_labelled=True)
        self._part = part
        self._lines[part].append(label["rest"])

    def close(self, *, is_cut: bool = False) -> None:
        """End the current task; text before the first label that led to nothing is no task."""
        if self._is_labelled or self._part is not _Part.INSTRUCTION:
            instruction, given, output = ("\n".join(lines).strip() for lines in self._lines)
            if not self._is_labelled:
                instruction = _LEADING_NUMBER.sub("", instruction)
            output = _LAST_HEAD.sub("", output)
            self.tasks.append(Pieces(instruction, given, output, is_cut))
        self._begin(is_labelled=False)

    def _starts(self, part: _Part) -> bool:
        return part is _Part.INSTRUCTION or part > self._part

    def _begin(self, *, is_labelled: bool) -> None:
        self._part = _Part.INSTRUCTION
        self._is_labelled = is_labelled
        self._lines: tuple[list[str], list[str], list[str]] = ([], [], [])


def _is_marked(label: re.Match[str]) -> bool:
    """Tell a label from a sentence that begins with its word."""
    is_bracketed = label["open"] is not None and label["close"] is not None
    is_heading = label["hash"] is not None and not label["rest"].strip()
    return label["colon"] is not None or is_bracketed or is_heading


def _part_of(label: re.Match[str]) -> _Part:
    word = label["label"].lower()
    if word.startswith(("output", "출력")):
        return _Part.OUTPUT
    return _Part.INPUT if word.startswith(("input", "입력")) else _Part.INSTRUCTION
