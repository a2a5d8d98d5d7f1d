"""``prompts compare``: which wording of a question suits a model best, with intervals."""

import argparse
import json
from collections.abc import Sequence
from typing import get_args

from rich.console import Console
from rich.table import Table

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from flows.engine import PlainEngine
from flows.prompt_trial import PromptRequest, run_trial
from flows.settings import read_settings
from schemas.evaluation import ComparedWording, PromptComparison, ScoreRule

_ALPHA = 0.05


def run_compare(arguments: Sequence[str]) -> int:
    """Compare wordings; the last line on standard output is a JSON object."""
    given = vars(build_compare_parser().parse_args(list(arguments)))
    request = PromptRequest.model_validate(
        {name: value for name, value in given.items() if value is not None}
    )
    found = run_trial(request, read_settings(), PlainEngine())
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    console.print(_lay_out(found))
    for line in tell(found):
        console.print(line, soft_wrap=True)
    print(escape_json(json.dumps(found.model_dump(mode="json"), ensure_ascii=False)))
    return 0


def build_compare_parser() -> argparse.ArgumentParser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom prompts compare",
        description="Put the question of a task in several ways to a model and say which is\n"
        "better. All wordings get the same items and worked examples, all pairs are tested\n"
        "together (exact sign-flip test, Holm), so that the best of many equal ones is not\n"
        "taken for better.",
        epilog="examples:\n"
        "  pacaloom prompts compare --model gemma-3-270m --task movie-sentiment-ko\n"
        "  pacaloom prompts compare --model first --task movie-sentiment-ko \\\n"
        '    --wording "이 영화평은 긍정, 부정, 중립 중 무엇인가요?" --shots 4\n'
        "  pacaloom prompts compare --model first --task mine.jsonl --only-mine \\\n"
        "    --wordings-file wordings.jsonl",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model",
        required=True,
        metavar="MODEL",
        help="a tuned or embedded student, a folder, or a served endpoint as URL#MODEL",
    )
    parser.add_argument("--task", required=True, metavar="TASK", help="a task of ours, or a file")
    parser.add_argument(
        "--wording",
        action="append",
        metavar="TEXT",
        help="an instruction of your own; as often as you like",
    )
    parser.add_argument(
        "--wordings-file", metavar="FILE", help='JSONL of {"name", "instruction", "form"}'
    )
    parser.add_argument(
        "--only-mine", action="store_true", help="leave out the wordings of the task"
    )
    _add_numbers(parser)
    return parser


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shots", type=int, metavar="K", help="worked examples; default 0")
    parser.add_argument(
        "--draws", type=int, metavar="N", help="draws of the worked examples; default 2"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="items; default: all")
    parser.add_argument(
        "--rule", choices=get_args(ScoreRule), help="what decides between answers; default raw"
    )
    parser.add_argument("--random-seed", type=int, metavar="SEED", help="default 0")


def tell(found: PromptComparison) -> list[str]:
    """Say what was found in a sentence or two."""
    best, *others = found.wordings
    if found.is_decided:
        return [f"{best.name} is better than each of the others."]
    open_ones = [one for one in others if one.p_value > _ALPHA]
    names = ", ".join(one.name for one in open_ones)
    needed = [one.items_needed for one in open_ones if one.items_needed]
    lines = [f"{best.name} came out best, but is not shown to be better than {names}."]
    if needed:
        lines.append(
            f"Differences of the size seen would be decided by about {max(needed):,} items "
            f"(here {found.item_count:,})."
        )
    return lines


def _lay_out(found: PromptComparison) -> Table:
    shots = f"{found.shots} shots" + (f", {found.draws} draws" if found.shots else "")
    table = Table(
        title=f"{make_visible(found.model)} on {make_visible(found.task)}: "
        f"{found.item_count} items, {shots}",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("wording", no_wrap=True)
    table.add_column("score (95 %)", justify="right", no_wrap=True)
    table.add_column("AUC", justify="right")
    table.add_column("to the best (95 %)", justify="right", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    table.add_column("instruction", overflow="fold", ratio=1)
    for one in found.wordings:
        is_best = one is found.wordings[0]
        table.add_row(*_row(one, is_best=is_best), style="bold" if is_best else "")
    return table


def _row(one: ComparedWording, *, is_best: bool) -> tuple[str, ...]:
    gap = f"{100 * one.behind:+.1f} ({100 * one.behind_low:+.1f} to {100 * one.behind_high:+.1f})"
    return (
        one.name,
        f"{100 * one.score:.1f} ({100 * one.low:.1f}–{100 * one.high:.1f})",
        "" if one.auc is None else f"{one.auc:.2f}",
        "" if is_best else gap,
        "" if is_best else f"{one.p_value:.2g}",
        make_visible(one.instruction) or "(quoted text and arrow)",
    )
