"""Chat completions a second: our engine with its journal, against bare clients and peers.

All ask the same local endpoint, which answers after 50 ms from a process on a core of its own, for
the same number of completions at the same concurrency, from one other core. Ours syncs each answer
to disk before it is used; of the peers none does. Rates are by the endpoint's clock, from the first
request of the batch to the last answer, so that nobody pays for imports or setting up. Runs
alternate, and medians are shown.

Peers are installed with exact versions into environments of their own, ``.venv-peers/NAME``, on
the first run; one that cannot be installed or does not run is shown as such.

    .venv/bin/python -m benchmarks.throughput --requests 3000 --runs 3
"""

import argparse
import os
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from benchmarks.endpoint import ROOT, RunningEndpoint, serving
from benchmarks.peers.environments import PeerError, find_python

_OURS = "ours, journaled"
_UNJOURNALED = "ours, without journal"
_MOST_JOURNAL_SHARE = 0.10


class Client(NamedTuple):
    """One way to ask."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    environment: str = ""
    """Which of ``benchmarks/peers/*.txt`` it needs; empty for our own environment."""
    at_least: float | None = None
    """The aim: ours is to be so many times as fast."""


CLIENTS = [
    Client(_OURS, "ours"),
    Client(_UNJOURNALED, "ours", ("--without-journal",)),
    Client("raw aiohttp", "raw_aiohttp"),
    Client("openai, default transport", "openai_create", at_least=2.5),
    Client("openai, aiohttp", "openai_create", ("--aiohttp",)),
    Client("Curator, openai", "curator_llm", ("--backend=openai",), "curator", at_least=1.1),
    Client("Curator, litellm", "curator_llm", ("--backend=litellm",), "curator", at_least=4),
    Client("DataDesigner", "data_designer_column", (), "data_designer", at_least=4),
    Client("distilabel Pipeline", "distilabel_pipeline", (), "distilabel", at_least=4),
]


class _Report(BaseModel):
    """The last line that a client prints."""

    wall_s: float
    cpu_s: float
    rss_mb: float


class Figures(NamedTuple):
    """One run, or the medians of several."""

    rate: float
    """Answers a second."""
    cpu_s: float
    """A thousand answers."""
    rss_mb: float


def measure(client: Client, python: Path, arguments: argparse.Namespace) -> Figures:
    """Run one client against an endpoint of its own.

    Raises:
        PeerError: It failed, or did not ask everything.
    """
    endpoint_cpu = max(os.sched_getaffinity(0))
    with serving(cpu=endpoint_cpu) as endpoint:
        command = [
            *("env", *_SETTINGS, f"TIKTOKEN_CACHE_DIR={_find_tokenizers(python)}"),
            *(str(python), "-W", "ignore", "-m", f"benchmarks.peers.{client.module}"),
            *client.arguments,
            *(endpoint.base_url, str(arguments.requests), str(arguments.concurrency)),
        ]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise PeerError(ended.stderr.strip().rpartition("\n")[2][:200])
        try:
            read = _Report.model_validate_json(ended.stdout.strip().rpartition("\n")[2])
        except ValidationError as error:
            raise PeerError(f"printed no report: {ended.stdout[-200:]!r}") from error
        return Figures(
            arguments.requests / _find_span_s(endpoint, arguments.requests),
            read.cpu_s / arguments.requests * 1000,
            read.rss_mb,
        )


# No telemetry, no viewers, nothing that is looked for beyond this machine.
_SETTINGS = (
    "OPENAI_API_KEY=sk-local",
    "HF_HUB_OFFLINE=1",
    "DO_NOT_TRACK=1",
    "NEMO_TELEMETRY_ENABLED=false",
    "TELEMETRY_ENABLED=false",
    "CURATOR_VIEWER=false",
    "CURATOR_DISABLE_CACHE=1",
    "LITELLM_LOCAL_MODEL_COST_MAP=True",
)


def _find_tokenizers(python: Path) -> Path:
    """Name litellm's own copy of the token tables, which are else downloaded."""
    found = python.parents[1].glob("lib/*/site-packages/litellm/litellm_core_utils/tokenizers")
    return next(found, python.parent)


def _find_span_s(endpoint: RunningEndpoint, requests: int) -> float:
    """Seconds from the first of the latest ``requests`` questions to the last answer."""
    questions = [count for count in endpoint.counts().questions.values() if count.answered]
    # Some peers ask a question or two beforehand, to see whether the model answers.
    batch = sorted(questions, key=lambda count: count.first_asked_s)[-requests:]
    if len(batch) < requests:
        raise PeerError(f"asked {len(batch):,} of {requests:,} questions")
    return max(count.last_answered_s for count in batch) - batch[0].first_asked_s


def measure_all(arguments: argparse.Namespace) -> dict[Client, Figures | str]:
    """Alternate the clients; the median of each, or why there is none."""
    runs: dict[Client, list[Figures]] = {}
    failures: dict[Client, str] = {}
    chosen = [client for client in CLIENTS if _is_chosen(client, arguments.only)]
    for number in range(arguments.runs):
        for client in chosen:
            if client in failures:
                continue
            try:
                python = find_python(client.environment, arguments.environments)
                figures = measure(client, python, arguments)
            except PeerError as error:
                failures[client] = str(error)
                print(f"{client.name}: {error}", flush=True)
                continue
            print(f"run {number + 1}, {client.name}: {figures.rate:,.0f}/s", flush=True)
            runs.setdefault(client, []).append(figures)
    return {
        client: failures[client] if client in failures else _take_medians(runs[client])
        for client in chosen
    }


def _is_chosen(client: Client, only: Sequence[str]) -> bool:
    return not only or any(part in client.name for part in only)


def _take_medians(runs: list[Figures]) -> Figures:
    return Figures(*(statistics.median(values) for values in zip(*runs, strict=True)))


def print_table(results: dict[Client, Figures | str]) -> None:
    """Print each client, how much faster ours is, and what was aimed at."""
    by_name = {client.name: figures for client, figures in results.items()}
    ours = by_name.get(_OURS)
    print("\n| client | answers/s | CPU-s per 1,000 | RSS MB | ours is | aim |")
    print("|---|---|---|---|---|---|")
    for client, figures in results.items():
        if isinstance(figures, str):
            print(f"| {client.name} | not measured: {figures} | | | | |")
            continue
        times = f"{ours.rate / figures.rate:.2f} ×" if isinstance(ours, Figures) else ""
        aim = f"{client.at_least:g} ×" if client.at_least else ""
        print(
            f"| {client.name} | {figures.rate:,.0f} | {figures.cpu_s:.3f} | {figures.rss_mb:,.0f} "
            f"| {times} | {aim} |"
        )
    bare = by_name.get(_UNJOURNALED)
    if isinstance(ours, Figures) and isinstance(bare, Figures):
        share = 1 - ours.rate / bare.rate
        print(f"\nThe journal's share of the time: {share:.1%} (aim: {_MOST_JOURNAL_SHARE:.0%}).")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], help="parts of clients' names")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-peers")
    print_table(measure_all(parser.parse_args()))


if __name__ == "__main__":
    main()
