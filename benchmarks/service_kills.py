"""Kill a part of the services at a random moment of a run, start again, and continue the run.

A real server and worker, started by ``./pacaloom up``, and the deployment ``retrain/demo`` at a
small size: a scripted endpoint as the teacher, which counts what it is asked, and a tiny student.
Each cycle is a run of its own, killed once: the flow's process, the worker, the server, everything
at once, the embedded teacher (which then teaches), or a training process or its launcher (two then
train). Counted:
- runs that were completed after ``up`` and, where the run had ended, its retry;
- processes that were left behind by a run that had ended, a minute later;
- prompts whose answer was in the journal at the kill and that were sent again;
- datasets whose hash is another than that of an undisturbed run (of the same journal, where the
  embedded teacher taught, because its answers are not the same twice).

It goes on where an earlier call stopped: each cycle is a line of the results file.

    .venv/bin/python -m benchmarks.service_kills --kills 100
"""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from benchmarks.endpoint import ROOT, RunningEndpoint, serving
from benchmarks.kills import read_questions
from benchmarks.scripted.connection import Behaviour
from benchmarks.service_house import ENDED, TARGETS, House, Target, find_free_port, kill
from schemas.frozen import Frozen
from tests.finetuning.conftest import build_tiny_llama

_DEPLOYMENT = "retrain/demo"
_LONGEST_S = 600.0
_LONGEST_WAIT_FOR_TARGET_S = 120.0
_RERUNS = 3
_SECOND_REPORT_S = 2.0
_WARMING = 9999
_LATENCY_S = 0.25


class Cycle(Frozen):
    """What one kill did."""

    number: int
    target: Target
    moment_s: float
    """Seconds into the run, or after its target appeared."""
    stage: str
    """The last task that had begun."""
    after_kill: str
    """State in which the killed run was found after ``up``, and its message."""
    is_complete: bool
    reruns: int
    orphans: int
    journaled: int
    sent_again: int
    is_same_dataset: bool
    seconds: float


class Bench(NamedTuple):
    """What all cycles share."""

    house: House
    endpoint: RunningEndpoint
    student: Path
    whole_s: float
    dataset: str
    """Hash of the undisturbed run's."""


def make_params(name: str, student: Path, target: Target) -> dict[str, Any]:
    """Return the parameters of a run; those of a target differ where it would not exist."""
    is_taught_here = target == "teacher"
    return {
        "name": name,
        "model": "smollm2-135m" if is_taught_here else "scripted",
        # The embedded teacher is slow, and some of what it writes is dropped.
        "quota": {"en": 6 if is_taught_here else 12},
        "max_requests": 40,
        "concurrency": 2,
        "student": str(student),
        "method": "lora",
        "max_steps": 6,
        "save_steps": 2,
        "min_rows": 2,
        # The embedded teacher may write more than the tiny student can read.
        "on_overlong": "drop",
        "processes": 2 if target in ("training", "launcher") else 1,
        "task": ["topic-en"],
        "shots": [0],
        "draws": 1,
        "limit": 2,
    }


def start_run(
    house: House, endpoint: RunningEndpoint, student: Path, n: int, target: Target
) -> str:
    """Start the run of a cycle and wait until a worker has taken it."""
    teacher = {"OPENAI_BASE_URL": endpoint.base_url, "OPENAI_API_KEY": "none"}
    run_id = house.start_run(
        _DEPLOYMENT,
        make_params(name_run(n), student, target),
        {} if target == "teacher" else teacher,
    )
    deadline = time.monotonic() + _LONGEST_WAIT_FOR_TARGET_S
    while house.read_state(run_id).type == "SCHEDULED":
        if time.monotonic() > deadline:
            raise RuntimeError(f"no worker took run {run_id}")
        time.sleep(0.1)
    return run_id


def name_run(number: int) -> str:
    """Name the drafts, dataset and student of a cycle."""
    return f"k{number:04d}"


