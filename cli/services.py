"""``up`` and ``down``: the local Prefect server and worker."""

import argparse
import sys
from collections.abc import Sequence

from cli.arguments import Parser, TeachingFormatter
from flows.settings import read_settings


def run_up(arguments: Sequence[str]) -> int:
    """Start server, work pool, deployments and worker, and say how to use them."""
    from flows.services import DEFAULT_PORT, up

    parser = Parser(
        prog="pacaloom up",
        description="Start a Prefect server on 127.0.0.1, a process work pool, the deployments of\n"
        "prefect.yaml and a worker. What runs already is left alone.",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="port of the server")
    settings = read_settings()
    running = up(settings, parser.parse_args(list(arguments)).port, _say)
    interface = running.api_url.removesuffix("/api")
    print(
        f"\nPrefect is up: {interface} (logs: {running.logs})\n\n"
        "In any shell:\n"
        f"  export PREFECT_API_URL={running.api_url}\n"
        f"  export PATH={sys.prefix}/bin:$PATH\n"
        "  prefect deployment run 'generate/nightly-ko' --watch\n"
        "  prefect deployment run 'retrain/demo' --watch\n\n"
        "Stop it with: make down"
    )
    return 0


def run_down(arguments: Sequence[str]) -> int:
    """Stop what ``up`` started."""
    from flows.services import down

    parser = Parser(prog="pacaloom down", description="Stop the server and worker of `up`.")
    parser.parse_args(list(arguments))
    down(read_settings(), _say)
    return 0


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 2**16:
        raise argparse.ArgumentTypeError(f"wanted a port from 1 to 65535, found {port}")
    return port


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
