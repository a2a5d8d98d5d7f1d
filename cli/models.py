"""``models``: the tuned students of each name, their verdicts, and who is champion."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from cli.arguments import Parser, TeachingFormatter
from flows.settings import read_settings
from flows.steps.evaluation import open_registry
from training.evaluation.registry import Registry


def run_models(arguments: Sequence[str]) -> int:
    """List tuned students, tell a name's history, promote a version, or roll back."""
    known = _build_parser().parse_args(list(arguments))
    registry = open_registry(read_settings())
    if known.action == "list":
        _print_models(registry, known.name)
    elif known.action == "history":
        _print_history(registry, known.name)
    else:
        now = datetime.now(UTC)
        if known.action == "promote":
            champion = registry.promote(known.name, known.version, now)
        else:
            champion = registry.rollback(known.name, now)
        print(json.dumps({"champion": f"{champion.name}/{champion.version}"}))
    return 0


def _build_parser() -> Parser:
    parser = Parser(
        prog="pacaloom models",
        description="List tuned students with their verdicts; a star marks the champion.\n"
        "`promote` needs the verdict promote; `rollback` returns to the champion before.",
        epilog="examples:\n  pacaloom models list\n"
        "  pacaloom models promote demo 0002-0123456789ab\n  pacaloom models rollback demo",
        formatter_class=TeachingFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all names, or one")
    listing.add_argument("name", nargs="?")
    promoting = actions.add_parser("promote", help="make a judged version the champion")
    promoting.add_argument("name")
    promoting.add_argument("version")
    rolling = actions.add_parser("rollback", help="give the name back to the champion before")
    rolling.add_argument("name")
    telling = actions.add_parser("history", help="promotions and rollbacks of a name")
    telling.add_argument("name")
    return parser


def _print_models(registry: Registry, name: str | None) -> None:
    for model in registry.models(name):
        champion = registry.champion(model.name)
        mark = "*" if champion and champion.version == model.version else " "
        verdict = model.verdict.verdict if model.verdict else "not judged"
        print(f"{mark} {model.name}/{model.version}  {verdict:<10}  {model.dataset}")


def _print_history(registry: Registry, name: str) -> None:
    for change in registry.history(name):
        print(f"{change.at:%Y-%m-%d %H:%M} UTC  {change.action:<8}  {name}/{change.version}")
