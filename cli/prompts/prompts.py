"""``prompts``: the evaluation tasks, how they are put to a model, and which wording suits it."""

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cli.arguments import Parser, TeachingFormatter


class _Action(NamedTuple):
    """One action; ``cli.prompts.MODULE`` has ``build_NAME_parser`` and ``run_NAME``."""

    summary: str
    module: str


_ACTIONS = {
    "tasks": _Action("list the evaluation tasks and their wordings", "tasks"),
    "show": _Action("print the very prompt that a model is sent", "show"),
    "compare": _Action("try several wordings on a task and say which is better", "compare"),
}


def run_prompts(arguments: Sequence[str]) -> int:
    """Run one of the actions."""
    # Only the first word is read here: each action parses the rest.
    action = build_prompts_parser().parse_args(list(arguments[:1]) or ["--help"]).action
    run: Callable[[Sequence[str]], int] = _find(action, f"run_{action}")
    return run(arguments[1:])


def build_prompts_parser() -> argparse.ArgumentParser:
    """Build the parser of the verb, which knows its actions by name."""
    width = max(map(len, _ACTIONS))
    actions = "\n".join(f"  {name:<{width}}  {one.summary}" for name, one in _ACTIONS.items())
    parser = Parser(
        prog="pacaloom prompts",
        description="The question of an evaluation task can be put in several ways, and results\n"
        "of one model differ by ten points and more between them.",
        epilog=f"actions:\n{actions}\n\n`pacaloom prompts ACTION --help` explains each.",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("action", choices=list(_ACTIONS), metavar="ACTION", help="see below")
    return parser


def build_whole_prompts_parser() -> argparse.ArgumentParser:
    """Build one parser with every action and all their flags, for completion only."""
    whole = argparse.ArgumentParser(prog="pacaloom prompts", add_help=False)
    actions = whole.add_subparsers()
    for name, action in _ACTIONS.items():
        build: Callable[[], argparse.ArgumentParser] = _find(name, f"build_{name}_parser")
        actions.add_parser(name, help=action.summary, parents=[build()], add_help=False)
    return whole


def _find(action: str, function: str) -> Any:  # noqa: ANN401 - one of two kinds of function
    # Each action's imports are its own, so that `prompts --help` answers at once.
    return getattr(importlib.import_module(f"cli.prompts.{_ACTIONS[action].module}"), function)
