"""``models list|history|promote|rollback``: verdicts, and who is champion."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from cli.arguments import Parser, TeachingFormatter
from flows.registry import open_registry
from flows.settings import read_settings
from training.evaluation.registered import RegisteredModel


def run_list(arguments: Sequence[str]) -> int:
    """List tuned students with their verdicts."""
    given = build_list_parser().parse_args(list(arguments))
    registry = open_registry(read_settings())
    for model in registry.models(given.name):
        champion = registry.champion(model.name)
        mark = "*" if champion and champion.version == model.version else " "
        verdict = model.verdict.verdict if model.verdict else "not judged"
        gone = f"  removed {model.removed_at:%Y-%m-%d}" if model.removed_at else ""
        print(f"{mark} {model.name}/{model.version}  {verdict:<10}  {model.dataset}{gone}")
    return 0


def run_history(arguments: Sequence[str]) -> int:
    """List a name's promotions and rollbacks."""
    name: str = build_history_parser().parse_args(list(arguments)).name
    for change in open_registry(read_settings()).history(name):
        print(f"{change.at:%Y-%m-%d %H:%M} UTC  {change.action:<8}  {name}/{change.version}")
    return 0


def run_promote(arguments: Sequence[str]) -> int:
    """Make a version the champion."""
    given = build_promote_parser().parse_args(list(arguments))
    registry = open_registry(read_settings())
    return _print_champion(registry.promote(given.name, given.version, datetime.now(UTC)))


def run_rollback(arguments: Sequence[str]) -> int:
    """Give a name back."""
    name: str = build_rollback_parser().parse_args(list(arguments)).name
    return _print_champion(open_registry(read_settings()).rollback(name, datetime.now(UTC)))


def build_list_parser() -> argparse.ArgumentParser:
    parser = _build("list", "List tuned students with their verdicts; a star marks the champion.")
    parser.add_argument("name", metavar="NAME", nargs="?", help="default: all names")
    return parser


def build_history_parser() -> argparse.ArgumentParser:
    parser = _build("history", "List promotions and rollbacks of a name.")
    parser.add_argument("name", metavar="NAME")
    return parser


def build_promote_parser() -> argparse.ArgumentParser:
    parser = _build(
        "promote",
        "Make a version the champion; it needs the verdict promote.",
        "example:\n  pacaloom models promote demo 0002-0123456789ab",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("version", metavar="VERSION")
    return parser


def build_rollback_parser() -> argparse.ArgumentParser:
    parser = _build("rollback", "Give a name back to the champion before the present one.")
    parser.add_argument("name", metavar="NAME")
    return parser


def _build(action: str, description: str, epilog: str = "") -> argparse.ArgumentParser:
    return Parser(
        prog=f"pacaloom models {action}",
        description=description,
        epilog=epilog,
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )


def _print_champion(champion: RegisteredModel) -> int:
    print(json.dumps({"champion": f"{champion.name}/{champion.version}"}))
    return 0
