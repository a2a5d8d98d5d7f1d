"""The closing table of a run, on standard error: for people, as the JSON line is for programs."""

from collections.abc import Collection
from pathlib import Path
from textwrap import shorten

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.evaluation_summary import print_evaluation
from cli.maintenance_summary import print_maintenance
from cli.terminal_text import make_visible
from flows.outcomes import (
    CurateOutcome,
    EvaluateOutcome,
    FinetuneOutcome,
    GenerateOutcome,
    MaintenanceOutcome,
    RetrainOutcome,
)
from schemas.manifest import ContractSummary, SampleAnswer, TrainingManifest
from schemas.records import LANGUAGES, Language
from schemas.storage import read_jsonl, read_manifest
from training.finetuning.samples import SAMPLES_FILE

_MOST_ANSWER = 160
"""Characters of an answer that are shown."""


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
        print_evaluation(console, outcome, _short(outcome.evaluation))
    if isinstance(outcome, RetrainOutcome):
        _print_retraining(console, outcome)
    if isinstance(outcome, MaintenanceOutcome):
        print_maintenance(console, outcome)


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
    manifest = read_manifest(outcome.model, TrainingManifest, "a tuned student")
    change = manifest.loss_after / manifest.loss_before - 1 if manifest.loss_before else 0.0
    table = _facts("Finetuning")
    table.add_row(
        "held-out loss",
        f"{manifest.loss_before:.4f} before, {manifest.loss_after:.4f} after ({change:+.1%}), nats "
        "a token",
    )
    table.add_row(
        "steps",
        f"{manifest.steps:,} in {manifest.train_seconds:,.0f} s, "
        f"{manifest.tokens_per_second:,.0f} tokens/s",
    )
    table.add_row("rows", _describe_rows(manifest.contract))
    table.add_row("peak memory", _describe_memory(manifest))
    table.add_row("model", _short(outcome.model))
    console.print(table)
    _print_answers(console, outcome.model, manifest.contract.languages)
    console.print(f"card: {_short(outcome.model / 'README.md')}", markup=False, soft_wrap=True)


def _describe_rows(contract: ContractSummary) -> str:
    """Say in a line what the data contract found."""
    rows = contract.rows
    parts = [
        f"{rows.get('train', 0):,} trained on, {rows.get('validation', 0):,} held out",
        f"{contract.trained_tokens:,} of {contract.tokens:,} tokens are answers",
    ]
    for count, what in (
        (contract.overlong, "left out as too long"),
        (contract.duplicates, "repeat another"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    return "; ".join(parts)


def _describe_memory(manifest: TrainingManifest) -> str:
    peak = f"{manifest.peak_memory_mb:,.0f} MB"
    planned = manifest.memory.total_mb
    return f"{peak}, {planned:,.0f} planned ({manifest.peak_memory_mb / planned - 1:+.1%})"


def _print_answers(console: Console, model: Path, languages: Collection[Language]) -> None:
    """Show what base and student answer to the last question of each language, which is short."""
    answers = list(read_jsonl(model / SAMPLES_FILE, SampleAnswer))
    table = _facts("Answers")
    for language in LANGUAGES:
        rounds = {answer.step: answer for answer in answers if answer.language == language}
        if language in languages and rounds:
            before, after = rounds[min(rounds)], rounds[max(rounds)]
            table.add_row("asked", Text(make_visible(before.instruction)))
            table.add_row("before", Text(_show_answer(before)))
            table.add_row("after", Text(_show_answer(after)), end_section=True)
    if table.rows:
        console.print(table)


def _show_answer(answer: SampleAnswer) -> str:
    shown = shorten(" ".join(make_visible(answer.answer).split()), _MOST_ANSWER, placeholder=" …")
    if answer.ended:
        return shown or "(ends at once)"
    return f"{shown} (does not end)"


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
