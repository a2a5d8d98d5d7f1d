"""``review``: read a dataset version in the browser, and accept, reject and edit its records."""

import getpass
import json
import secrets
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from cli.arguments import ArgumentError, Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from flows.engine import PlainEngine
from flows.paths import reviews_path
from flows.settings import read_settings
from schemas.manifest import DatasetManifest

_HIGHEST_PORT = 65535


def run_review(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C; the last line on standard output is a JSON object."""
    given = build_review_parser().parse_args(list(arguments))
    # The server's imports would slow `--help`.
    from flows.reviewing import open_review
    from pipeline.publishing.review.api import build_app
    from pipeline.publishing.review.door import lend_door
    from pipeline.publishing.review.server import listen, serve

    settings = read_settings()
    author = given.author if given.author is not None else _find_login_name()
    # First: a port that is taken need not wait for the page.
    with listen(given.port) as listener:
        manifest, session = open_review(given.dataset, author, settings, PlainEngine())
        port: int = listener.getsockname()[1]
        token = secrets.token_urlsafe()
        address = f"http://127.0.0.1:{port}/?token={token}"
        before = len(session.log.look())
        path = reviews_path(settings.outputs, manifest.name)
        _say(f"{session.dataset}: {len(session.languages)} records to read, as {author}.")
        _say(f"Decisions go to {path}. Open this address; Ctrl-C ends the review.\n\n  {address}\n")
        wants_browser = sys.stderr.isatty() and not given.no_browser
        with lend_door(address, path.parent) if wants_browser else nullcontext() as door:
            if door is not None:
                _open_browser(door)
            serve(build_app(session, token, port), listener)
    standing = session.log.look()
    _say(f"\n{_tell_next_step(manifest, len(standing))}")
    done = {"dataset": session.dataset, "decisions": str(path), "standing": len(standing)}
    print(escape_json(json.dumps(done | {"before": before}, ensure_ascii=False)))
    return 0


def build_review_parser() -> Parser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom review",
        description="Read a dataset version in the browser, and accept, reject and edit its "
        "records.\nDecisions are kept in outputs/reviews/NAME.jsonl; the next `pacaloom curate "
        "--name NAME`\napplies them as its last stage. The page is served on this machine alone, "
        "to whoever\nhas the address that is printed.",
        epilog="examples:\n"
        "  pacaloom review first\n"
        "  pacaloom review first/0002-0123456789ab --author 김서연\n"
        "  pacaloom review first --port 8765 --no-browser   on a remote machine; then, at home:\n"
        "                                                   ssh -L 8765:127.0.0.1:8765 MACHINE",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument(
        "dataset", metavar="PATH_OR_NAME", help="NAME, NAME/VERSION or a version's folder"
    )
    parser.add_argument(
        "--port",
        type=_parse_port,
        default=0,
        metavar="N",
        help="port of 127.0.0.1 (default: any free one)",
    )
    parser.add_argument(
        "--author", metavar="NAME", help="who decides (default: the name you are logged in with)"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address and open no browser"
    )
    return parser


def _parse_port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _HIGHEST_PORT:
        raise ArgumentError(f"--port is a number from 0 to {_HIGHEST_PORT}, found {text!r}.")
    return int(text)


def _find_login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise ArgumentError(
            "Decisions need an author, and this account has no login name. Say who decides with "
            "--author NAME."
        ) from error


def _open_browser(door: Path) -> None:
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    # This class itself runs text browsers, which would take the terminal; the others derive.
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(door.as_uri())


def _tell_next_step(manifest: DatasetManifest, count: int) -> str:
    if not count:
        return "Nothing is decided, so there is nothing to apply."
    decisions = "1 decision" if count == 1 else f"{count} decisions"
    command = f"./pacaloom curate --name {manifest.name}"
    source = "" if manifest.runs else ", with the flags that made it,"
    return f"Next: `{command}`{source} applies {decisions} in a new version."


def _say(text: str) -> None:
    print(make_visible(text), file=sys.stderr, flush=True)
