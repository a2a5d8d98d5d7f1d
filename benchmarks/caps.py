"""Runs with random caps against an endpoint that injects faults: is any cap ever passed?

Each run draws one to four caps (requests, tokens, US dollars, minutes), a mixture of strategies,
quotas, a concurrency from 1 to 256 and a random seed; most caps bite, some do not. Every third run
is killed with SIGKILL at a random moment and continued. The endpoint answers after 5 ms, fails in
every way of its fault plan, and bills each run: its bill, and not our books, is held against the
caps. Minutes are the time in which the endpoint had a request of the run under way.

With ``--forecasts`` long runs without caps are forecast by their own pilots of 5 %.

    .venv/bin/python -m benchmarks.caps --runs 1000 --forecasts 20
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks.endpoint import ROOT, RunningEndpoint, serving
from benchmarks.scripted.connection import Behaviour
from benchmarks.scripted.faults import Fault, FaultPlan
from benchmarks.scripted.tally import Counts
from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import Caps
from pipeline.generation.config import GenerationConfig, Price
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, Task
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.waiting import Clock
from schemas.errors import PacaloomError
from schemas.records import Draft, InstructionRecord, Rejection
from tests.generation.scripted_run import MODEL, admit_whole, make_seeds

PRICE = Price(input=0.4, output=1.6)
_SHARES = dict.fromkeys(Fault, 0.015) | {Fault.HANG: 0.002}
_MIXES = (
    {"structured": 1.0},
    {"alpaca": 1.0},
    {"structured": 0.5, "alpaca": 0.3, "evolve": 0.2},
    {"self_instruct": 0.5, "topics": 0.5},
)
_NOTICE_S = 0.1
"""A client on a busy machine cuts a connection late, and the endpoint notices later still."""


class Plan(NamedTuple):
    """What one run is about."""

    config: GenerationConfig
    share_kept: float
    """Share of drafts that are judged at all."""


class Bill(NamedTuple):
    """What a run took by the endpoint's own count, and what it was allowed."""

    counts: Counts
    caps: Caps
    ending: str
    was_killed: bool

    def shares(self) -> dict[str, float]:
        """Tell what share of each cap was taken; above 1 it was passed."""
        tokens = self.counts.prompt_tokens + self.counts.completion_tokens
        usd = self.counts.prompt_tokens * PRICE.input + self.counts.completion_tokens * PRICE.output
        taken = (self.counts.requests, tokens, usd / 1e6, (self.counts.busy_s - _NOTICE_S) / 60)
        return {
            name: amount / cap
            for name, amount, cap in zip(Caps._fields, taken, self.caps, strict=True)
            if cap is not None
        }


