"""``datasets list`` and ``datasets show``: what there is, and what is in it."""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from flows.catalogue import list_datasets
from flows.resources import find_dataset
from flows.settings import read_settings
from pipeline.publishing.versions import open_version
from schemas.manifest import DatasetManifest
from schemas.records import LANGUAGES

_WIDEST_NUMBER = len("1,000")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def build_list_parser() -> argparse.ArgumentParser:
    """Build the parser of ``datasets list``."""
    parser = Parser(
        prog="pacaloom datasets list",
        description="List all dataset versions, or those of a name, oldest first.",
        epilog="examples:\n  pacaloom datasets list\n  pacaloom datasets list ko-700",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="default: all names")
    return parser


def run_list(arguments: Sequence[str]) -> int:
    """Print a row a version."""
    known = build_list_parser().parse_args(list(arguments))
    listed = list_datasets(read_settings(), known.name)
    table = Table()
    for header in ("version", *LANGUAGES, "kept", "generated", "teacher", "licence"):
        is_number = header in (*LANGUAGES, "kept", "generated")
        table.add_column(
            header,
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=is_number or header == "version",
            # On a narrow terminal the other columns give way; numbers would vanish.
            min_width=_WIDEST_NUMBER if is_number else None,
        )
    for folder, manifest, _problem in listed:
        reference = f"{folder.parent.name}/{folder.name}"
        if manifest is None:
            table.add_row(reference, *[""] * 4, "unreadable", "")
            continue
        table.add_row(
            reference,
            *(f"{manifest.kept_by_language[language]:,}" for language in LANGUAGES),
            f"{manifest.kept:,}",
            f"{manifest.generated:,}",
            make_visible(", ".join(manifest.teachers)),
            make_visible(manifest.licence),
        )
    console = Console(stderr=True, highlight=False, markup=False)
    missing = f"No dataset version of {known.name!r}." if known.name else "No dataset version yet."
    console.print(
        table if listed else f"{make_visible(missing)} Make one with `./pacaloom retrain`."
    )
    # Below the table: in a column of it a path would be broken every few letters.
    for one in listed:
        if one.problem:
            console.print(make_visible(one.problem), soft_wrap=True)
    names = {"datasets": [str(one.folder) for one in listed]}
    print(escape_json(json.dumps(names, ensure_ascii=False)))
    return 0


def build_show_parser() -> argparse.ArgumentParser:
    """Build the parser of ``datasets show``."""
    parser = Parser(
        prog="pacaloom datasets show",
        description="Show what is in a version and where its card and report are.",
        epilog="examples:\n  pacaloom datasets show ko-700\n"
        "  pacaloom datasets show ko-700/0001-0123456789ab --card | less -R",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("dataset", metavar="NAME[/VERSION]|FOLDER")
    parser.add_argument("--card", action="store_true", help="print the whole card")
    return parser


def run_show(arguments: Sequence[str]) -> int:
    """Print a table of facts, or the card."""
    known = build_show_parser().parse_args(list(arguments))
    folder = find_dataset(known.dataset, read_settings())
    manifest = open_version(folder)
    if known.card:
        _print_card(folder)
        return 0
    _print_facts(folder, manifest)
    outcome = {
        "dataset": str(folder),
        "content_hash": manifest.content_hash,
        "generated": manifest.generated,
        "kept": manifest.kept,
        "rejected": manifest.rejected,
    }
    print(escape_json(json.dumps(outcome, ensure_ascii=False)))
    return 0


def _print_card(folder: Path) -> None:
    from rich.markdown import Markdown

    card = (folder / "README.md").read_text(encoding="utf-8")
    Console(highlight=False).print(Markdown(make_visible(_FRONT_MATTER.sub("", card))))


def _print_facts(folder: Path, manifest: DatasetManifest) -> None:
    table = Table(show_header=False, title=make_visible(f"{manifest.name} {manifest.version}"))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in _list_facts(folder, manifest):
        table.add_row(name, make_visible(value))
    Console(stderr=True, highlight=False, markup=False).print(table)


def _list_facts(folder: Path, manifest: DatasetManifest) -> list[tuple[str, str]]:
    kept = ", ".join(f"{lang} {manifest.kept_by_language[lang]:,}" for lang in LANGUAGES)
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in manifest.rejected.items())
    splits = ", ".join(f"{split} {count:,}" for split, count in manifest.splits.items())
    facts = [
        ("kept", f"{manifest.kept:,} of {manifest.generated:,} drafts ({kept})"),
        ("rejected", reasons or "none"),
        ("splits", f"{splits}, by {manifest.split_by}"),
        ("teacher", ", ".join(manifest.teachers) or "none"),
        ("strategies", ", ".join(manifest.strategies) or "none"),
        ("parents", ", ".join(parent.source for parent in manifest.parents)),
        ("held against", ", ".join(manifest.against)),
        ("licence", manifest.licence),
        ("content hash", manifest.content_hash),
        ("card", str(folder / "README.md")),
        ("report", str(folder / "report.html")),
    ]
    return [(name, value) for name, value in facts if value]
