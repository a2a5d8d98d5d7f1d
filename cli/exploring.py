"""``curate --what-if`` and ``--sweep``: what other knobs would keep, for people and programs."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.arguments import ArgumentError, Parsed
from cli.terminal_text import make_visible
from flows.engine import PlainEngine
from flows.exploration import DraftDifference, explore
from flows.outcomes import ExploreOutcome, VariantOutcome
from flows.parameters import ExploreParams
from flows.settings import Settings
from schemas.records import LANGUAGES
from schemas.storage import read_jsonl

_MOST_SHOWN = 12
_BAR_CHARACTERS = 10
_LONGEST_SHOWN = 60


def answer(params: ExploreParams, settings: Settings, parsed: Parsed) -> int | None:
    """Explore and report, when the user asks what would be; the last line is a JSON object.

    Raises:
        ArgumentError: Together with flags that only a run can follow.
    """
    if not params.what_if and not params.sweep:
        return None
    if parsed.prefect or params.cluster is not None:
        raise ArgumentError(
            "--what-if and --sweep publish nothing and run in this process: leave out "
            "--prefect and --cluster."
        )
    outcome = explore(params, settings, PlainEngine())
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    console.print(_compare_yields(outcome))
    for variant in outcome.variants:
        if params.what_if and variant is outcome.variants[0]:
            console.print(_show_differences(variant.differences))
        console.print(f"{_name(variant)}: every draft in {variant.differences}", soft_wrap=True)
    print(outcome.model_dump_json())
    return 0


def _compare_yields(outcome: ExploreOutcome) -> Table:
    table = Table(
        title=f"{outcome.name}: {outcome.generated:,} drafts, nothing is published",
        caption="+ gained   - lost   ≠ dropped for another reason",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("knobs", no_wrap=True)
    for heading in (*LANGUAGES, "kept", "+", "-", "≠"):
        table.add_column(heading, justify="right")
    table.add_column("yield", no_wrap=True, min_width=_BAR_CHARACTERS)
    most = max(1, outcome.kept, *(variant.kept for variant in outcome.variants))
    table.add_row(
        "as it is",
        *(f"{outcome.kept_by_language[language]:,}" for language in LANGUAGES),
        f"{outcome.kept:,}",
        *("", "", ""),
        _bar(outcome.kept, most),
    )
    for variant in outcome.variants:
        table.add_row(
            _name(variant),
            *(f"{variant.kept_by_language[language]:,}" for language in LANGUAGES),
            f"{variant.kept:,}",
            f"+{variant.gained:,}",
            f"-{variant.lost:,}",
            f"{variant.other_reason:,}",
            _bar(variant.kept, most),
        )
    return table


def _bar(count: int, most: int) -> str:
    return "█" * round(_BAR_CHARACTERS * count / most)


def _name(variant: VariantOutcome) -> str:
    return ", ".join(f"{knob}={value}" for knob, value in variant.changes.items())


def _show_differences(path: Path) -> Table:
    """Show the first drafts that end otherwise; all of them are in the file."""
    differences = list(read_jsonl(path, DraftDifference))
    table = Table(title=f"drafts that end otherwise: {len(differences):,}", title_justify="left")
    for heading in ("id", "", "before", "after", "instruction"):
        table.add_column(heading, no_wrap=heading != "instruction")
    for one in differences[:_MOST_SHOWN]:
        instruction = " ".join(one.instruction.split())[:_LONGEST_SHOWN]
        table.add_row(
            one.id,
            one.change,
            one.before or "kept",
            one.after or "kept",
            Text(make_visible(instruction)),
        )
    if len(differences) > _MOST_SHOWN:
        table.add_row("…", "", "", "", f"{len(differences) - _MOST_SHOWN:,} more")
    return table
