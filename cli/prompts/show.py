"""``prompts show``: a prompt, letter by letter, as it is sent."""

import argparse
import json
import sys
from collections.abc import Sequence

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from schemas.errors import UserError
from training.evaluation.tasks.items import EvaluationTask, Wording
from training.evaluation.tasks.loading import load_task


class PromptChoiceError(UserError):
    """A wording or item that the task does not have."""


def run_show(arguments: Sequence[str]) -> int:
    """Print one prompt; the last line on standard output is a JSON object."""
    from training.evaluation.prompts import draw_shots, open_with

    given = build_show_parser().parse_args(list(arguments))
    task = load_task(given.task)
    wording = _find_wording(task, given.wording)
    if not 1 <= given.item <= len(task.items):
        raise PromptChoiceError(
            f"Task {task.name} has items 1 to {len(task.items)}, found --item {given.item}."
        )
    if given.shots < 0:
        raise PromptChoiceError(f"Wanted --shots of 0 or more, found {given.shots}.")
    item = task.items[given.item - 1]
    opened = open_with(task, wording, draw_shots(task, given.shots, given.random_seed))
    prompt = opened.render_prompt(item.text)
    answer = opened.render_answer(item.answer)
    print(make_visible(prompt), file=sys.stderr)
    print(f"[right answer] {make_visible(item.answer)}", file=sys.stderr)
    shown = {"task": task.name, "wording": wording.name, "item": item.id}
    print(escape_json(json.dumps(shown | {"prompt": prompt, "answer": answer}, ensure_ascii=False)))
    return 0


def build_show_parser() -> argparse.ArgumentParser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom prompts show",
        description="Print the prompt of one item in the instruction form, as a model is sent it.",
        epilog="examples:\n"
        "  pacaloom prompts show movie-sentiment-ko --shots 2\n"
        "  pacaloom prompts show movie-sentiment-ko --wording arrow --shots 3 --item 7",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("task", metavar="TASK", help="a task of ours, or a file")
    parser.add_argument("--wording", metavar="NAME", help="default: the first of the task")
    parser.add_argument("--shots", type=int, default=0, metavar="K", help="worked examples")
    parser.add_argument("--item", type=int, default=1, metavar="N", help="which item, from 1")
    parser.add_argument(
        "--random-seed", type=int, default=0, metavar="SEED", help="draws the worked examples"
    )
    return parser


def _find_wording(task: EvaluationTask, name: str | None) -> Wording:
    for wording in task.card.wordings:
        if name in (None, wording.name):
            return wording
    names = ", ".join(wording.name for wording in task.card.wordings)
    raise PromptChoiceError(f"Task {task.name} has no wording {name!r}, only {names}.")
