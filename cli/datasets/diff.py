"""``datasets diff``: what one version has that another has not, why, and what moved."""

import json
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.arguments import Parser, TeachingFormatter
from cli.datasets.drift_lines import tell_shift
from cli.terminal_text import escape_json, make_visible
from flows.differences import find_difference
from flows.settings import read_settings
from pipeline.publishing.difference import Change, Difference
from schemas.records import LANGUAGES, InstructionRecord

_DEFAULT_EXAMPLES = 3
_LONGEST_SHOWN = 300
_NOT_SEEN = "not made again"
"""Where the newer version neither holds nor rejects a record."""


def run_diff(arguments: Sequence[str]) -> int:
    """Compare two versions; the last line on standard output is a JSON object."""
    given = build_diff_parser().parse_args(list(arguments))
    difference = find_difference(given.older, given.newer, read_settings())
    _print(difference, given.examples)
    print(escape_json(_to_json(difference)))
    return 0


def build_diff_parser() -> Parser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom datasets diff",
        description="Compare two versions: what was added, dropped and why, edited, and which\n"
        "figures moved by more than chance. Versions of different names can be compared too.",
        epilog="examples:\n"
        "  pacaloom datasets diff first/0001-0123456789ab first\n"
        "  pacaloom datasets diff first second --examples 10\n"
        "  pacaloom datasets diff first second --examples 0 | jq .lost_by_reason",
        formatter_class=TeachingFormatter,
    )
    for name, which in (("older", "A"), ("newer", "B")):
        parser.add_argument(
            name, metavar=which, help=f"the {name} one: NAME (its newest), NAME/VERSION or a folder"
        )
    parser.add_argument(
        "--examples",
        type=_count,
        default=_DEFAULT_EXAMPLES,
        metavar="N",
        help=f"records shown of each kind; default {_DEFAULT_EXAMPLES}",
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"wanted a whole number from 0, found {text!r}")
    return int(text)


def _print(difference: Difference, examples: int) -> None:
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    console.print(f"{difference.older} → {difference.newer}")
    console.print(_count_table(difference))
    lost = _lost_by_reason(difference)
    if lost:
        table = Table("dropped, by reason")
        table.add_column("records", justify="right")
        for reason, count in lost.items():
            table.add_row(reason, f"{count:,}")
        console.print(table)
    for line in _list_examples(difference, examples):
        console.print(line)
    if difference.drift:
        console.print("\nmoved by more than chance:")
        for shift in difference.drift:
            console.print(Text(f"  {make_visible(tell_shift(shift))}"))
    else:
        console.print("\nNo figure moved by more than chance.")


def _count_table(difference: Difference) -> Table:
    groups: dict[str, Sequence[InstructionRecord]] = {
        "added": difference.added,
        "  of them rejected before": difference.regained,
        "dropped": [loss.record for loss in difference.lost],
        "changed": [change.after for change in difference.changed],
    }
    table = Table("")
    for name in (*LANGUAGES, "all"):
        table.add_column(name, justify="right")
    for name, records in groups.items():
        by_language = Counter(record.language for record in records)
        cells = [f"{by_language[language]:,}" for language in LANGUAGES]
        table.add_row(name, *cells, f"{len(records):,}")
    table.add_row("unchanged", *[""] * len(LANGUAGES), f"{difference.unchanged:,}")
    return table


def _list_examples(difference: Difference, most: int) -> Iterator[Text]:
    """Show the first few of each kind; the dropped by reason, so that each has its turn."""
    if most and difference.added:
        yield Text("\nadded, for example:")
        for record in difference.added[:most]:
            yield _line("+", record.id, record.instruction)
    for reason in _lost_by_reason(difference) if most else ():
        yield Text(f"\ndropped ({reason}), for example:")
        losses = [loss for loss in difference.lost if (loss.reason or _NOT_SEEN) == reason]
        for loss in losses[:most]:
            yield _line("-", loss.record.id, loss.record.instruction)
            if loss.detail:
                yield Text(f"    because {_shown(loss.detail)}", style="dim")
    if most and difference.changed:
        yield Text("\nchanged, for example:")
        for change in difference.changed[:most]:
            yield from _show_change(change)


def _show_change(change: Change) -> Iterator[Text]:
    yield _line("~", change.after.id, f"{change.after.instruction} ({_tell_how(change)})")
    for column in ("instruction", "input", "output"):
        before, after = getattr(change.before, column), getattr(change.after, column)
        if before != after:
            yield Text(f"    {column}", style="dim")
            yield Text(f"      - {_shown(before)}", style="red")
            yield Text(f"      + {_shown(after)}", style="green")


def _tell_how(change: Change) -> str:
    if change.after.provenance.edited:
        return "edited by a reader"
    return "an edit taken back" if change.before.provenance.edited else "another answer"


def _line(sign: str, record_id: str, text: str) -> Text:
    return Text(f"  {sign} {record_id}  {_shown(text)}")


def _shown(text: str) -> str:
    flat = make_visible(" ".join(text.split()))
    return flat if len(flat) <= _LONGEST_SHOWN else flat[:_LONGEST_SHOWN] + " […]"


def _lost_by_reason(difference: Difference) -> dict[str, int]:
    counts = Counter(loss.reason or _NOT_SEEN for loss in difference.lost)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _to_json(difference: Difference) -> str:
    return json.dumps(
        {
            "older": difference.older,
            "newer": difference.newer,
            "added": len(difference.added),
            "regained": len(difference.regained),
            "lost": len(difference.lost),
            "changed": len(difference.changed),
            "unchanged": difference.unchanged,
            "lost_by_reason": _lost_by_reason(difference),
            "drift": [shift._asdict() for shift in difference.drift],
        },
        ensure_ascii=False,
    )
