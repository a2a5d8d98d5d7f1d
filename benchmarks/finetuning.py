"""Tokens a CPU-second of a training step: ours against TRL's own trainer, alternating.

Both train the same seed tasks with the same settings at one thread (``training_runs.py``), each run
in a process of its own. Time is that of ``train()``; loading is not in it. The loss of a step is
compared step by step, and the gradients of one batch in the same model, in fp32.

    PACALOOM_ACCEPT_TERMS=gemma .venv/bin/python -m benchmarks.finetuning --steps 2
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.training_runs import GradientReport, Report, Run, Side, run_apart
from schemas.manifest import Method


class Case(NamedTuple):
    """One student, tuned in one way."""

    student: str
    method: Method
    at_least: float
    """The aim: ours is to be so many times as fast."""


CASES = (
    Case("smollm2-135m", "qlora", 1.5),
    Case("smollm2-135m", "lora", 1.5),
    Case("smollm2-135m", "full", 1.5),
    Case("gemma-3-270m", "qlora", 3.0),
    Case("gemma-3-270m", "lora", 3.0),
)


def main() -> None:
    """Measure the cases and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--rows", type=int, default=16, help="rows a step, in batches of 4")
    parser.add_argument("--runs", type=int, default=1, help="of each side; the best one counts")
    parser.add_argument("--students", nargs="*", default=sorted({case.student for case in CASES}))
    arguments = parser.parse_args()
    print(
        f"{'student':14} {'method':6} {'ours tok/CPU-s':>14} {'TRL':>6} {'ratio':>6} {'aim':>4} "
        f"{'wall ratio':>10} {'peak MB':>13} {'loss diff':>9} {'gradient':>9}"
    )
    for case in CASES:
        if case.student in arguments.students:
            print(measure(case, arguments.steps, arguments.rows, arguments.runs), flush=True)


def measure(case: Case, steps: int, rows: int, runs: int) -> str:
    """Run both sides in turn and lay the figures out in a line."""
    sides: tuple[Side, Side] = ("trl", "ours")
    reports: dict[Side, list[Report]] = {side: [] for side in sides}
    for _ in range(runs):
        for side in sides:
            report = run_apart(Run(side, case.method, case.student, steps, rows))
            if isinstance(report, Report):
                reports[side].append(report)
    peer, mine = (_best(reports[side]) for side in sides)
    gradients = run_apart(Run("gradients", case.method, case.student, 1, rows))
    if not isinstance(gradients, GradientReport):
        raise TypeError(gradients)
    apart = max(abs(a - b) for a, b in zip(mine.losses, peer.losses, strict=True))
    return (
        f"{case.student:14} {case.method:6} {mine.tokens / mine.cpu_s:14.1f} "
        f"{peer.tokens / peer.cpu_s:6.1f} {peer.cpu_s / mine.cpu_s:6.2f} {case.at_least:4} "
        f"{peer.wall_s / mine.wall_s:10.2f} {mine.peak_mb:6.0f}/{peer.peak_mb:6.0f} {apart:9.1e} "
        f"{gradients.difference:9.1e}"
    )


def _best(reports: Sequence[Report]) -> Report:
    """Take the run that other work on the machine disturbed least."""
    return min(reports, key=lambda report: report.cpu_s)


if __name__ == "__main__":
    main()
