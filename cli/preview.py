"""``finetune --preview N``: rows as the student will read them, with what is trained of them.

Colours in a terminal, marks elsewhere; white space and control tokens are visible, and what a
machine wrote cannot speak to the terminal.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.terminal_text import make_visible
from training.finetuning.contract.encoding import IGNORED, Example
from training.finetuning.contract.faults import TokenRow, name_row
from training.finetuning.contract.preview import Role, Span, find_spans

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_STYLES: dict[Role, tuple[str, str]] = {
    "prompt": ("dim", "dim"),
    "trained": ("green", "green underline"),
    "stop": ("bold black on green", "bold black on green"),
}
"""By role: of one token and, so that borders between trained tokens show, of the next."""
_CONTROL_STYLE = "magenta"
_CONTROL_MARKS = ("‹", "›")
_MARKS: dict[Role, tuple[str, str]] = {
    "prompt": ("", ""),
    "trained": ("⟦", "⟧"),
    "stop": ("⟦■ ", " ■⟧"),
}
"""By role: what stands around it where there is no colour."""
_LEGEND: dict[Role, str] = {
    "prompt": "read, not trained",
    "trained": "trained",
    "stop": "stop token",
}

_AROUND = 5
"""Tokens shown at both ends of a faulty row and on both sides of where its labels begin."""


def print_preview(
    examples: Sequence[Example],
    tokenizer: "PreTrainedTokenizerBase",
    show_ids: bool = False,
    console: Console | None = None,
) -> None:
    """Print rows token by token, coloured by mask.

    Args:
        examples: The rows.
        tokenizer: The student's.
        show_ids: Write each token's number behind it.
        console: Where to print; standard error by default.
    """
    console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
    coloured = console.is_terminal and console.color_system is not None
    console.print(_write_legend(coloured))
    for number, example in enumerate(examples, 1):
        trained = len(example.labels) - example.labels.count(IGNORED)
        heading = (
            f"{number}  row {make_visible(name_row(example.id))}  "
            f"{len(example.input_ids)} tokens, {trained} trained"
        )
        console.print()
        console.print(Text(heading, style="bold" if coloured else ""))
        console.print(_write_row(find_spans(example, tokenizer), coloured, show_ids))


def _write_legend(coloured: bool) -> Text:
    legend = Text()
    for role, meaning in _LEGEND.items():
        begin, end = ("", "") if coloured else _MARKS[role]
        legend.append(f"{begin}{meaning}{end}", _STYLES[role][0] if coloured else "")
        legend.append("  ")
    begin, end = ("", "") if coloured else _CONTROL_MARKS
    legend.append(f"{begin}control{end}", _CONTROL_STYLE if coloured else "")
    legend.append("  ·space →tab ↵line end")
    return legend


def _write_row(spans: Sequence[Span], coloured: bool, show_ids: bool) -> Text:
    row = Text()
    for role, group in groupby(enumerate(spans), key=_find_role):
        begin, end = ("", "") if coloured else _MARKS[role]
        row.append(begin)
        for number, span in group:
            row.append(_show(span, coloured), _choose_style(span, number) if coloured else "")
            if show_ids:
                row.append(f"[{','.join(map(str, span.token_ids))}] ")
        row.append(end)
    return row


def _find_role(numbered: tuple[int, Span]) -> Role:
    return numbered[1].role


def _choose_style(span: Span, number: int) -> str:
    if span.control and span.role != "stop":
        return _CONTROL_STYLE
    return _STYLES[span.role][number % 2]


def _show(span: Span, coloured: bool) -> str:
    """Write a span so that its white space shows, with a line end where it has one."""
    text = make_visible(span.text)
    if span.control:
        marked = not coloured and span.role != "stop"
        return text.join(_CONTROL_MARKS) if marked else text
    return text.replace(" ", "·").replace("\t", "→").replace("\n", "↵\n")


def print_faulty_tokens(rows: Sequence[TokenRow], console: Console | None = None) -> None:
    """Print the tokens of a refused row that tell what is wrong: both ends, and the first labels.

    Args:
        rows: The row's tokens, of the error.
        console: Where to print; standard error by default.
    """
    console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
    table = Table(box=None)
    table.add_column("place", justify="right", no_wrap=True)
    table.add_column("token", justify="right", no_wrap=True)
    table.add_column("text")
    table.add_column("label")
    before = -1
    for place in _choose_places(rows):
        if place != before + 1:
            table.add_row("…")
        text, label = make_visible(repr(rows[place].text)), "trained" if rows[place].trained else ""
        style = _STYLES["trained" if rows[place].trained else "prompt"][0]
        table.add_row(str(place), str(rows[place].id), text, label, style=style)
        before = place
    console.print(table)


def _choose_places(rows: Sequence[TokenRow]) -> list[int]:
    first = next((place for place, row in enumerate(rows) if row.trained), 0)
    middles = (0, first, len(rows) - 1)
    near = {place for middle in middles for place in range(middle - _AROUND, middle + _AROUND)}
    return sorted(place for place in near if 0 <= place < len(rows))
