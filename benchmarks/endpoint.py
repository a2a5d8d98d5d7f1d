"""A fast local OpenAI-compatible endpoint that injects faults, bills honestly and counts.

A process of its own on a free port of 127.0.0.1, so that it shares no interpreter with the client
that is measured; it ends with the process that started it. It answers about 5,000 requests a
second of one core. ``GET /counts`` tells what it was asked (see ``benchmarks.scripted.tally``).

    .venv/bin/python -m benchmarks.endpoint --port 0 --latency-ms 50 --faults 429=0.1 reset=0.02
"""

import argparse
import asyncio
import os
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.scripted.connection import Behaviour, Connection
from benchmarks.scripted.faults import Fault, FaultPlan
from benchmarks.scripted.tally import Counts, Tally

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = Behaviour()
_PARENT_CHECKED_EVERY_S = 0.2


class RunningEndpoint(NamedTuple):
    """Where the endpoint listens."""

    base_url: str
    """Ends in ``/v1``."""

    def counts(self) -> Counts:
        """Ask what it was asked so far."""
        return Counts.model_validate_json(self._fetch("/counts"))

    def forget(self) -> None:
        """Let it begin anew, counts and attempts; for when nothing is under way."""
        self._fetch("/forget", b"")

    def _fetch(self, path: str, body: bytes | None = None) -> bytes:
        url = self.base_url.removesuffix("/v1") + path
        # No proxy of the environment may stand between this machine and itself.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, data=body, timeout=60) as response:
            return response.read()


@contextmanager
def serving(
    behaviour: Behaviour = DEFAULT, *, cpu: int | None = None
) -> Generator[RunningEndpoint]:
    """Run the endpoint as a child process, on one processor if ``cpu`` names it."""
    command = [sys.executable, "-m", "benchmarks.endpoint", *_to_arguments(behaviour, cpu)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            base_url = child.stdout.readline().strip() if child.stdout else ""
            if not base_url:
                raise RuntimeError(f"the endpoint did not start: {' '.join(command)}")
            yield RunningEndpoint(base_url)
        finally:
            child.terminate()


async def serve(behaviour: Behaviour, port: int) -> None:
    """Print the base URL and serve until the parent is gone."""
    parent = os.getppid()  # before it is told the URL, and may end
    tally = Tally()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(behaviour, tally), "127.0.0.1", port, backlog=4096
    )
    host, bound_port = server.sockets[0].getsockname()
    print(f"http://{host}:{bound_port}/v1", flush=True)
    while os.getppid() == parent:
        await asyncio.sleep(_PARENT_CHECKED_EVERY_S)


def _to_arguments(behaviour: Behaviour, cpu: int | None) -> list[str]:
    plan = behaviour.faults
    arguments = [
        *("--latency-ms", str(behaviour.latency_s * 1000)),
        *("--slow-factor", str(behaviour.slow_factor)),
        *("--slow-every", str(behaviour.slow_every)),
        *("--retry-after-s", str(behaviour.retry_after_s)),
        *("--seed", str(plan.seed)),
        *("--faulty-attempts", str(plan.faulty_attempts)),
        *("--faults", *(f"{name}={share}" for name, share in plan.shares.items())),
    ]
    return arguments if cpu is None else [*arguments, "--cpu", str(cpu)]


def _read_share(text: str) -> tuple[Fault, float]:
    name, _, share = text.partition("=")
    try:
        return Fault(name), float(share)
    except ValueError as error:
        known = ", ".join(Fault)
        raise argparse.ArgumentTypeError(f"{text!r}: want NAME=SHARE of {known}") from error


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--latency-ms", type=float, default=DEFAULT.latency_s * 1000)
    parser.add_argument(
        "--faults",
        type=_read_share,
        nargs="*",
        default=[],
        metavar="NAME=SHARE",
        help=f"share of requests that meet a fault: {', '.join(Fault)}",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides which requests these are")
    parser.add_argument(
        "--faulty-attempts",
        type=int,
        default=DEFAULT.faults.faulty_attempts,
        help="requests of one question that may fail in transport",
    )
    parser.add_argument("--slow-factor", type=float, default=DEFAULT.slow_factor)
    parser.add_argument(
        "--slow-every", type=int, default=DEFAULT.slow_every, help="every n-th request is slow"
    )
    parser.add_argument("--retry-after-s", type=float, default=DEFAULT.retry_after_s)
    parser.add_argument("--cpu", type=int, help="run on this processor only")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    arguments = _make_parser().parse_args(argv)
    if arguments.cpu is not None:
        os.sched_setaffinity(0, {arguments.cpu})
    behaviour = Behaviour(
        latency_s=arguments.latency_ms / 1000,
        faults=FaultPlan(dict(arguments.faults), arguments.seed, arguments.faulty_attempts),
        slow_factor=arguments.slow_factor,
        slow_every=arguments.slow_every,
        retry_after_s=arguments.retry_after_s,
    )
    try:
        asyncio.run(serve(behaviour, arguments.port))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
