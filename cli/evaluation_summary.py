"""The matrix, the verdict and what so many items can show, in a terminal of 80 columns or more."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.terminal_text import make_visible
from flows.outcomes import EvaluateOutcome
from schemas.evaluation import Comparison, EvaluationReport, GateVerdict, MatrixRow
from schemas.records import LANGUAGES, Language
from training.evaluation.page.names import shorten_names
from training.evaluation.page.page import PAGE_FILE
from training.evaluation.reading import read_report
from training.evaluation.statistics.clusters import pair_of
from training.evaluation.statistics.planning import smallest_detectable_difference

_MOST_WIDTH = 100
_LEVEL = 0.05
_LANGUAGE_NAMES: dict[Language, str] = {"en": "English", "ko": "Korean"}
_MARKS = {"pass": "✓", "hold": "…", "reject": "✗", "not-measured": "–"}
_COLOURS = {"pass": "green", "hold": "yellow", "reject": "red", "not-measured": "dim"}
_VERDICT_COLOURS = {"promote": "green", "hold": "yellow", "reject": "red"}


def print_evaluation(console: Console, outcome: EvaluateOutcome, folder: str) -> None:
    """Print what an evaluation found.

    Args:
        console: Where.
        outcome: Whose folder holds the report.
        folder: The same folder, as people should read it.
    """
    report = read_report(outcome.evaluation)
    short = shorten_names(report.models)
    names = {name: make_visible(one) for name, one in short.items()}
    for language in LANGUAGES:
        rows = [row for row in report.matrix if row.language == language]
        if rows:
            _print(console, _lay_out_matrix(report, rows, names))
    _say(console, _explain(report, names))
    if report.verdict is None:
        _say(console, f"Verdict: none. {report.no_verdict}", style="bold")
    else:
        _print_verdict(console, report.verdict, names)
    console.print(f"evaluation: {folder}", markup=False, soft_wrap=True)
    console.print(f"page: {folder}/{PAGE_FILE}", markup=False, soft_wrap=True)


def _lay_out_matrix(
    report: EvaluationReport, rows: Sequence[MatrixRow], names: dict[str, str]
) -> Table:
    """Lay out one language: a group of rows a task, a row a model, a column a shot count."""
    title = f"{_LANGUAGE_NAMES[rows[0].language]}: marks in % (95 % interval)"
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    shots = sorted({row.shots for row in rows})
    table.add_column("task", overflow="fold")
    table.add_column("model", overflow="fold")
    for count in shots:
        table.add_column(f"{count}-shot", justify="right", no_wrap=True)
    table.add_column("prompts", justify="right", no_wrap=True)
    arrows = _find_arrows(report.comparisons)
    families = dict.fromkeys(row.family for row in rows)
    tasks = dict.fromkeys((row.family, row.task) for row in rows)
    for task in (task for family in families for of, task in tasks if of == family):
        own = [row for row in rows if row.task == task]
        models = list(dict.fromkeys(row.model for row in own))
        for model in models:
            cells = {row.shots: row for row in own if row.model == model}
            table.add_row(
                Text(make_visible(task) if model == models[0] else ""),
                Text(names[model], style=_style_of(model, report)),
                *(_show_cell(cells.get(count), arrows) for count in shots),
                _show_spread(list(cells.values())),
                end_section=model == models[-1],
            )
    return table


def _style_of(model: str, report: EvaluationReport) -> str:
    if model == report.challenger:
        return "bold"
    return "dim" if model == report.baseline else ""


def _find_arrows(comparisons: Sequence[Comparison]) -> dict[tuple[str, str, int], str]:
    """Find the cells whose difference to the baseline has an interval without zero."""
    return {
        (one.challenger, one.task, one.shots): "▲" if one.low > 0 else "▼"
        for one in comparisons
        if one.kind == "same-shots" and (one.low > 0 or one.high < 0)
    }


def _show_cell(row: MatrixRow | None, arrows: dict[tuple[str, str, int], str]) -> Text:
    if row is None:
        return Text("–", style="dim")
    arrow = arrows.get((row.model, row.task, row.shots), " ")
    text = Text(f"{100 * row.accuracy:.0f}", style="bold")
    text.append(f" {100 * row.low:.0f}–{100 * row.high:.0f}", style="not bold dim")
    return text.append(arrow, style="green" if arrow == "▲" else "red")


def _show_spread(cells: Sequence[MatrixRow]) -> Text:
    asked = [row.spread for row in cells if len(row.variants) > 1]
    return Text(f"±{50 * max(asked):.0f}" if asked else "", style="dim")


def _explain(report: EvaluationReport, names: dict[str, str]) -> str:
    """Say how to read the matrix, and how small a difference it could have shown."""
    said = f"▲ ▼ beyond chance better or worse than {names[report.baseline]}, same shots. "
    if any(len(row.variants) > 1 for row in report.matrix):
        said += "prompts: half the distance between the best and the worst wording or draw. "
    seen = sorted(
        smallest_detectable_difference(pair_of(one), _LEVEL)
        for one in report.comparisons
        if one.kind == "same-shots" and one.challenger == report.challenger
    )
    if seen:
        points = f"{100 * seen[len(seen) // 2]:.1f}"
        said += f"A true difference of {points} points in a cell is found 4 times out of 5."
    return said


def _print_verdict(console: Console, verdict: GateVerdict, names: dict[str, str]) -> None:
    challenger, champion = (
        names.get(name, make_visible(name)) for name in (verdict.challenger, verdict.champion)
    )
    heading = Text("Verdict: ", style="bold")
    heading.append(verdict.verdict, style=f"bold {_VERDICT_COLOURS[verdict.verdict]}")
    heading.append(f"  {challenger} against {champion}", style="not bold")
    _print(console, heading)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in verdict.checks:
        decided = check.reason in verdict.reasons
        table.add_row(
            Text(_MARKS[check.outcome], style=_COLOURS[check.outcome]),
            Text(check.name, style="bold" if decided else ""),
            Text(make_visible(check.reason), style="bold" if decided else "dim"),
        )
    told = {check.reason for check in verdict.checks}
    for reason in verdict.reasons:
        if reason not in told:
            table.add_row("-", "", Text(make_visible(reason)))
    _print(console, table)
    if verdict.items_needed is not None:
        needed = f"{verdict.items_needed:,}"
        _say(console, f"With about {needed} items a difference of this size would be decided.")


def _say(console: Console, text: str, style: str = "dim") -> None:
    _print(console, Text(make_visible(text), style=style))


def _print(console: Console, shown: Table | Text) -> None:
    console.print(shown, width=min(_MOST_WIDTH, console.width))
