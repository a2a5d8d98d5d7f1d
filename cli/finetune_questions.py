"""``finetune --explain``, ``--plan``, ``--preview``: what a run would do."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cli.arguments import ArgumentError, Parsed
from flows.parameters import AskFinetuneParams, FinetuneParams, part_of
from flows.settings import Settings
from training.finetuning.contract.faults import ContractError
from training.finetuning.explanation import ExplainedSetting, explain
from training.finetuning.recipe import Recipe, read_hardware, resolve


def answer(params: AskFinetuneParams, settings: Settings, parsed: Parsed) -> int | None:
    """Answer what is asked about a run; None when the run itself is wanted.

    Raises:
        ArgumentError: No dataset is named, and not only the recipe is asked about.
        UserError: What would stop the run before its first step.
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
    if not params.plan and params.preview is None:
        return None
    # The student's tokenizer takes seconds to import.
    from cli.preview import print_faulty_tokens
    from cli.training_plan import print_plan, print_rows
    from flows.engine import PlainEngine
    from flows.training_plan import plan_run

    try:
        planned = plan_run(part_of(params, FinetuneParams), settings, PlainEngine())
    except ContractError as error:
        print_faulty_tokens(error.rows)
        raise
    if params.preview is not None:
        print_rows(planned, params.preview, show_ids=params.preview_ids)
    if params.plan:
        print_plan(planned)
    summary = planned.ready.contract.summary.model_dump(mode="json")
    memory = {**planned.ready.memory.model_dump(), "total_mb": planned.ready.memory.total_mb}
    print(json.dumps({"contract": summary, "memory": memory}))
    return 0


def _print_explanation(rows: Sequence[ExplainedSetting]) -> None:
    table = Table(title="Recipe", title_justify="left", title_style="bold")
    for heading in ("setting", "value", "chosen by"):
        table.add_column(heading, no_wrap=True)
    table.add_column("the default is from")
    for row in rows:
        table.add_row(*row, style="bold" if row.chosen_by == "you" else None)
    Console(stderr=True, highlight=False, markup=False, emoji=False).print(table)
    print(json.dumps({row.name: row.value for row in rows}))
