"""``datasets export``: hand a version to a trainer, in the trainer's own format."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from flows.engine import PlainEngine
from flows.exporting import ExportRequest, export
from flows.settings import read_settings
from pipeline.publishing.exports.formats import FORMATS
from schemas.records import LANGUAGES

if TYPE_CHECKING:
    from pipeline.publishing.exports.writing import ExportReport


def run_export(arguments: Sequence[str]) -> int:
    """Export one version; the last line on standard output is a JSON object."""
    given = build_export_parser().parse_args(list(arguments))
    request = ExportRequest(
        dataset=given.dataset,
        formats=given.format,
        target=Path(given.to).expanduser(),
        split=given.split,
        language=given.language,
        force=given.force,
    )
    reports = export(request, read_settings(), PlainEngine())
    _print(reports)
    print(escape_json(_to_json(reports)))
    return 0


def build_export_parser() -> Parser:
    """Build the parser, also for completion."""
    width = max(len(format_.name) for format_ in FORMATS)
    table = "\n".join(
        f"  {one.name:{width}}  {one.summary}\n  {'':{width}}  for {one.reader}" for one in FORMATS
    )
    parser = Parser(
        prog="pacaloom datasets export",
        description="Write a version in the format of a trainer, train and validation apart. Each\n"
        "file is read back before it takes its place; SOURCE.json keeps version and licence.\n\n"
        f"formats:\n{table}",
        epilog="examples:\n"
        "  pacaloom datasets export first --format llama-factory --to first-lf\n"
        "  pacaloom datasets export first --format alpaca --format trl --to exports\n"
        "  pacaloom datasets export first/0001-0123456789ab --format koalpaca-v1.1a \\\n"
        "      --language ko --to first-ko",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("dataset", metavar="NAME", help="NAME, NAME/VERSION or a version's folder")
    parser.add_argument(
        "--format",
        action="append",
        required=True,
        metavar="FORMAT",
        help="one of the above; may be given more than once",
    )
    parser.add_argument(
        "--to",
        required=True,
        metavar="FOLDER",
        help="folder to write; several formats get a folder each in it",
    )
    parser.add_argument(
        "--split", choices=("train", "validation", "all"), default="all", help="default: all"
    )
    parser.add_argument("--language", choices=LANGUAGES, help="default: all")
    parser.add_argument(
        "--force",
        action="store_true",
        help="write into a folder that is not empty: replaces an earlier export, and only that",
    )
    return parser


def _print(reports: "Sequence[ExportReport]") -> None:
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    for report in reports:
        facts = Table.grid(padding=(0, 2))
        facts.add_column(style="dim", no_wrap=True)
        facts.add_column(overflow="fold")
        facts.add_row("files", "  ".join(report.files))
        facts.add_row("not in them", report.format.loss)
        counts = ", ".join(f"{count:,} {split}" for split, count in report.records.items())
        console.print(f"{report.format.name}: {counts} in {make_visible(str(report.folder))}")
        console.print(facts)
        # As it is, on a line of its own: to be copied.
        load = report.format.load(report.exported, str(report.folder))
        console.print(f"load it with\n  {make_visible(load)}", soft_wrap=True)


def _to_json(reports: "Sequence[ExportReport]") -> str:
    return json.dumps(
        {
            report.format.name: {
                "folder": str(report.folder),
                "files": list(report.files),
                "records": dict(report.records),
            }
            for report in reports
        },
        ensure_ascii=False,
    )
