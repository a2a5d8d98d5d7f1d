"""How idle the endpoint is while one answer of each round takes 20 times longer, by lag.

A fixed number of rounds is run against an endpoint where every n-th request is slow, n being the
size of a round: one in each, and nearly the last to be asked, which is the worst place. Idle is the
free capacity, 1 - mean(requests under way) / concurrency, over the steady part: from the second
fold to the last one. Beside it stands the share of that time with nothing under way at all. Both
are by the endpoint's own clock. A first row, without slow answers, shows what the client itself
needs from an answer to the next request.

A lag can only bridge what the rounds under way hold: the slow answer takes ``slow-factor`` times
the latency, a round (size / concurrency) times it, so the size has to exceed slow-factor times
concurrency for a lag of 1 to suffice. Rounds of a run grow until they hold 1,024.

    .venv/bin/python -m benchmarks.idle --rounds 10
"""

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.endpoint import ROOT, serving
from benchmarks.scripted.connection import Behaviour
from benchmarks.scripted.tally import Counts
from pipeline.generation.config import GenerationConfig
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, Task
from pipeline.generation.teacher.client import Teacher
from schemas.records import Draft
from tests.generation.scripted_run import MODEL, admit_whole, make_seeds

_STEADY_FROM = 2
_AIM = 0.05


class Idleness(NamedTuple):
    """Shares of the steady part."""

    free: float
    empty: float
    """With nothing under way."""
    seconds: float


def run(lag: int, slow_every: int, arguments: argparse.Namespace, folder: Path) -> Idleness:
    """Run the rounds with one lag, and no slow answer where ``slow_every`` is 0."""
    config = GenerationConfig(
        quota={"en": 10_000_000},
        prompts_per_round=arguments.round,
        lag=lag,
        concurrency=arguments.concurrency,
    )
    behaviour = Behaviour(
        latency_s=arguments.latency_ms / 1000,
        slow_factor=arguments.slow_factor,
        slow_every=slow_every,
    )
    with (
        serving(behaviour) as endpoint,
        Journal(folder / f"{lag}-{slow_every}.sqlite") as journal,
        Generation(
            Task(config, MODEL, make_seeds()),
            journal,
            lambda: Teacher(endpoint.base_url, MODEL, concurrency=arguments.concurrency),
            admit_whole,
            _forget,
        ) as generation,
    ):
        for _ in range(_STEADY_FROM):
            generation.advance()
        first = endpoint.counts()
        for _ in range(arguments.rounds - _STEADY_FROM):
            generation.advance()
        last = endpoint.counts()
    return compare(first, last, arguments.concurrency)


def compare(first: Counts, last: Counts, concurrency: int) -> Idleness:
    """Take the shares between two snapshots."""
    seconds = last.clock_s - first.clock_s
    return Idleness(
        1 - (last.work_s - first.work_s) / seconds / concurrency,
        1 - (last.busy_s - first.busy_s) / seconds,
        seconds,
    )


def _forget(_draft: Draft) -> None:
    """Keep no draft."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--round", type=int, default=512, help="prompts in a round")
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--latency-ms", type=float, default=100)
    parser.add_argument("--slow-factor", type=float, default=20)
    parser.add_argument("--lags", type=int, nargs="*", default=[0, 1, 2])
    arguments = parser.parse_args()
    if arguments.rounds <= _STEADY_FROM:
        parser.error(f"wanted more than {_STEADY_FROM} rounds, the first ones are not counted")
    (ROOT / "outputs").mkdir(exist_ok=True)
    print("| lag | slow answers | capacity free | nothing under way | seconds | aim |")
    print("|---|---|---|---|---|---|", flush=True)
    plans = [(1, 0), *((lag, arguments.round) for lag in arguments.lags)]
    with tempfile.TemporaryDirectory(dir=ROOT / "outputs") as name:
        for lag, slow_every in plans:
            idle = run(lag, slow_every, arguments, Path(name))
            aim = f"{_AIM:.0%}" if lag == 1 and slow_every else ""
            slow = "one a round" if slow_every else "none"
            print(
                f"| {lag} | {slow} | {idle.free:.1%} | {idle.empty:.1%} | {idle.seconds:.1f} "
                f"| {aim} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
