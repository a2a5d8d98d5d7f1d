"""Kill a run with SIGKILL at a random moment and continue it: nothing is lost or paid for twice.

Each cycle is a run of its own: a mixture of strategies in both languages, with the real client on
a real journal, against an endpoint that injects faults of every kind. The process that generates
is killed at a moment drawn evenly over the time that an undisturbed run takes, and the run is
continued to its end. Counted are
- prompts whose answer was in the journal at the kill and that were sent again;
- journals that fail ``PRAGMA integrity_check`` after the kill or at the end;
- runs whose final bytes, drafts and admitted records, differ from an undisturbed run's.

    .venv/bin/python -m benchmarks.kills --kills 300
"""

import argparse
import asyncio
import multiprocessing
import random
import sqlite3
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from benchmarks.endpoint import ROOT, RunningEndpoint, serving
from benchmarks.scripted.connection import Behaviour
from benchmarks.scripted.faults import Fault, FaultPlan
from benchmarks.scripted.question import name_prompt
from pipeline.generation.budget.budget import Budget
from pipeline.generation.config import GenerationConfig
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, Task
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.waiting import Clock
from schemas.exchange import Prompt
from schemas.records import Draft, InstructionRecord, Rejection
from tests.generation.scripted_run import MODEL, admit_whole, make_seeds

_SHARE = 0.015
"""Of each fault: together every sixth request. Hangs are left out, each costs a timeout."""
_FAULTS = {fault: _SHARE for fault in Fault if fault is not Fault.HANG}
_CONFIG = GenerationConfig(
    quota={"en": 50, "ko": 30},
    mix={"structured": 0.4, "alpaca": 0.2, "self_instruct": 0.2, "evolve": 0.1, "topics": 0.1},
    random_seed=7,
    concurrency=16,
)
# Pauses between retries would be most of a cycle, and moments in which little can go wrong.
_HASTE = Clock(sleep=lambda seconds: asyncio.sleep(seconds / 20))


class Cycle(NamedTuple):
    """What one kill did."""

    was_killed: bool
    """False: the run had ended before."""
    journaled: int
    """Answers in the journal when it was killed."""
    sent_again: int
    is_sound: bool
    is_identical: bool


def generate(journal_path: Path, base_url: str, output: Path) -> None:
    """Run or continue to the end, in this process, and write all that was made."""
    lines: list[str] = []

    def admit(draft: Draft) -> InstructionRecord | Rejection:
        verdict = admit_whole(draft)
        lines.append(verdict.model_dump_json())
        return verdict

    with Journal(journal_path) as journal:
        commits = GroupCommits(journal)
        budget = Budget(ledger=RunLedger(commits, "kills"), spent=journal.read_spending("kills"))
        with Generation(
            Task(_CONFIG, MODEL, make_seeds()),
            journal,
            lambda: Teacher(
                base_url, MODEL, concurrency=_CONFIG.concurrency, timeout_s=20, clock=_HASTE
            ),
            admit,
            lambda draft: lines.append(draft.model_dump_json()),
            budget=budget,
            commits=commits,
        ) as generation:
            while generation.advance() is not None:
                pass
            lines.append(generation.result.stopped_because)
    output.write_text("\n".join(lines), encoding="utf-8")


def start(folder: Path, endpoint: RunningEndpoint) -> BaseProcess:
    """Start or continue the run of a folder; forked, so that no cycle waits for imports."""
    arguments = (folder / "journal.sqlite", endpoint.base_url, folder / "made.jsonl")
    child = multiprocessing.get_context("fork").Process(target=generate, args=arguments)
    child.start()
    return child


def finish(folder: Path, endpoint: RunningEndpoint) -> bytes:
    """Run to the end; return what was made."""
    child = start(folder, endpoint)
    child.join()
    if child.exitcode != 0:
        raise RuntimeError(f"the run in {folder} ended with status {child.exitcode}")
    return (folder / "made.jsonl").read_bytes()


def kill_and_continue(
    folder: Path, endpoint: RunningEndpoint, after_s: float, expected: bytes
) -> Cycle:
    """Run one cycle in an empty folder."""
    endpoint.forget()
    journal = folder / "journal.sqlite"
    child = start(folder, endpoint)
    child.join(timeout=after_s)
    was_killed = child.exitcode is None
    child.kill()
    child.join()
    is_sound = check_integrity(journal)
    answered = read_questions(journal)
    before = endpoint.counts().questions
    made = finish(folder, endpoint)
    after = endpoint.counts().questions
    sent_again = sum(after[question].asked - before[question].asked for question in answered)
    is_sound = is_sound and check_integrity(journal)
    return Cycle(was_killed, len(answered), sent_again, is_sound, made == expected)


def check_integrity(journal: Path) -> bool:
    """Ask SQLite; opening it also plays the log of the killed process back."""
    if not journal.exists():
        return True
    connection = sqlite3.connect(journal)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def read_questions(journal: Path) -> list[str]:
    """Name the answered prompts of a journal as the endpoint names them."""
    if not journal.exists():
        return []
    connection = sqlite3.connect(journal)
    try:
        if not connection.execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'completions'"
        ).fetchall():
            return []
        rows = connection.execute("SELECT prompt FROM completions").fetchall()
    finally:
        connection.close()
    return [name_prompt(Prompt.model_validate_json(row[0]), MODEL) for row in rows]


def run_cycles(arguments: argparse.Namespace, endpoint: RunningEndpoint) -> list[Cycle]:
    """Kill as often as was asked for; runs that ended before their kill do not count."""
    draw = random.Random(arguments.seed)  # noqa: S311 - moments, no secrets
    (ROOT / "outputs").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "outputs", prefix="undisturbed-") as name:
        started = time.monotonic()
        expected = finish(Path(name), endpoint)
        whole_s = time.monotonic() - started
    print(f"An undisturbed run takes {whole_s:.2f} s.", flush=True)
    cycles: list[Cycle] = []
    while sum(cycle.was_killed for cycle in cycles) < arguments.kills:
        with tempfile.TemporaryDirectory(dir=ROOT / "outputs", prefix="killed-") as name:
            moment_s = draw.uniform(0, whole_s)
            cycles.append(kill_and_continue(Path(name), endpoint, moment_s, expected))
        if len(cycles) % 20 == 0:
            print(f"{len(cycles)} cycles", flush=True)
    return [cycle for cycle in cycles if cycle.was_killed]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    arguments = parser.parse_args()
    behaviour = Behaviour(latency_s=0.005, faults=FaultPlan(_FAULTS), retry_after_s=0.05)
    started = time.monotonic()
    with serving(behaviour) as endpoint:
        cycles = run_cycles(arguments, endpoint)
    sent_again = sum(cycle.sent_again for cycle in cycles)
    corrupt = sum(not cycle.is_sound for cycle in cycles)
    identical = sum(cycle.is_identical for cycle in cycles)
    answers = sum(cycle.journaled for cycle in cycles)
    print("\n| kills | answers in the journals | sent again | corrupt | identical | minutes |")
    print("|---|---|---|---|---|---|")
    minutes = (time.monotonic() - started) / 60
    print(
        f"| {len(cycles)} | {answers:,} | {sent_again} | {corrupt} | {identical} of {len(cycles)} "
        f"| {minutes:.1f} |"
    )
    sys.exit(0 if not sent_again and not corrupt and identical == len(cycles) else 1)


if __name__ == "__main__":
    main()
