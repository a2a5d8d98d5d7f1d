"""``datasets push``: send a version to a Hugging Face Hub, or say exactly what would be sent."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from flows.pushing import PushOutcome, PushParams, push_dataset
from flows.settings import read_settings

_MOST_SHOWN = 30


def run_push(arguments: Sequence[str]) -> int:
    """Push one version; the last line on standard output is a JSON object."""
    given = build_push_parser().parse_args(list(arguments))
    outcome = push_dataset(PushParams(**vars(given)), read_settings())
    _print(outcome)
    print(escape_json(_to_json(outcome)))
    return 0


def build_push_parser() -> Parser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom datasets push",
        description="Send a dataset version to a repository of the Hugging Face Hub: all of it in\n"
        "one commit, tagged with the version. Without --yes nothing is sent, and what would be is\n"
        "shown. HF_TOKEN in the environment or .env gives write access.",
        epilog="examples:\n"
        "  pacaloom datasets push first --to me/first\n"
        "  pacaloom datasets push first/0001-0123456789ab --to me/first --yes\n"
        "  pacaloom datasets push first --to me/first --public --message 'First release' --yes",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "dataset", metavar="NAME", help="NAME for the newest version, NAME/VERSION, or a folder"
    )
    parser.add_argument("--to", required=True, metavar="OWNER/REPO", help="dataset repository")
    parser.add_argument("--yes", action="store_true", help="send it; otherwise only show the plan")
    parser.add_argument(
        "--public", action="store_true", help="let everybody read it; new ones are private"
    )
    parser.add_argument(
        "--with-journal",
        action="store_true",
        help="send all prompts and raw answers too, and the report that shows them",
    )
    parser.add_argument(
        "--with-review",
        action="store_true",
        help="send review.jsonl too, which holds readers' names",
    )
    parser.add_argument("--message", metavar="TEXT", help="title of the commit")
    parser.add_argument(
        "--endpoint", metavar="URL", help="address of the hub, in place of HF_ENDPOINT"
    )
    return parser


def _print(outcome: PushOutcome) -> None:
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    console.print(make_visible(_say_what(outcome)))
    console.print(_tabulate(outcome))
    if outcome.commit is None and not outcome.plan.is_tagged:
        if not outcome.has_token:
            console.print("HF_TOKEN is not set: a private repository of that name is not seen.")
        console.print("Nothing was sent: add --yes to send it.", style="bold")


def _say_what(outcome: PushOutcome) -> str:
    plan = outcome.plan
    if plan.is_tagged:
        return f"{outcome.reference} is already there: {outcome.url}"
    visibility = "private" if plan.is_private else "public"
    repository = f"a new {visibility} repository" if plan.makes_repository else visibility
    did = "would go" if outcome.commit is None else "went"
    return f"{outcome.reference} {did} to {outcome.target} ({repository})"


def _tabulate(outcome: PushOutcome) -> Table:
    plan = outcome.plan
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    rows = [
        *(("add", file.path, _size(file.size)) for file in plan.added),
        *(("change", file.path, _size(file.size)) for file in plan.changed),
        *(("remove", path, "") for path in plan.removed),
        *(("keep", file.path, "there already") for file in plan.unchanged),
    ]
    for what, path, note in rows[:_MOST_SHOWN]:
        table.add_row(what, Text(make_visible(path)), note)
    if len(rows) > _MOST_SHOWN:
        table.add_row("", f"and {len(rows) - _MOST_SHOWN} more files", "")
    # What came with a version that is there was decided when it was sent.
    for path, reason in () if plan.is_tagged else outcome.left_out:
        table.add_row("leave out", Text(make_visible(f"{path}: {reason}")), "")
    if plan.sent:
        count = len(plan.sent)
        table.add_row("together", f"{count} file{'s' * (count != 1)}", _size(plan.sent_bytes))
    return table


def _size(count: int) -> str:
    return f"{count:,} bytes"


def _to_json(outcome: PushOutcome) -> str:
    plan = outcome.plan
    return json.dumps(
        {
            "version": outcome.reference,
            "to": outcome.target,
            "url": outcome.url,
            "pushed": outcome.commit is not None and not plan.is_tagged,
            "already_there": plan.is_tagged,
            "commit": outcome.commit,
            "visibility": "private" if plan.is_private else "public",
            "new_repository": plan.makes_repository,
            "bytes": plan.sent_bytes,
            "added": [file.path for file in plan.added],
            "changed": [file.path for file in plan.changed],
            "removed": list(plan.removed),
            "unchanged": [file.path for file in plan.unchanged],
            "left_out": [left.path for left in outcome.left_out],
        },
        ensure_ascii=False,
    )
