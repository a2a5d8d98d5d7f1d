"""The closing table of a run, on standard error: for people, as the JSON line is for programs."""

from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from flows.outcomes import (
    CurateOutcome,
    EvaluateOutcome,
    FinetuneOutcome,
    GenerateOutcome,
    RetrainOutcome,
)
from schemas.records import LANGUAGES


def print_summary(outcome: BaseModel) -> None:
    """Print what a run made and where; parts follow the order of the stages."""
    console = Console(stderr=True, highlight=False)
    if isinstance(outcome, GenerateOutcome):
        _print_generation(console, outcome)
    if isinstance(outcome, CurateOutcome):
        _print_curation(console, outcome)
    if isinstance(outcome, FinetuneOutcome):
        _print_finetuning(console, outcome)
    if isinstance(outcome, EvaluateOutcome):
        _print_evaluation(console, outcome)
    if isinstance(outcome, RetrainOutcome):
        _print_retraining(console, outcome)


def _print_generation(console: Console, outcome: GenerateOutcome) -> None:
    table = _facts("Generation")
    table.add_row("teacher", outcome.teacher)
    table.add_row("requests sent now", f"{outcome.teacher_requests:,}")
    table.add_row("drafts", f"{outcome.generated:,} in {_short(outcome.drafts)}")
    table.add_row("stopped because", outcome.stopped_because)
    console.print(table)


def _print_curation(console: Console, outcome: CurateOutcome) -> None:
    table = Table(title="Records", title_justify="left", title_style="bold")
    table.add_column("")
    for language in LANGUAGES:
        table.add_column(language, justify="right")
    table.add_column("all", justify="right")
    kept = [outcome.kept_by_language[language] for language in LANGUAGES]
    lost = [sum(outcome.rejected_by_language[language].values()) for language in LANGUAGES]
    generated = [one + other for one, other in zip(kept, lost, strict=True)]
    table.add_row("generated", *map(str, generated), str(outcome.generated))
    for reason, count in outcome.rejected.items():
        counts = [outcome.rejected_by_language[lang].get(reason, 0) for lang in LANGUAGES]
        table.add_row(f"rejected: {reason}", *map(str, counts), str(count))
    table.add_row("kept", *map(str, kept), str(outcome.kept), style="bold")
    console.print(table)
    if (judge := outcome.judge) is not None and judge.mean_score is not None:
        means = ", ".join(f"{name} {mean:.2f}" for name, mean in judge.means.items() if mean)
        console.print(f"judge {judge.model}: {judge.mean_score:.2f} of 5 ({means})", markup=False)
        if judge.kappa is not None and judge.audited_mean_score is not None:
            console.print(
                f"  {judge.audited} records that the rules dropped: "
                f"{judge.audited_mean_score:.2f}; agreement (kappa) {judge.kappa:.2f}",
                markup=False,
            )
    console.print(f"dataset: {_short(outcome.dataset)}", markup=False, soft_wrap=True)
    console.print(
        f"report: {_short(outcome.dataset / 'report.html')}", markup=False, soft_wrap=True
    )


def _print_finetuning(console: Console, outcome: FinetuneOutcome) -> None:
    table = _facts("Finetuning")
    table.add_row("held-out loss before", f"{outcome.loss_before:.4f} nats a token")
    table.add_row("held-out loss after", f"{outcome.loss_after:.4f} nats a token")
    table.add_row("steps", f"{outcome.steps} in {outcome.train_seconds:.0f} s")
    table.add_row("peak memory", f"{outcome.peak_memory_mb:,.0f} MB")
    table.add_row("model", _short(outcome.model))
    console.print(table)


def _print_evaluation(console: Console, outcome: EvaluateOutcome) -> None:
    table = Table(title="Accuracy in % (95 % interval)", title_justify="left", title_style="bold")
    columns = list(dict.fromkeys((row.task, row.shots) for row in outcome.matrix))
    table.add_column("model", overflow="fold")
    table.add_column("task", no_wrap=True)
    shots = sorted({count for _, count in columns})
    for count in shots:
        table.add_column(f"{count}-shot", justify="right")
    cells = {(row.model, row.task, row.shots): row for row in outcome.matrix}
    for model in dict.fromkeys(row.model for row in outcome.matrix):
        for task in dict.fromkeys(task for task, _ in columns):
            found = [cells.get((model, task, count)) for count in shots]
            table.add_row(
                model,
                task,
                *(
                    f"{c.accuracy:.0%} ({c.low:.0%}–{c.high:.0%})".replace("%", "") if c else ""
                    for c in found
                ),
            )
    console.print(table)
    console.print(f"evaluation: {_short(outcome.evaluation)}", markup=False, soft_wrap=True)
    console.print(f"verdict: {outcome.verdict or 'none'}", markup=False, style="bold")
    for reason in outcome.reasons:
        console.print(f"  - {reason}", markup=False, soft_wrap=True)


def _print_retraining(console: Console, outcome: RetrainOutcome) -> None:
    times = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in outcome.seconds.items())
    console.print(f"champion: {outcome.champion or 'none yet'}", markup=False)
    console.print(f"wall time: {times}", markup=False, soft_wrap=True)
    name = outcome.dataset.parent.name
    console.print("\nTry next:", style="bold")
    for command in (
        f"open {_short(outcome.dataset.parents[2] / 'index.html')}",
        f"./pacaloom review {name}",
        f"./pacaloom evaluate --model {name} --shots 0 --shots 8",
        f"./pacaloom generate --name {name} --grow --quota en=20",
    ):
        console.print(f"  {command}", markup=False, soft_wrap=True)


def _facts(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    return table


def _short(path: Path) -> str:
    """Show a path from the current directory where that is shorter."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
