"""Find tasks in a list of numbered Instruction/Input/Output blocks, English or Korean.

The parser of Stanford Alpaca splits on ``###`` and on the numbers it expects: one skipped number
loses the rest of a completion, ``##`` makes the next task part of an output, "No input" becomes an
input. Here the labels lead: a line that begins with one starts the next part when it comes in
order (an input only after an instruction, an output only once), and is text otherwise, so that an
output may itself speak of "Input:". Two cases need the task's own number: a label that has it takes
the place of an earlier one without any, which was part of an example, and inside a code block
nothing else is a label. One pass over the lines; each repetition in the patterns is bounded, so
that no line costs more than its length.
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
_DIGITS = r"\d{1,3}"
_BEHIND_DIGITS = rf"(?:-\d{{1,3}})?[ \t]?{_POINT}[ \t]{{0,4}}"
_LABEL = re.compile(
    r"(?P<hash>#{1,6}[ \t]{0,4})?(?:[-*\u2022\u00b7][ \t]{1,4})?[*_]{0,2}"
    rf"(?:(?:task|과제)?[ \t]?[(\uff08]?(?P<number>{_DIGITS}){_BEHIND_DIGITS})?[*_]{{0,2}}"
    rf"(?P<open>[\[<(【〔〈《「『\uff08\uff1c\uff3b][ \t]?)?(?P<label>{_WORD})[ \t]{{0,2}}\d{{0,3}}"
    r"(?P<close>[ \t]?[\]>)】〕〉》」』\uff09\uff1e\uff3d])?[*_]{0,2}[ \t]{0,2}"
    rf"(?P<colon>{_COLON})?[*_]{{0,2}}(?P<rest>.*)",
    re.IGNORECASE,
)
# A task that goes on in the same line, as the original's split allows.
_INLINE = re.compile(
    r"[ \t]{0,8}(?<![\d#-])((?:#{2,6}[ \t]{0,4})?(?:(?:task|과제)[ \t]?)?\d{1,3}\.[ \t]{1,4}"
    rf"(?:{_WORD}){_COLON})"
    r"|(?<=[^#\s])(?=###[ \t]{0,8}\Z)",
    re.IGNORECASE,
)
# What may stand before the number of a label that leads its line: "**4. ", "- (4) ".
_BEFORE_NUMBER = " \t*_#>(（-•·"
_LONGEST_HEAD = 12
_LEADING_NUMBER = re.compile(rf"\A\s*+[(\uff08]?{_DIGITS}{_BEHIND_DIGITS}(?=\D|\Z)")
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
    for line in text.splitlines():
        for piece in [line] if reader.in_fence else _split_inline(line):
            reader.read(piece)
    reader.close(is_cut=is_cut)
    return reader.tasks


def _split_inline(line: str) -> list[str]:
    return _INLINE.sub(_break_before, line).split("\n")


def _break_before(found: re.Match[str]) -> str:
    """Break the line, but not between a label and the marks before it."""
    start = found.start()
    leads = start <= _LONGEST_HEAD and not found.string[:start].strip(_BEFORE_NUMBER)
    return found[0] if found[1] and leads else "\n" + (found[1] or "")


class _Reader:
    """The task that is being read and those that are complete."""

    def __init__(self) -> None:
        self.tasks: list[Pieces] = []
        self._begin(is_labelled=False)

    def read(self, line: str) -> None:
        """Take one line as a separator, a label or text."""
        if _SEPARATOR.fullmatch(line) and not self.in_fence:
            if self._part is _Part.OUTPUT:
                self.close()
            return
        label = _LABEL.fullmatch(line.strip())
        if label is None or not _is_marked(label) or not self._counts(label):
            self._take(line)
            return
        part = _part_of(label)
        if part is _Part.INSTRUCTION:
            self.close()
            self._begin(is_labelled=True)
        elif part <= self._part:
            self._demote(part)
        self._open(part, label, line)

    def close(self, *, is_cut: bool = False) -> None:
        """End the current task; text before the first label that led to nothing is no task."""
        if self._is_labelled or self._part is not _Part.INSTRUCTION:
            instruction, given, output = ("\n".join(lines).strip() for lines in self._lines)
            if not self._is_labelled:
                instruction = _LEADING_NUMBER.sub("", instruction)
            output = _LAST_HEAD.sub("", output)
            self.tasks.append(Pieces(instruction, given, output, is_cut))
        self._begin(is_labelled=False)

    def _counts(self, label: re.Match[str]) -> bool:
        """Tell whether a label begins a part here; else it is text that looks like one."""
        part, number = _part_of(label), _number_of(label)
        is_own = number is not None and number == self._number
        if part is _Part.INSTRUCTION:
            # A block that is never closed ends here: one task is lost and not all that follow.
            return number is not None or not self.in_fence
        if part > self._part:
            return is_own or not self.in_fence
        return is_own and all(map(self._was_unnumbered, range(part, self._part + 1)))

    def _begin(self, *, is_labelled: bool) -> None:
        self.in_fence = False
        self._part = _Part.INSTRUCTION
        self._is_labelled = is_labelled
        self._number: int | None = None
        self._lines: tuple[list[str], list[str], list[str]] = ([], [], [])
        # The lines of labels without a number, as long as nothing speaks against them.
        self._unnumbered: list[str] = ["", "", ""]

    def _open(self, part: _Part, label: re.Match[str], line: str) -> None:
        number = _number_of(label)
        self.in_fence = False
        self._part = part
        self._number = number if self._number is None else self._number
        self._unnumbered[part] = line if number is None else ""
        self._take(label["rest"])

    def _take(self, line: str) -> None:
        self._lines[self._part].append(line)
        if self._is_labelled or self._part is not _Part.INSTRUCTION:
            # Before the first label a fence is put around the whole answer.
            self.in_fence = _is_in_fence(line.strip(), self.in_fence)

    def _was_unnumbered(self, part: int) -> bool:
        return not self._lines[part] or self._unnumbered[part] != ""

    def _demote(self, part: _Part) -> None:
        """Turn this part and those behind it into text of the part before."""
        before = self._lines[part - 1]
        for later in range(part, self._part + 1):
            if self._lines[later]:
                before.extend([self._unnumbered[later], *self._lines[later][1:]])
            self._lines[later].clear()


def _is_in_fence(line: str, was_in_fence: bool) -> bool:
    if not line.startswith("```"):
        return was_in_fence
    if was_in_fence:
        return line.strip("`") != ""
    return "```" not in line[3:]


def _number_of(label: re.Match[str]) -> int | None:
    return int(label["number"]) if label["number"] else None


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
