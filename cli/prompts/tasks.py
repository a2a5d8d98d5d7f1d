"""``prompts tasks``: what models can be asked, and in which words."""

import argparse
import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from training.evaluation.tasks.items import EvaluationTask
from training.evaluation.tasks.loading import list_tasks, load_tasks


def run_tasks(arguments: Sequence[str]) -> int:
    """List tasks, or show the wordings of one; the last line on standard output is JSON."""
    names: list[str] = build_tasks_parser().parse_args(list(arguments)).task
    tasks = load_tasks(names or list_tasks())
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    console.print(_list_wordings(tasks) if names else _list_tasks(tasks))
    described = [
        {
            "name": task.name,
            **task.card.model_dump(mode="json", exclude={"lineage", "answer_tokens"}),
            "items": len(task.items),
            "shots": len(task.shots),
        }
        for task in tasks
    ]
    print(escape_json(json.dumps({"tasks": described}, ensure_ascii=False)))
    return 0


def build_tasks_parser() -> argparse.ArgumentParser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom prompts tasks",
        description="List the evaluation tasks that come along, or show how the question of some\n"
        "is worded.",
        epilog="A file of your own is a task too: JSONL of id, split (test or shots), text and\n"
        "label; with a card beside it (NAME.card.json) it has wordings of its own.\n\n"
        "examples:\n"
        "  pacaloom prompts tasks\n"
        "  pacaloom prompts tasks movie-sentiment-ko\n"
        "  pacaloom prompts tasks spelling mine.jsonl",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "task", metavar="TASK", nargs="*", help="names, families or files; default: all of ours"
    )
    return parser


def _list_tasks(tasks: Sequence[EvaluationTask]) -> Table:
    table = Table(title="Evaluation tasks", title_justify="left", title_style="bold")
    table.add_column("task", no_wrap=True)
    table.add_column("answers", overflow="fold", ratio=1)
    table.add_column("metric", no_wrap=True)
    for heading in ("items", "shots", "wordings"):
        table.add_column(heading, justify="right")
    for task in tasks:
        answers = ", ".join(task.card.labels)
        own = "own choices" if task.is_choice else "written"
        counts = (len(task.items), len(task.shots), len(task.card.wordings))
        table.add_row(task.name, answers or own, task.card.metric, *map(str, counts))
    return table


def _list_wordings(tasks: Sequence[EvaluationTask]) -> Table:
    table = Table(title="Wordings", title_justify="left", title_style="bold", show_lines=True)
    for heading in ("task", "wording", "form"):
        table.add_column(heading, overflow="fold")
    table.add_column("instruction", overflow="fold", ratio=1)
    for task in tasks:
        for one in task.card.wordings:
            table.add_row(task.name, one.name, one.form, make_visible(one.instruction))
    return table
