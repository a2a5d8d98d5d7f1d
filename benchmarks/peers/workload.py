"""What every client of ``benchmarks.throughput`` asks, and how it reports; standard library only.

Peers run in environments of their own, where our packages are not installed.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from typing import NamedTuple

MODEL = "scripted"
KEY = "sk-local"
MAX_TOKENS = 400
TEMPERATURE = 0.9
# As long as the prompts of our strategies, with their worked examples: 3 kB.
SYSTEM = (
    "You invent varied tasks for an assistant. Each is a JSON object with an instruction that is "
    "clear by itself, an input that is written out in full, and a correct, finished output. "
) * 17


class Workload(NamedTuple):
    """How much is asked of whom."""

    base_url: str
    requests: int
    concurrency: int


def ask_for(number: int) -> str:
    """Write the user's turn of one request; no two are alike."""
    return f"New task. Kind: question with a factual answer. Subject: {number}."


def check_answered(count: int, workload: Workload) -> None:
    """Make sure that a client is not fast because it lost answers."""
    if count != workload.requests:
        raise SystemExit(f"wanted {workload.requests:,} answers, got {count:,}")


def report(run: Callable[[Workload], None]) -> None:
    """Run on the first processor and print wall time, CPU time and peak memory as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("base_url")
    parser.add_argument("requests", type=int)
    parser.add_argument("concurrency", type=int)
    workload = Workload(**vars(parser.parse_args()))
    os.sched_setaffinity(0, {0})
    started, cpu = time.perf_counter(), _cpu_s()
    run(workload)
    wall_s = time.perf_counter() - started
    peak = max(resource.getrusage(who).ru_maxrss for who in _WHOM)
    print(json.dumps({"wall_s": wall_s, "cpu_s": _cpu_s() - cpu, "rss_mb": peak / 1024}))


# Some peers work in processes of their own, which count once they have ended.
_WHOM = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _cpu_s() -> float:
    usages = [resource.getrusage(who) for who in _WHOM]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
