"""``datasets``: look at published versions, compare, prove, mix, export and push them."""

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cli.arguments import Parser, TeachingFormatter


class _Action(NamedTuple):
    """One action; ``cli.datasets.MODULE`` has ``build_NAME_parser`` and ``run_NAME``."""

    summary: str
    module: str


_ACTIONS = {
    "list": _Action("all versions, or those of a name", "listing"),
    "show": _Action("one version: what is in it, and where its card and report are", "listing"),
    "diff": _Action("what one version has that another has not, and why", "diff"),
    "verify": _Action("prove a version: files, counts, and the chain to its seed tasks", "verify"),
    "mix": _Action("draw a new version from versions and outside datasets", "mix"),
    "export": _Action("write a version in the formats that trainers read", "export"),
    "push": _Action("send a version to a Hugging Face repository", "push"),
}


def run_datasets(arguments: Sequence[str]) -> int:
    """Run one of the actions; the last line on standard output is its JSON object."""
    # Only the first word is read here: each action parses the rest.
    action = build_datasets_parser().parse_args(list(arguments[:1]) or ["--help"]).action
    run: Callable[[Sequence[str]], int] = _find(action, f"run_{action}")
    return run(arguments[1:])


def build_datasets_parser() -> argparse.ArgumentParser:
    """Build the parser of the verb, which knows its actions by name."""
    width = max(map(len, _ACTIONS))
    actions = "\n".join(f"  {name:<{width}}  {one.summary}" for name, one in _ACTIONS.items())
    parser = Parser(
        prog="pacaloom datasets",
        description="A dataset version is a folder that never changes: records, rejections, card,\n"
        "report and manifest. Name it by NAME (its newest), NAME/VERSION or its folder.",
        epilog=f"actions:\n{actions}\n\n`pacaloom datasets ACTION --help` explains each.",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("action", choices=list(_ACTIONS), metavar="ACTION", help="see below")
    return parser


def build_whole_datasets_parser() -> argparse.ArgumentParser:
    """Build one parser with every action and all their flags, for completion only."""
    whole = argparse.ArgumentParser(prog="pacaloom datasets", add_help=False)
    actions = whole.add_subparsers()
    for name, action in _ACTIONS.items():
        build: Callable[[], argparse.ArgumentParser] = _find(name, f"build_{name}_parser")
        actions.add_parser(name, help=action.summary, parents=[build()], add_help=False)
    return whole


def _find(action: str, function: str) -> Any:  # noqa: ANN401 - one of two kinds of function
    # Each action's imports are its own, so that `datasets --help` answers at once.
    return getattr(importlib.import_module(f"cli.datasets.{_ACTIONS[action].module}"), function)
