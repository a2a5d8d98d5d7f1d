"""``models show``: what a version was made from, how it merges, and where it stands."""

import argparse
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cli.arguments import Parser, TeachingFormatter
from cli.models.measurements import tell_merge
from cli.terminal_text import escape_json, make_visible
from flows.engine import PlainEngine
from flows.model_export import ModelFacts, read_facts
from flows.settings import read_settings
from schemas.manifest import TrainingManifest


def run_show(arguments: Sequence[str]) -> int:
    """Show one version; the last line on standard output is a JSON object."""
    given = build_show_parser().parse_args(list(arguments))
    facts = read_facts(given.model, read_settings(), PlainEngine())
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _lay_out(facts).items():
        table.add_row(name, make_visible(value))
    console.print(table)
    print(*tell_merge(facts.merge), sep="\n", file=sys.stderr)
    shown = {
        "folder": str(facts.folder),
        "manifest": facts.manifest.model_dump(mode="json"),
        "merge": facts.merge.model_dump(mode="json") if facts.merge else None,
        "champion": facts.is_champion,
        "verdict": facts.verdict,
    }
    print(escape_json(json.dumps(shown, ensure_ascii=False)))
    return 0


def build_show_parser() -> argparse.ArgumentParser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom models show",
        description="Show what a tuned student was made from, how it merges, and where it stands.",
        epilog="example:\n  pacaloom models show demo",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model", metavar="MODEL", help="NAME (its newest version), NAME/VERSION or a folder"
    )
    return parser


def _lay_out(facts: ModelFacts) -> dict[str, str]:
    one: TrainingManifest = facts.manifest
    rows = one.contract.rows
    trained = 100 * one.trainable_parameters / one.total_parameters
    standing = "champion" if facts.is_champion else facts.verdict or "not judged"
    return {
        "model": f"{one.name}/{one.version} ({standing})",
        "method": f"{one.method}, {one.steps} steps, template {one.template} {one.template_hash}",
        "base": f"{one.student}, weights {one.student_sha256[:16]}…",
        "dataset": f"{one.dataset}, {rows.get('train', 0):,} rows trained on, "
        f"{rows.get('validation', 0):,} held out",
        "held-out loss": f"{one.loss_before:.3f} before, {one.loss_after:.3f} after",
        "trained": f"{one.trainable_parameters:,} of {one.total_parameters:,} parameters "
        f"({trained:.1f} %)",
        "took": f"{one.train_seconds:,.0f} s, {one.peak_memory_mb:,.0f} MB",
        "folder": str(facts.folder),
        "merge": _tell_unmerged(facts),
    }


def _tell_unmerged(facts: ModelFacts) -> str:
    if facts.manifest.method == "full":
        return "nothing to merge: the folder holds all weights"
    if facts.manifest.method == "prompt_tuning":
        return "cannot be merged: trained embeddings stand before every prompt"
    return "measured:" if facts.merge else "not measured yet: export, serve or evaluate does it"
