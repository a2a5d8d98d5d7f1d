"""Print a prepared run: where its memory goes, what fits on which GPU, and some rows."""

from typing import get_args

from rich.console import Console
from rich.table import Table

from cli.preview import print_preview
from flows.training_plan import PlannedRun
from schemas.manifest import Method
from training.finetuning.memory.describing import describe_plan, describe_savings
from training.finetuning.memory.fitting import fit_gpus, propose


def print_rows(planned: PlannedRun, count: int, *, show_ids: bool) -> None:
    """Print training rows token by token, from all over the file: languages lie together in it."""
    ready = planned.ready
    train = ready.contract.train
    count = min(count, len(train))
    rows = [train[number * len(train) // count] for number in range(count)]
    print_preview(rows, ready.tokenizer, show_ids)


def print_plan(planned: PlannedRun) -> None:
    """Print the plan, and whether it fits."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    request, ready = planned.request, planned.ready
    summary = ready.contract.summary
    console.print(
        f"{summary.rows['train']:,} rows to train on, {summary.rows['validation']:,} held out; "
        f"{summary.tokens:,} tokens, {summary.trained_tokens:,} of them trained; half of the rows "
        f"have up to {summary.length_median}, the longest has {summary.length_longest}."
    )
    console.print(_lay_out_parts(planned))
    if savings := describe_savings(ready.shape):
        console.print(savings)
    console.print(_say_whether_it_fits(planned))
    console.print(_lay_out_gpus(planned))
    console.print(
        f"Rows at once, of the {request.recipe.batch_size * request.recipe.gradient_accumulation} "
        "of a step. Figures for GPUs are planned by the same formulas and were not measured."
    )


def _lay_out_parts(planned: PlannedRun) -> Table:
    request = planned.request
    title = f"Memory of {request.recipe.method} on {planned.settings.device}"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("part", no_wrap=True)
    table.add_column("MB", justify="right")
    table.add_column("what")
    ready = planned.ready
    for row in describe_plan(ready.memory, ready.shape, request.recipe, planned.settings):
        style = "bold" if row.part == "sum" else None
        table.add_row(row.part, f"{row.megabytes:,.0f}", row.why, style=style)
    return table


def _say_whether_it_fits(planned: PlannedRun) -> str:
    ready, available = planned.ready, planned.available_mb
    if ready.memory.total_mb <= available:
        return f"It fits: {available:,.0f} MB are available."
    found = propose(ready.shape, planned.request.recipe, planned.settings, ready.lengths, available)
    advice = f"This fits: {found.text}." if found else "Nothing smaller fits either."
    return f"It does not fit: {available:,.0f} MB are available. {advice}"


def _lay_out_gpus(planned: PlannedRun) -> Table:
    table = Table(title="What fits on a GPU", title_justify="left", title_style="bold")
    table.add_column("memory", no_wrap=True)
    methods: tuple[Method, ...] = get_args(Method)
    for method in methods:
        table.add_column(method, justify="right")
    ready = planned.ready
    for fit in fit_gpus(ready.shape, planned.request.recipe, ready.lengths):
        counts = (str(fit.batches.get(method, "–")) for method in methods)
        table.add_row(f"{fit.gpu.gigabytes} GB", *counts)
    return table
