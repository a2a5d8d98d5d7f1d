"""``datasets verify``: prove a version as far as this machine can, and name the first break."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from flows.engine import PlainEngine
from flows.settings import read_settings

if TYPE_CHECKING:
    from flows.links import State
    from flows.proof import Proof

_SIGNS: "dict[State, tuple[str, str]]" = {
    "proven": ("✓", "green"),
    "broken": ("✗", "bold red"),
    "not here": ("?", "yellow"),
    "not asked": ("·", "dim"),
}


def build_verify_parser() -> argparse.ArgumentParser:
    """Build the parser of ``datasets verify``."""
    parser = Parser(
        prog="pacaloom datasets verify",
        description="Prove a version link by link: every file's hash, the content hash and counts\n"
        "of its tables, readers' decisions, parents of a mixture, and for each record the answer,\n"
        "its prompt and their seed tasks; then generate and curate it again from the journal.\n"
        "The first link that is broken is named; exit status 1. What is not on this machine, such\n"
        "as the journal of a version that somebody sent you, is told apart; exit status 0.",
        epilog="examples:\n"
        "  pacaloom datasets verify first\n"
        "  pacaloom datasets verify first/0001-0123456789ab --file my-seeds.jsonl\n"
        "  pacaloom datasets verify ~/downloads/0001-0123456789ab --files-only",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("dataset", metavar="NAME[/VERSION]|FOLDER", help="NAME is its newest")
    parser.add_argument(
        "--files-only",
        action="store_true",
        help="look at files and tables alone: a second for 10,000 records",
    )
    parser.add_argument(
        "--file",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="seed tasks or documents of its runs that are not where they were",
    )
    return parser


def run_verify(arguments: Sequence[str]) -> int:
    """Prove a version; 1 where a link is broken."""
    known = build_verify_parser().parse_args(list(arguments))
    # Curation's imports take a second, which --help need not pay.
    from flows.proof import prove

    proof = prove(
        known.dataset, known.file, read_settings(), PlainEngine(), files_only=known.files_only
    )
    _print(proof)
    print(escape_json(_to_json(proof)))
    return 0 if proof.first_break is None else 1


def _print(proof: "Proof") -> None:
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    table = Table(show_header=False, box=None)
    console.print(make_visible(str(proof.folder)), soft_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, state, detail in proof.links:
        sign, style = _SIGNS[state]
        table.add_row(sign, name, make_visible(detail or state), style=style)
    console.print(table)
    console.print(_sum_up(proof), soft_wrap=True)


def _sum_up(proof: "Proof") -> str:
    broken = proof.first_break
    if broken is not None:
        return (
            f"Broken at {broken.name}. Bring back a copy of the version, or publish it again with "
            "`./pacaloom curate`: a new version never changes an old one."
        )
    open_ones = [link.name for link in proof.links if link.state != "proven"]
    if not open_ones:
        return "Proven from its files to its seed tasks."
    return f"Nothing is wrong. Not proven here: {', '.join(open_ones)}."


def _to_json(proof: "Proof") -> str:
    broken = proof.first_break
    open_ones = [one.name for one in proof.links if one.state not in ("proven", "broken")]
    return json.dumps(
        {
            "verified": broken is None,
            "dataset": str(proof.folder),
            "content_hash": proof.manifest.content_hash,
            "first_break": broken._asdict() if broken else None,
            "not_proven": open_ones,
            "links": [link._asdict() for link in proof.links],
        },
        ensure_ascii=False,
    )