def run_cycle(bench: Bench, number: int, target: Target, draw: random.Random) -> Cycle | None:
    """Kill one run once and bring it to its end; None when it had ended before the kill."""
    house = bench.house
    bench.endpoint.forget()
    began = time.monotonic()
    run_id = start_run(house, bench.endpoint, bench.student, number, target)
    moment_s = await_moment(bench, run_id, target, draw)
    if house.read_state(run_id).type in ENDED:
        return None
    kill(house.find(target))
    if target in ("worker", "server", "everything"):
        house.up()
    state = house.await_end(run_id, _LONGEST_S)
    stage = house.read_stage(run_id)
    orphans = house.await_no_strangers()
    # Prefect's worker reports a crash a second time, after the hooks that the wait above was for:
    # a run that was continued before that is called Crashed while it works.
    time.sleep(_SECOND_REPORT_S)
    answered = read_questions(journal_of(house, number))
    before = bench.endpoint.counts().questions
    was_complete = state.type == "COMPLETED"
    after_kill = f"{state.type}: {state.message}"
    reruns = 0
    while state.type != "COMPLETED" and reruns < _RERUNS:
        reruns += 1
        house.continue_run(run_id)
        state = house.await_end(run_id, _LONGEST_S)
        orphans += house.await_no_strangers()
        time.sleep(_SECOND_REPORT_S)
    after = bench.endpoint.counts().questions
    asked_before = {
        one: 1 if was_complete else before[one].asked for one in answered if one in after
    }
    return Cycle(
        number=number,
        target=target,
        moment_s=round(moment_s, 2),
        stage=stage,
        after_kill=after_kill,
        is_complete=state.type == "COMPLETED",
        reruns=reruns,
        orphans=orphans,
        journaled=len(answered),
        sent_again=sum(after[one].asked - count for one, count in asked_before.items()),
        is_same_dataset=is_same_dataset(bench, number, target),
        seconds=round(time.monotonic() - began, 1),
    )


def await_moment(bench: Bench, run_id: str, target: Target, draw: random.Random) -> float:
    """Wait for the drawn moment: in the run's life, or in that of a target that comes and goes."""
    longest_s = bench.whole_s
    if target in ("teacher", "training", "launcher"):
        longest_s = 8.0
        deadline = time.monotonic() + _LONGEST_WAIT_FOR_TARGET_S
        while not bench.house.find(target) and time.monotonic() < deadline:
            if bench.house.read_state(run_id).type in ENDED:
                break
            time.sleep(0.1)
    moment_s = draw.uniform(0, longest_s)
    time.sleep(moment_s)
    return moment_s


def journal_of(house: House, number: int) -> Path:
    """Name the journal of a cycle."""
    return house.outputs / "journals" / f"{name_run(number)}.sqlite"


def is_same_dataset(bench: Bench, number: int, target: Target) -> bool:
    """Compare with what an undisturbed run publishes."""
    found = read_datasets(bench.house.outputs, name_run(number))
    if target == "teacher":
        return found == [replay(bench, number)]
    return found == [bench.dataset]


def read_datasets(outputs: Path, name: str) -> list[str]:
    """Read the hashes of the versions of a dataset."""
    manifests = sorted((outputs / "datasets" / name).glob("*/manifest.json"))
    return [json.loads(one.read_bytes())["content_hash"] for one in manifests]


def replay(bench: Bench, number: int) -> str:
    """Make the dataset of a journal again, in one undisturbed go; no request is made for it."""
    name = name_run(number)
    params = make_params(name, bench.student, "teacher")
    with tempfile.TemporaryDirectory(dir=bench.house.outputs.parent) as folder:
        house = bench.house._replace(outputs=Path(folder))
        journal_of(house, number).parent.mkdir()
        shutil.copy(journal_of(bench.house, number), journal_of(house, number))
        for arguments in (
            ("generate", "--model", params["model"], "--quota", f"en={params['quota']['en']}",
             "--max-requests", str(params["max_requests"]), "--concurrency", "2"),
            ("curate",),
        ):  # fmt: skip
            command = [str(ROOT / "pacaloom"), arguments[0], "--name", name, *arguments[1:]]
            subprocess.run(
                command,
                env=house.environment(),
                check=True,
                capture_output=True,
                timeout=_LONGEST_S,
            )
        return read_datasets(house.outputs, name)[0]


