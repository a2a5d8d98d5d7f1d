"""The closing lines of ``maintenance``: what, why it may go, and how large it is."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from cli.terminal_text import make_visible
from flows.outcomes import MaintenanceOutcome, SpaceGiven
from flows.retention.artifact import MOST_SHOWN, tell_size

_PLURALS = {
    "front of a log": "fronts of logs",
    "index": "indexes",
    "kept answers": "kept answers",
}
"""Of what takes more than an s."""
_SIZE_WIDTH = len("1,000.0 MB")


def print_maintenance(console: Console, outcome: MaintenanceOutcome) -> None:
    """Print what goes for the same reason together, the largest first, and what it comes to."""
    left = MOST_SHOWN
    for group in _group(outcome.given):
        if left > 0:
            _print_group(console, group, left)
        left -= len(group)
    if left < 0:
        console.print(f"… and {-left:,} more: the JSON line has all.")
    for notice in outcome.notices:
        console.print(Text(make_visible(notice)), soft_wrap=True)
    kept = f"{outcome.kept_versions:,} versions and evaluations stay"
    if not outcome.given:
        console.print(f"Nothing may go; {kept}.")
        return
    size = f"{tell_size(outcome.bytes)} in {len(outcome.given):,} places"
    if outcome.applied:
        console.print(f"Given back: {size}; {kept}.", style="bold")
    else:
        console.print(f"May go: {size}; {kept}.", style="bold")
        console.print("Nothing was touched: add --apply to remove.")


def _group(given: Sequence[SpaceGiven]) -> list[list[SpaceGiven]]:
    groups: dict[tuple[str, str], list[SpaceGiven]] = {}
    for one in sorted(given, key=lambda one: -one.bytes):
        groups.setdefault((one.what, one.why), []).append(one)
    return sorted(groups.values(), key=lambda group: -sum(one.bytes for one in group))


def _print_group(console: Console, group: Sequence[SpaceGiven], most: int) -> None:
    first = group[0]
    what = _PLURALS.get(first.what, f"{first.what}s") if len(group) > 1 else first.what
    title = Text(make_visible(f"{what}: "), style="bold")
    console.print(title + Text(make_visible(first.why), style="not bold"), soft_wrap=True)
    for one in group[:most]:
        line = f"{tell_size(one.bytes):>{_SIZE_WIDTH}}  {make_visible(one.path)}"
        console.print(Text(line), soft_wrap=True)
