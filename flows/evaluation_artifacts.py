"""What people see of an evaluation in Prefect's UI: the matrix, and the verdict with its checks."""

from collections.abc import Sequence
from pathlib import Path

from flows.artifacts import make_key
from flows.engine import Artifact, Engine
from flows.outcomes import EvaluateOutcome
from schemas.evaluation import Comparison, EvaluationReport, GateVerdict, MatrixRow
from schemas.markdown import code, plain, table
from schemas.records import LANGUAGES, Language
from training.evaluation.page.names import shorten_names
from training.evaluation.page.page import PAGE_FILE
from training.evaluation.reading import read_report

_LANGUAGE_NAMES: dict[Language, str] = {"en": "English", "ko": "Korean"}
_MARKS = {"pass": "✓", "hold": "…", "reject": "✗", "not-measured": "–"}
"""Of every font; pictures would be boxes where there is none for them."""


def show_evaluation(engine: Engine, outcome: EvaluateOutcome) -> None:
    """Show the matrix and the verdict; their keys hold the name alone, so Prefect has a history."""
    report = read_report(outcome.evaluation)
    name = report.challenger.split("/")[0]
    engine.show(
        Artifact(
            key=make_key("matrix", name),
            title=f"Evaluation matrix of {name}",
            markdown=_show_matrix(report, outcome.evaluation),
        )
    )
    word = report.verdict.verdict if report.verdict else "no verdict"
    engine.show(
        Artifact(
            key=make_key("verdict", name),
            title=f"Verdict: {word}",
            markdown=_show_verdict(report, outcome.evaluation),
        )
    )


def _show_matrix(report: EvaluationReport, folder: Path) -> str:
    names = shorten_names(report.models)
    parts = ["# Evaluation matrix"]
    for language in LANGUAGES:
        rows = [row for row in report.matrix if row.language == language]
        if rows:
            parts += [f"## {_LANGUAGE_NAMES[language]}", _lay_out(report, rows, names)]
    parts += [
        "Marks in % with their 95 % interval. ▲ ▼: beyond chance better or worse than "
        f"{code(names[report.baseline])} with the same shots.",
        _show_places(report, folder),
    ]
    return "\n\n".join(parts)


def _lay_out(report: EvaluationReport, rows: Sequence[MatrixRow], names: dict[str, str]) -> str:
    """Lay out one language: a row a task and model, a column a shot count."""
    shots = sorted({row.shots for row in rows})
    cells = {(row.task, row.model, row.shots): row for row in rows}
    arrows = {
        (one.task, one.challenger, one.shots): " ▲" if one.low > 0 else " ▼"
        for one in report.comparisons
        if one.kind == "same-shots" and (one.low > 0 or one.high < 0)
    }
    lines = [
        [code(task), code(names[model])]
        + [
            _show_cell(cells.get((task, model, count))) + arrows.get((task, model, count), "")
            for count in shots
        ]
        for task in dict.fromkeys(row.task for row in rows)
        for model in dict.fromkeys(row.model for row in rows if row.task == task)
    ]
    return table(["task", "model", *(f"{count}-shot" for count in shots)], lines, right=len(shots))


def _show_cell(row: MatrixRow | None) -> str:
    if row is None:
        return "–"
    return f"{100 * row.accuracy:.1f} ({100 * row.low:.0f}–{100 * row.high:.0f})"


def _show_verdict(report: EvaluationReport, folder: Path) -> str:
    verdict = report.verdict
    if verdict is None:
        parts = ["# No verdict", plain(report.no_verdict)]
    else:
        parts = [
            f"# {verdict.verdict.capitalize()}",
            f"{code(verdict.challenger)} against {code(verdict.champion)}",
            "\n".join(f"- {plain(reason)}" for reason in verdict.reasons),
            _show_needed(verdict),
            _show_checks(verdict),
        ]
    return "\n\n".join(
        filter(None, [*parts, _show_differences(report), _show_places(report, folder)])
    )


def _show_needed(verdict: GateVerdict) -> str:
    if verdict.items_needed is None:
        return ""
    return f"With about {verdict.items_needed:,} items a difference of this size would be decided."


def _show_checks(verdict: GateVerdict) -> str:
    rows = [
        (_MARKS[check.outcome], check.name, check.outcome, plain(check.reason))
        for check in verdict.checks
    ]
    return table(("", "check", "outcome", "why"), rows) if rows else ""


def _show_differences(report: EvaluationReport) -> str:
    """Show what the challenger's zero-shot gained over the baseline's."""
    rows = [
        (code(one.task), _show_difference(one), f"{one.p_value:.3f}")
        for one in report.comparisons
        if (one.kind, one.challenger, one.shots) == ("same-shots", report.challenger, 0)
    ]
    if not rows:
        return ""
    return "## Zero-shot against zero-shot\n\n" + table(("task", "points", "p"), rows, right=2)


def _show_difference(one: Comparison) -> str:
    low, middle, high = (f"{100 * value:+.1f}" for value in (one.low, one.difference, one.high))
    return f"{middle} ({low} … {high})"


def _show_places(report: EvaluationReport, folder: Path) -> str:
    """Say where the page is, and which artifacts tell where the challenger comes from."""
    lines = [f"- Page with every answer: `{folder / PAGE_FILE}`"]
    dataset = report.models[report.challenger].dataset
    if dataset:
        training = make_key("training", report.challenger.split("/")[0])
        card = make_key("card", dataset.split("/")[0])
        # Pages of other runs, found by their keys; from one artifact's page, as all links are.
        lines.append(
            f"- Tuned on {code(dataset)}: [training](../key/{training}), "
            f"[dataset card](../key/{card})"
        )
    return "\n".join(lines)