def generate(plan: Plan, base_url: str, folder: Path) -> None:
    """Run or continue to the end, in this process; write how it ended."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 20)  # only faster: what is sent stays the same

    def admit(draft: Draft) -> InstructionRecord | Rejection:
        drawn = random.Random(draft.output).random()  # noqa: S311 - a share, decided by content
        if draft.output and drawn < plan.share_kept:
            return admit_whole(draft)
        return Rejection(draft=draft, stage="rules", reason="placeholder", detail="by lot")

    config = plan.config
    with Journal(folder / "journal.sqlite") as journal:
        commits = GroupCommits(journal)
        budget = Budget(
            _caps_of(config),
            PRICE,
            ledger=RunLedger(commits, "caps"),
            spent=journal.read_spending("caps"),
        )
        with Generation(
            Task(config, MODEL, make_seeds()),
            journal,
            lambda: Teacher(
                base_url,
                MODEL,
                concurrency=config.concurrency,
                timeout_s=2,
                max_attempts=20,
                clock=Clock(sleep=sleep),
            ),
            admit,
            lambda _draft: None,
            budget=budget,
            price=PRICE,
            commits=commits,
        ) as generation:
            ending: dict[str, object] = {}
            try:
                while generation.advance() is not None:
                    pass
                result = generation.result
                ending["because"] = result.stopped_because
                if result.forecast is not None:
                    ending["tokens"] = result.totals.tokens
                    ending["foretold"] = result.forecast.tokens.model_dump()
            except PacaloomError as error:
                ending["because"] = type(error).__name__
    (folder / "ending.json").write_text(json.dumps(ending))


def draw_plan(draw: random.Random, number: int) -> Plan:
    """Draw caps of which most bite: a run of these quotas takes some 30 to 400 requests."""
    caps: dict[str, object] = {}
    names = draw.sample(Caps._fields, draw.choice([1, 1, 2, 4]))
    for name, cap in {
        "max_requests": draw.randint(1, 150),
        "max_tokens": round(10 ** draw.uniform(3.8, 4.8)),
        "max_usd": round(10 ** draw.uniform(-2.2, -1.3), 4),
        "max_minutes": draw.uniform(0.1, 1.0) / 60,
    }.items():
        if name in names:
            caps[name] = cap
    quota = {"en": draw.randint(10, 100), "ko": draw.randint(0, 60)}
    config = GenerationConfig.model_validate(
        {
            "quota": quota,
            "mix": draw.choice(_MIXES),
            "random_seed": number,
            "concurrency": round(2 ** draw.uniform(0, 8)),
            "prompts_per_round": draw.choice([None, 16, 256]),
        }
        | caps
    )
    return Plan(config, draw.uniform(0.3, 1.0))


def run_once(plan: Plan, endpoint: RunningEndpoint, kill_after_s: float | None) -> Bill:
    """Run to the end, with a kill on the way if there is a time for it."""
    endpoint.forget()
    was_killed = False
    with tempfile.TemporaryDirectory(dir=ROOT / "outputs", prefix="caps-") as name:
        arguments = (plan, endpoint.base_url, Path(name))
        fork = multiprocessing.get_context("fork")  # no run waits for imports
        if kill_after_s is not None:
            child = fork.Process(target=generate, args=arguments)
            child.start()
            child.join(timeout=kill_after_s)
            was_killed = child.exitcode is None
            child.kill()
            child.join()
        child = fork.Process(target=generate, args=arguments)
        child.start()
        child.join()
        if child.exitcode != 0:
            raise RuntimeError(f"a run ended with status {child.exitcode}: {plan}")
        ending = (Path(name) / "ending.json").read_text()
    return Bill(endpoint.counts(), _caps_of(plan.config), ending, was_killed)


def check_caps(runs: int, seed: int, endpoint: RunningEndpoint) -> int:
    """Run with random caps; print what came of it and return the number of overruns."""
    endings: Counter[str] = Counter()
    filled: list[float] = []
    overruns = faults = kills = requests = 0
    for number in range(seed, seed + runs):
        draw = random.Random(number)  # noqa: S311 - a sample, no secret
        plan = draw_plan(draw, number)
        bill = run_once(plan, endpoint, draw.uniform(0.02, 0.6) if number % 3 == 0 else None)
        endings[json.loads(bill.ending)["because"]] += 1
        faults += sum(bill.counts.faults.values())
        kills += bill.was_killed
        requests += bill.counts.requests
        fullest = max(bill.shares().values())
        if fullest > 1:
            overruns += 1
            print(f"run {number} passed a cap: {bill.shares()}, {bill.ending}")
        elif "max-" in bill.ending and not bill.was_killed:
            filled.append(fullest)
        if (number - seed + 1) % 100 == 0:
            print(f"{number - seed + 1} runs, {overruns} overruns, {dict(endings)}", flush=True)
    print("\n| runs | killed | requests | faults | endings | overruns |")
    print("|---|---|---|---|---|---|")
    told = ", ".join(f"{name} {count}" for name, count in endings.most_common())
    print(f"| {runs} | {kills} | {requests:,} | {faults:,} | {told} | {overruns} |")
    if filled:
        print(f"Runs that a cap ended without a kill took {statistics.median(filled):.0%} of it.")
    return overruns


def check_forecasts(runs: int, seed: int, endpoint: RunningEndpoint) -> None:
    """Forecast long runs from 5 % of them, and count how many came within 15 %."""
    close = held = 0
    for number in range(seed, seed + runs):
        draw = random.Random(f"forecast/{number}")  # noqa: S311 - a sample, no secret
        mix = draw.choice(_MIXES[:1] + _MIXES[2:3])
        config = GenerationConfig.model_validate(
            {
                "quota": {"en": 1200, "ko": 800},
                "mix": mix,
                "random_seed": number,
                "concurrency": 64,
            }
        )
        bill = run_once(Plan(config, draw.uniform(0.4, 1.0)), endpoint, None)
        ending = json.loads(bill.ending)
        foretold, actual = ending["foretold"], ending["tokens"]
        close += abs(foretold["expected"] / actual - 1) <= 0.15
        held += foretold["low"] <= actual <= foretold["high"]
        print(f"forecast {number}: {foretold['expected'] / actual - 1:+.1%}", flush=True)
    print(f"\nTokens foretold within 15 %: {close} of {runs}; within the interval: {held}.")


def _caps_of(config: GenerationConfig) -> Caps:
    return Caps(config.max_requests, config.max_tokens, config.max_usd, config.max_minutes)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--forecasts", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0, help="number of the first run")
    arguments = parser.parse_args()
    (ROOT / "outputs").mkdir(exist_ok=True)
    behaviour = Behaviour(latency_s=0.005, faults=FaultPlan(_SHARES), retry_after_s=0.05)
    started = time.monotonic()
    with serving(behaviour) as endpoint:
        overruns = check_caps(arguments.runs, arguments.seed, endpoint) if arguments.runs else 0
        if arguments.forecasts:
            check_forecasts(arguments.forecasts, arguments.seed, endpoint)
    print(f"{(time.monotonic() - started) / 60:.1f} minutes")
    sys.exit(1 if overruns else 0)


if __name__ == "__main__":
    main()
