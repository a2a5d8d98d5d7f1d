"""``journal``: look into a journal, share it, and prove a dataset version by it."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json
from flows.engine import PlainEngine
from flows.paths import journal_path
from flows.settings import Settings, read_settings
from pipeline.generation.journal.exchange import ExportLine, export_journal, import_journal
from pipeline.generation.journal.reading import find_exchange
from pipeline.generation.journal.statistics import read_statistics


class _Action(NamedTuple):
    summary: str
    description: str
    examples: str


_ACTIONS = {
    "stats": _Action(
        "count answers and tokens by model, strategy and language",
        "Tokens are as the endpoint counted them; cost is what the ledgers of the runs say.",
        "  pacaloom journal stats first\n  pacaloom journal stats first | jq .by_strategy",
    ),
    "show": _Action(
        "show one prompt and its answer",
        "A record names its answer in provenance.completion_id; the first digits are enough.\n"
        "Control characters in a text are shown as signs, so that they do nothing.",
        "  pacaloom journal show first 3f9c\n"
        "  pacaloom journal show first 3f9c --json | jq -r .completion.text",
    ),
    "export": _Action(
        "write all prompts and answers as JSON lines, for someone else",
        "There is no key and no address in it, because a journal never holds any.",
        "  pacaloom journal export first first.jsonl.gz",
    ),
    "import": _Action(
        "add the answers of an export; those that are there stay",
        "Each line's key must be the hash of its prompt and model. If it is interrupted, run it\n"
        "again: it skips what it has.",
        "  pacaloom journal import first first.jsonl.gz\n"
        "  pacaloom generate --name first --quota en=20    (asks only what the export lacks)",
    ),
    "verify": _Action(
        "prove that a dataset version follows from its journal",
        "Generates again from the journal alone, curates again with the version's config, and\n"
        "compares the content hash. The first difference is named; exit status 1.",
        "  pacaloom journal verify first\n"
        "  pacaloom journal verify first/0001-0123456789ab --file my-seeds.jsonl",
    ),
}


def run_journal(arguments: Sequence[str]) -> int:
    """Run one of the actions; the last line on standard output is its JSON object."""
    known = build_journal_parser().parse_args(list(arguments))
    settings = read_settings()
    journal = _find_journal(known.name, settings)
    if known.action == "verify":
        outcome = _verify(known.name, known.file, settings)
    elif known.action == "stats":
        outcome = _count(journal)
    elif known.action == "show":
        outcome = _show(journal, known.id, known.json)
    elif known.action == "export":
        outcome = _export(journal, known.file)
    else:
        outcome = _import(journal, known.file)
    print(escape_json(outcome))
    return 0


def build_journal_parser() -> argparse.ArgumentParser:
    """Build the parser of the verb, with one below it for each action."""
    parser = Parser(
        prog="pacaloom journal",
        description="A journal holds every prompt and answer of a name; all else follows from it.\n"
        "Whoever has it rebuilds the dataset without a teacher.",
        epilog="examples:\n"
        + "\n".join(action.examples for action in _ACTIONS.values())
        + "\n\n`pacaloom journal ACTION --help` explains each.",
        formatter_class=TeachingFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, action in _ACTIONS.items():
        below = actions.add_parser(
            name,
            help=action.summary,
            description=f"{action.summary[0].upper()}{action.summary[1:]}.\n{action.description}",
            epilog=f"examples:\n{action.examples}",
            formatter_class=TeachingFormatter,
        )
        if name == "verify":
            below.add_argument("name", metavar="NAME[/VERSION]", help="default: the newest version")
            below.add_argument(
                "--file",
                metavar="FILE",
                type=Path,
                action="append",
                default=[],
                help="seed tasks or documents of its runs that are not where they were",
            )
            continue
        below.add_argument(
            "name", metavar="NAME", help="a run's name, or the path of a journal (FILE.sqlite)"
        )
        if name == "show":
            below.add_argument("id", metavar="ID", help="id of the answer, or its start")
            below.add_argument("--json", action="store_true", help="print the whole as JSON")
        elif name in ("export", "import"):
            below.add_argument(
                "file", metavar="FILE", type=Path, help="compressed when it ends in .gz"
            )
    return parser


def _find_journal(name: str, settings: Settings) -> Path:
    if "/" in name or name.endswith(".sqlite"):
        return Path(name).expanduser()
    return journal_path(settings.outputs, name)


def _count(journal: Path) -> str:
    from cli.journal_tables import print_statistics

    statistics = read_statistics(journal)
    print_statistics(statistics)
    return statistics.model_dump_json()


def _show(journal: Path, id_: str, as_json: bool) -> str:
    from cli.journal_tables import print_exchange

    stored = find_exchange(journal, id_)
    prompt, completion = stored.exchange
    if as_json:
        line = ExportLine(arrived_s=stored.arrived_s, prompt=prompt, completion=completion)
        return line.model_dump_json()
    print_exchange(stored)
    return json.dumps({"id": completion.id, "model": completion.model}, ensure_ascii=False)


def _export(journal: Path, target: Path) -> str:
    with PlainEngine().progress(f"export {journal.stem}") as progress:
        exported = export_journal(journal, target, progress)
    return json.dumps(
        {"file": str(target.absolute()), "exported": exported, "bytes": target.stat().st_size},
        ensure_ascii=False,
    )


def _import(journal: Path, source: Path) -> str:
    with PlainEngine().progress(f"import {source.name}") as progress:
        counts = import_journal(journal, source, progress)
    return json.dumps({"journal": str(journal.absolute()), **counts._asdict()}, ensure_ascii=False)


def _verify(reference: str, files: Sequence[Path], settings: Settings) -> str:
    # Curation's imports take a second, which the other actions need not pay.
    from flows.verification import verify

    engine = PlainEngine()
    proof = verify(reference, files, settings, engine)
    engine.say(
        f"{proof.dataset.name} follows from {proof.journal}: {proof.generated:,} drafts and "
        f"{proof.kept:,} kept records are the same."
    )
    return json.dumps(
        {
            "verified": True,
            "dataset": str(proof.dataset),
            "journal": str(proof.journal),
            "content_hash": proof.content_hash,
            "generated": proof.generated,
            "kept": proof.kept,
        },
        ensure_ascii=False,
    )