def measure_undisturbed(house: House, endpoint: RunningEndpoint, student: Path) -> Bench:
    """Run without a kill, the second time for the duration: the first one fills the caches."""
    for number in (_WARMING, 0):
        endpoint.forget()
        run_id = start_run(house, endpoint, student, number, "flow")
        began = time.monotonic()
        state = house.await_end(run_id, _LONGEST_S)
        if state.type != "COMPLETED":
            raise RuntimeError(f"an undisturbed run ended {state.type}: {state.message}")
    [dataset] = read_datasets(house.outputs, name_run(0))
    return Bench(house, endpoint, student, time.monotonic() - began, dataset)


def read_results(path: Path) -> list[Cycle]:
    """Read the cycles of earlier calls."""
    if not path.exists():
        return []
    try:
        return [Cycle.model_validate_json(line) for line in path.read_bytes().splitlines()]
    except ValidationError as error:
        raise SystemExit(f"{path} holds no cycles of this version: {error}") from error


def run_cycles(bench: Bench, arguments: argparse.Namespace) -> list[Cycle]:
    """Go on until there are as many kills as were asked for."""
    cycles = read_results(arguments.results)
    number = max((cycle.number for cycle in cycles), default=0)
    while len(cycles) < arguments.kills:
        number += 1
        draw = random.Random(f"{arguments.seed}/{number}")  # noqa: S311 - moments, no secrets
        cycle = run_cycle(bench, number, draw.choice(arguments.targets), draw)
        if cycle is None:
            continue
        with arguments.results.open("a", encoding="utf-8") as file:
            file.write(cycle.model_dump_json() + "\n")
        cycles.append(cycle)
        left_s = (arguments.kills - len(cycles)) * sum(c.seconds for c in cycles) / len(cycles)
        verdict = "ok" if is_good(cycle) else "NOT OK"
        print(
            f"{len(cycles)} of {arguments.kills}, {left_s / 60:.0f} min left: {cycle.target} at "
            f"{cycle.moment_s:.1f} s in {cycle.stage or 'its start'}, {cycle.seconds:.0f} s, "
            f"{verdict} ({cycle.after_kill[:90]})",
            flush=True,
        )
    return cycles


def is_good(cycle: Cycle) -> bool:
    """Tell whether a kill did no harm."""
    is_clean = not cycle.orphans and not cycle.sent_again
    return cycle.is_complete and is_clean and cycle.is_same_dataset


def print_table(cycles: list[Cycle]) -> None:
    """Print a line a target, and one for all."""
    columns = (
        *("killed", "kills", "completed", "reruns", "orphans", "answers journaled at the kill"),
        *("sent again", "same dataset", "s a cycle"),
    )
    print(f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name in (*TARGETS, "all"):
        some = [cycle for cycle in cycles if name in (cycle.target, "all")]
        if not some:
            continue
        print(
            f"| {name} | {len(some)} | {sum(c.is_complete for c in some)} "
            f"| {sum(c.reruns for c in some)} | {sum(c.orphans for c in some)} "
            f"| {sum(c.journaled for c in some)} | {sum(c.sent_again for c in some)} "
            f"| {sum(c.is_same_dataset for c in some)} "
            f"| {sum(c.seconds for c in some) / len(some):.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0, help="decides targets and moments")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=TARGETS)
    parser.add_argument("--results", type=Path, default=ROOT / "outputs" / "service_kills.jsonl")
    arguments = parser.parse_args()
    # As Ctrl-C does: the services that were started end with the benchmark.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    cycles = read_results(arguments.results)
    if len(cycles) < arguments.kills:
        with (
            tempfile.TemporaryDirectory(prefix="kills-") as folder,
            serving(Behaviour(latency_s=_LATENCY_S)) as endpoint,
        ):
            house = House(Path(folder) / "outputs", find_free_port())
            try:
                house.up()
                student = Path(folder) / "student"
                student.mkdir()
                bench = measure_undisturbed(house, endpoint, build_tiny_llama(student))
                print(f"An undisturbed run takes {bench.whole_s:.0f} s.", flush=True)
                cycles = run_cycles(bench, arguments)
            finally:
                house.down()
    print_table(cycles)
    sys.exit(0 if all(map(is_good, cycles)) else 1)


if __name__ == "__main__":
    main()
