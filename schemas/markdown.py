"""Put text of any origin into Markdown so that it stays text.

Names stand in code spans and records in fences, longer than any run of backticks within, because
nothing is markup there: no HTML, no link, no picture, no reference. What cannot be seen, such as
control characters and those that turn the direction of writing, is shown as �.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_MOST_CHARACTERS = 600
_MOST_LINES = 20
_MOST_PLACES = 92
"""In a row of a fence, as the Hub's and GitHub's pages are wide."""
_MOST_IN_NAME = 80
_MARKUP = re.compile(r"[!#$&*/<=>@\[\\\]^_`{|}~]|^[-+]|:(?=\S)|\.(?=[^\s\d])")
"""What can begin markup, in a line of its own or within one; commas and the like stay readable."""
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_SPECIAL = re.compile(r"[!\"#$&'()*+<=>@\[\\\]^_`{|}~:/]|^[-\d]|\.(?=\S)")
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}
"""Without them some scripts and emoji fall apart."""


def code(name: str) -> str:
    """Show a name as it is, in one line; empty ones as a dash."""
    folded = _show_unseen(" ".join(_clip(name, _MOST_IN_NAME).split()))
    if not folded:
        return "–"
    ticks = "`" * (1 + _longest_run(folded))
    pad = " " if "`" in folded else ""
    return f"{ticks}{pad}{folded}{pad}{ticks}"


def plain(text: str) -> str:
    """Escape text for a place where a code span cannot stand, such as a picture's description."""
    folded = _show_unseen(" ".join(text.split()))
    return _MARKUP.sub(r"\\\g<0>", folded)


def read_plain(markdown: str) -> str:
    """Read Markdown for a terminal: what :func:`plain` has escaped is as it was."""
    return _ESCAPED.sub(r"\1", markdown)


def fence(text: str) -> str:
    """Show a text in a block of its own, line for line."""
    seen = "\n".join(_show_unseen(line) for line in re.split(r"\r\n|\r|\n", text))
    ticks = "`" * max(3, 1 + _longest_run(seen))
    return f"{ticks}text\n{seen}\n{ticks}"


def show_in_cell(text: str) -> str:
    """Write a text for a cell of an HTML table, line for line; it has no empty line and no markup.

    Every character that means something to HTML or Markdown becomes its number, so that the text
    stays text even where a renderer reads Markdown within HTML.
    """
    lines = (_show_unseen(line) for line in re.split(r"\r\n|\r|\n", text))
    return "<br>".join(_SPECIAL.sub(lambda found: f"&#{ord(found[0])};", line) for line in lines)


def show_record(instruction: str, input_text: str, output: str) -> str:
    """Lay a record out for :func:`fence`, each column under its name and clipped."""
    columns = {"instruction": instruction, "input": input_text, "output": output}
    return "\n\n".join(
        f"[{name}]\n{excerpt(text)}" for name, text in columns.items() if text or name != "input"
    )


def excerpt(text: str) -> str:
    """Cut a text to what people read on a card, and break lines that they would have to scroll.

    At the end stands how many characters are missing, if any are.
    """
    lines = text[:_MOST_CHARACTERS].splitlines()[:_MOST_LINES]
    missing = len(text) - len("\n".join(lines))
    rows = [row for line in lines for row in _break_line(line)]
    return "\n".join(rows) + (f" […+{missing:,}]" if missing > 1 else "")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: int = 0) -> str:
    """Lay out a table whose last ``right`` columns are numbers."""
    left = len(header) - right
    rule = ["---"] * left + ["--:"] * right
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in [header, rule, *rows])


def listed(items: Sequence[str], most: int, more: str) -> str:
    """Join items by commas, the first ``most`` of them; ``more`` names the number of the others."""
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} {more.format(f'{len(items) - most:,}')}"


def _break_line(line: str) -> list[str]:
    rows: list[str] = []
    while True:
        end = _fit(line)
        if end == len(line):
            return [*rows, line]
        space = line.rfind(" ", 1, end + 1)
        cut = space if line[: max(space, 0)].strip() else end
        rows.append(line[:cut])
        line = line[cut:].lstrip(" ")


def _fit(line: str) -> int:
    """Count the characters that a row holds; Hangul and Han take two places each."""
    places = 0
    for count, letter in enumerate(line):
        places += 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1
        if places > _MOST_PLACES:
            return count
    return len(line)


def _cell(text: str) -> str:
    # Renderers disagree whether a backslash before a backslash and a bar still escapes the bar.
    return re.sub(r"\\+\|", "¦", text).replace("|", r"\|")


def _clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def _show_unseen(line: str) -> str:
    return "".join(
        "�"
        if letter != "\t" and letter not in _JOINERS and unicodedata.category(letter) in _UNSEEN
        else letter
        for letter in line
    )
