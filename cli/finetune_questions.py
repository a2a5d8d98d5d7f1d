"""``finetune --explain``: what a run would do, for people and programs."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cli.arguments import ArgumentError, Parsed
from flows.parameters import AskFinetuneParams, part_of
from flows.settings import Settings
from training.finetuning.explanation import ExplainedSetting, explain
from training.finetuning.recipe import Recipe, read_hardware, resolve


def answer(params: AskFinetuneParams, settings: Settings, parsed: Parsed) -> int | None:
    """Answer what is asked about a run; None when the run itself is wanted.

    Raises:
        ArgumentError: A run is wanted, and no dataset is named.
    """
    if params.explain:
        recipe = part_of(params, Recipe)
        _print_explanation(explain(recipe, resolve(recipe, read_hardware()), set(parsed.values)))
        return 0
    if not params.dataset:
        raise ArgumentError(
            "--dataset is needed: a dataset version's NAME, NAME/VERSION or folder; "
            "`pacaloom datasets list` shows what there is."
        )
    return None


def _print_explanation(rows: Sequence[ExplainedSetting]) -> None:
    table = Table(title="Recipe", title_justify="left", title_style="bold")
    for heading in ("setting", "value", "chosen by"):
        table.add_column(heading, no_wrap=True)
    table.add_column("the default is from")
    for row in rows:
        table.add_row(*row, style="bold" if row.chosen_by == "you" else None)
    Console(stderr=True, highlight=False, markup=False, emoji=False).print(table)
    print(json.dumps({row.name: row.value for row in rows}))
