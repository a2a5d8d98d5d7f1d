"""``models``: the tuned students: who is champion, what each is, and how to take one elsewhere."""

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cli.arguments import Parser, TeachingFormatter


class _Action(NamedTuple):
    """One action; ``cli.models.MODULE`` has ``build_NAME_parser`` and ``run_NAME``."""

    summary: str
    module: str


_ACTIONS = {
    "list": _Action("all names, or one, with verdicts; a star marks the champion", "history"),
    "show": _Action("one version: what it was made from, how it merges, where it stands", "show"),
    "export": _Action("write a version as a transformers folder or as GGUF", "export"),
    "promote": _Action("make a judged version the champion", "history"),
    "rollback": _Action("give the name back to the champion before", "history"),
    "aliases": _Action("show the champions to MLflow, as an alias", "aliases"),
    "history": _Action("promotions and rollbacks of a name", "history"),
}


def run_models(arguments: Sequence[str]) -> int:
    """Run one of the actions."""
    # Only the first word is read here: each action parses the rest.
    action = build_models_parser().parse_args(list(arguments[:1]) or ["--help"]).action
    run: Callable[[Sequence[str]], int] = _find(action, f"run_{action}")
    return run(arguments[1:])


def build_models_parser() -> argparse.ArgumentParser:
    """Build the parser of the verb, which knows its actions by name."""
    width = max(map(len, _ACTIONS))
    actions = "\n".join(f"  {name:<{width}}  {one.summary}" for name, one in _ACTIONS.items())
    parser = Parser(
        prog="pacaloom models",
        description="A tuned student is a folder that never changes: adapter or weights, card and\n"
        "manifest. Name it by NAME (its newest), NAME/VERSION or its folder.",
        epilog=f"actions:\n{actions}\n\n`pacaloom models ACTION --help` explains each.",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("action", choices=list(_ACTIONS), metavar="ACTION", help="see below")
    return parser


def build_whole_models_parser() -> argparse.ArgumentParser:
    """Build one parser with every action and all their flags, for completion only."""
    whole = argparse.ArgumentParser(prog="pacaloom models", add_help=False)
    actions = whole.add_subparsers()
    for name, action in _ACTIONS.items():
        build: Callable[[], argparse.ArgumentParser] = _find(name, f"build_{name}_parser")
        actions.add_parser(name, help=action.summary, parents=[build()], add_help=False)
    return whole


def _find(action: str, function: str) -> Any:  # noqa: ANN401 - one of two kinds of function
    # Each action's imports are its own, so that `models --help` answers at once.
    return getattr(importlib.import_module(f"cli.models.{_ACTIONS[action].module}"), function)
