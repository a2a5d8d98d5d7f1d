"""``metrics``: figures for Prometheus, on 127.0.0.1 or as text."""

import argparse
import json
import sys
from collections.abc import Sequence

from cli.arguments import ArgumentError, Parser, TeachingFormatter
from cli.terminal_text import make_visible
from flows.settings import read_settings

DEFAULT_PORT = 9464


def run_metrics(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C, which is how it is meant to end: status 0. With ``--once``, print."""
    given = build_metrics_parser().parse_args(list(arguments))
    try:
        # Parsing and --help need not pay for it.
        from flows.metrics.exporter import serve, write_once
    except ModuleNotFoundError as error:
        if error.name != "prometheus_client":
            raise
        raise ArgumentError(
            "metrics needs prometheus_client, which is not installed: pip install "
            "prometheus_client, or the extra `metrics`."
        ) from error
    settings = read_settings()
    if given.once:
        print(write_once(settings, _say), end="")
        return 0
    served = serve(settings, given.port, _say)
    print(
        f"Metrics of {settings.outputs} are served.\n\n"
        f"  curl -s {served.url}\n"
        "  prometheus --config.file=deploy/prometheus/prometheus.yml\n\n"
        "Ctrl-C stops it.",
        file=sys.stderr,
        flush=True,
    )
    print(json.dumps({"metrics": served.url}), flush=True)
    try:
        served.wait()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    finally:
        served.stop()
    return 0


def build_metrics_parser() -> Parser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom metrics",
        description="Serve figures for Prometheus on 127.0.0.1: requests, tokens, cost, latency,\n"
        "yield, rejections by reason, models, verdicts, Prefect's queue, disk. All are read from\n"
        "the outputs folder and, where there is one, from Prefect's server; runs need not know.\n"
        "The last line on standard output is a JSON object, printed when scrapes are answered.",
        epilog="examples:\n  pacaloom metrics\n  pacaloom metrics --port 9500\n"
        "  pacaloom metrics --once > /var/lib/node_exporter/pacaloom.prom",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="default: 9464; 0 takes any free one",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="print the figures and end, as for node_exporter's textfile collector",
    )
    return parser


def _say(message: str) -> None:
    print(f"pacaloom: {make_visible(' '.join(message.split()))}", file=sys.stderr, flush=True)


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"wanted a port from 0 to 65535, found {text!r}")
    return port
