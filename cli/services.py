"""``up`` and ``down``: the local Prefect server and worker."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import make_visible
from flows.settings import ROOT, read_settings
from schemas.errors import UserError

if TYPE_CHECKING:
    from flows.services.fault import Fault

DEFAULT_PORT = 4200


def run_up(arguments: Sequence[str]) -> int:
    """Start server, work pool, deployments and worker, and say how to use them."""
    from flows.services.checks import NotReadyError, find_faults
    from flows.services.deployment_file import list_next_starts
    from flows.services.local import up

    options = build_up_parser().parse_args(list(arguments))
    settings = read_settings()
    if options.check:
        return _tell(find_faults(settings, options.port))
    try:
        running = up(settings, options.port, _say)
    except NotReadyError as error:
        return _tell(error.faults)
    interface = running.api_url.removesuffix("/api")
    print(f"\nPrefect is up: {interface} (logs: {running.logs})\n")
    for name, start in list_next_starts(ROOT / "prefect.yaml"):
        print(make_visible(f"  {start:%a %d %b %H:%M} {start.tzinfo}  {name}"))
    print(
        "\nIn any shell:\n"
        f"  export PREFECT_API_URL={running.api_url}\n"
        f"  export PATH={sys.prefix}/bin:$PATH\n"
        "  prefect deployment run 'generate/nightly-ko' --watch\n"
        "  prefect deployment run 'retrain/demo' --watch\n\n"
        "Stop it with: make down"
    )
    return 0


def build_up_parser() -> Parser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom up",
        description="Start a Prefect server on 127.0.0.1, a process work pool, the deployments of\n"
        "prefect.yaml and a worker. What runs already is left alone. Port, memory, disk,\n"
        "versions, database and prefect.yaml are checked first: whatever is wrong is told,\n"
        "each in one line, and nothing is started.",
        epilog="examples:\n"
        "  pacaloom up\n"
        "  pacaloom up --port 4300\n"
        "  pacaloom up --check\n"
        "  PACALOOM_OUTPUTS=/data/outputs pacaloom up",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="port of the server")
    parser.add_argument("--check", action="store_true", help="check only, start nothing")
    return parser


def build_down_parser() -> Parser:
    """Build the parser, also for completion."""
    return Parser(
        prog="pacaloom down",
        description="Stop the worker of `up` and the flow runs it works on, then the server.\n"
        "Runs keep what they have: after `up`, `prefect flow-run retry` continues them.",
        formatter_class=TeachingFormatter,
    )


def _tell(faults: "Sequence[Fault]") -> int:
    for fault in faults:
        kind = "warning" if fault.is_warning else "error"
        print(f"pacaloom: {kind}: {make_visible(fault.text)}", file=sys.stderr)
    if not faults:
        print("Nothing stands in the way.", file=sys.stderr)
    return 0 if all(fault.is_warning for fault in faults) else UserError.exit_status


def run_down(arguments: Sequence[str]) -> int:
    """Stop what ``up`` started."""
    from flows.services.local import down

    build_down_parser().parse_args(list(arguments))
    down(read_settings(), _say)
    return 0


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 2**16:
        raise argparse.ArgumentTypeError(f"wanted a port from 1 to 65535, found {port}")
    return port


def _say(message: str) -> None:
    # Deployments and files have the names that people give them.
    print(make_visible(message), file=sys.stderr, flush=True)
