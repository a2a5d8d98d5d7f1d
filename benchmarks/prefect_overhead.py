"""What Prefect costs a generation run: the same run as a plain call and as a Prefect flow.

Both are whole commands, ``./pacaloom generate``, with the same parameters against the same local
endpoint; the second has a real server (``./pacaloom up`` in a folder of its own), for which
every part of about a minute is a task, and lines, progress and artifacts are requests. Runs
alternate, and medians are shown. ``asking`` is the time from the first request at the endpoint to
the last answer, ``command`` the time of the whole process, in which Prefect's import counts.
Answers take 0.5 s and every tenth 1 s, which few teachers are quick enough for; a slower one makes
the run longer and Prefect's share smaller.

    .venv/bin/python -m benchmarks.prefect_overhead --records 10000 --runs 2
"""

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.endpoint import ROOT, RunningEndpoint, serving
from benchmarks.scripted.connection import Behaviour

_BEHAVIOUR = Behaviour(latency_s=0.5, slow_factor=2.0, slow_every=10)
_MOST_OVERHEAD = 0.03
_MOST_TASK_RUNS = 300
_PLAIN = "plain call"
_PREFECT = "Prefect flow"


class Figures(NamedTuple):
    """One run, or the medians of several."""

    command_s: float
    asking_s: float
    cpu_s: float
    """Of the command and its children."""
    server_cpu_s: float
    """Of Prefect's server meanwhile."""
    task_runs: float


class Server(NamedTuple):
    """Prefect's, with its worker."""

    api_url: str
    processes: list[psutil.Process]

    def count_task_runs(self) -> int:
        """Ask for those of the latest flow run."""
        newest = {"sort": "EXPECTED_START_TIME_DESC", "limit": 1}
        state = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        found = json.loads(self._ask("/flow_runs/filter", {**newest, **state}))
        chosen = {"flow_runs": {"id": {"any_": [found[0]["id"]]}}}
        return int(self._ask("/task_runs/count", chosen))

    def read_cpu_s(self) -> float:
        times = [process.cpu_times() for process in self.processes]
        return sum(one.user + one.system for one in times)

    def _ask(self, path: str, body: object) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.api_url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return response.read()


@contextmanager
def running_server(outputs: Path) -> Generator[Server]:
    """Bring server and worker up on a free port, and down again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _call(["up", "--port", str(port)], {"PACALOOM_OUTPUTS": str(outputs)})
    try:
        notes = [json.loads(note.read_text()) for note in (outputs / "prefect").glob("*.json")]
        processes = [psutil.Process(note["pid"]) for note in notes if "pid" in note]
        yield Server(f"http://127.0.0.1:{port}/api", processes)
    finally:
        _call(["down"], {"PACALOOM_OUTPUTS": str(outputs)})


def measure(
    name: str, server: Server | None, endpoint: RunningEndpoint, outputs: Path, records: int
) -> Figures:
    """Run one command; with a server as its flow, otherwise as a plain call."""
    endpoint.forget()
    environment = {
        "OPENAI_BASE_URL": endpoint.base_url,
        "PACALOOM_OUTPUTS": str(outputs),
        **({"PREFECT_API_URL": server.api_url} if server else {}),
    }
    korean = records // 2
    arguments = [
        *("generate", "--name", name, "--model", "scripted", "--concurrency", "64"),
        *("--quota", f"en={records - korean},ko={korean}"),
        *(["--prefect"] if server else []),
    ]
    server_before = server.read_cpu_s() if server else 0.0
    before, started = _read_child_cpu_s(), time.monotonic()
    _call(arguments, environment)
    command_s = time.monotonic() - started
    counts = endpoint.counts().questions.values()
    asking_s = max(one.last_answered_s for one in counts) - min(one.first_asked_s for one in counts)
    return Figures(
        command_s,
        asking_s,
        _read_child_cpu_s() - before,
        server.read_cpu_s() - server_before if server else 0.0,
        server.count_task_runs() if server else 0,
    )


def _call(arguments: Sequence[str], environment: dict[str, str]) -> None:
    settings = [f"{name}={value}" for name, value in environment.items()]
    command = ["env", *settings, sys.executable, "-m", "cli", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {ended.stderr.strip()[-600:]}")


def _read_child_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def print_table(runs: dict[str, list[Figures]]) -> None:
    """Print both, what Prefect adds, and what was aimed at."""
    medians = {
        name: Figures(*(statistics.median(values) for values in zip(*figures, strict=True)))
        for name, figures in runs.items()
    }
    print("\n| engine | command s | asking s | CPU-s | server's CPU-s | task runs |")
    print("|---|---|---|---|---|---|")
    for name, one in medians.items():
        print(
            f"| {name} | {one.command_s:.1f} | {one.asking_s:.1f} | {one.cpu_s:.1f} "
            f"| {one.server_cpu_s:.1f} | {one.task_runs:.0f} |"
        )
    plain, flow = medians[_PLAIN], medians[_PREFECT]
    print(
        f"\nPrefect adds {flow.command_s / plain.command_s - 1:+.1%} to the command and "
        f"{flow.asking_s / plain.asking_s - 1:+.1%} to the asking (aim: under "
        f"{_MOST_OVERHEAD:.0%}), with {flow.task_runs:.0f} task runs (aim: under "
        f"{_MOST_TASK_RUNS})."
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=10_000, help="kept ones, half Korean")
    parser.add_argument("--runs", type=int, default=2, help="of each engine")
    arguments = parser.parse_args()
    runs: dict[str, list[Figures]] = {_PLAIN: [], _PREFECT: []}
    with tempfile.TemporaryDirectory() as folder, serving(_BEHAVIOUR) as endpoint:
        outputs = Path(folder)
        with running_server(outputs) as server:
            for number in range(arguments.runs):
                for engine, its_server in ((_PLAIN, None), (_PREFECT, server)):
                    name = f"run-{number}-{'flow' if its_server else 'plain'}"
                    figures = measure(name, its_server, endpoint, outputs, arguments.records)
                    runs[engine].append(figures)
                    load = os.getloadavg()[0]
                    print(
                        f"{engine}: {figures.command_s:.1f} s, asking {figures.asking_s:.1f} s, "
                        f"{figures.cpu_s:.1f} CPU-s (load {load:.1f})",
                        flush=True,
                    )
    print_table(runs)


if __name__ == "__main__":
    main()
