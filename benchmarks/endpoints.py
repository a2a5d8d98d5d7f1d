"""What several endpoints cost and keep: CPU a request, shares by weight, and an endpoint's death.

The same prompts are asked of one endpoint by ``Teacher``, and of several by ``TeacherPool``; each
endpoint is a process of its own that answers after 50 ms. In the last run one of four is killed
when a third of the prompts are answered: counted is what was lost (nothing may be), what was asked
again, and how the rest was shared. Shares come near the weights once each endpoint was found to
bear its part.

    .venv/bin/python -m benchmarks.endpoints --requests 3000
"""

import argparse
import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

import psutil
from pydantic import SecretStr

from benchmarks.endpoint import RunningEndpoint, serving
from pipeline.generation.budget.budget import Budget
from pipeline.generation.dispatch import Endpoint
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.endpoint_list import ListedEndpoint
from pipeline.generation.teacher.pool import TeacherPool
from schemas.exchange import Decoding, Message, Prompt

_CONCURRENCY = 256


class Run(NamedTuple):
    """What asking every prompt once took."""

    answered: int
    attempts: int
    wall_s: float
    cpu_s: float
    """Of this process."""


def make_prompts(count: int) -> list[Prompt]:
    return [
        Prompt(
            messages=(Message(role="user", content=f"Write a task about number {number}."),),
            decoding=Decoding(max_tokens=200),
            strategy="structured",
            language="en",
            sample_index=number,
        )
        for number in range(count)
    ]


def open_pool(endpoints: Sequence[RunningEndpoint], weights: Sequence[float]) -> TeacherPool:
    listed = [
        ListedEndpoint(one.base_url, SecretStr(""), weight)
        for one, weight in zip(endpoints, weights, strict=True)
    ]
    return TeacherPool(listed, "scripted", concurrency=_CONCURRENCY, tell=print)


async def ask_all(teacher: Endpoint, prompts: list[Prompt], victim: int | None = None) -> Run:
    """Ask all at once; kill the process ``victim`` when a third is answered."""
    budget, answered, attempts = Budget(), 0, 0

    async def ask(prompt: Prompt) -> None:
        nonlocal answered, attempts, victim
        completion = await teacher.complete(prompt, budget)
        answered += 1
        attempts += completion.attempts
        if victim is not None and answered > len(prompts) / 3:
            psutil.Process(victim).kill()
            victim = None

    started, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*map(ask, prompts))
    run = Run(answered, attempts, time.monotonic() - started, time.process_time() - cpu)
    await teacher.close()
    return run


def find_process(endpoint: RunningEndpoint) -> int:
    """Find the child process that listens there."""
    port = int(endpoint.base_url.rpartition(":")[2].partition("/")[0])
    for child in psutil.Process().children():
        if any(one.laddr.port == port for one in child.net_connections() if not one.raddr):
            return child.pid
    raise RuntimeError(f"no child listens at {endpoint.base_url}")


def print_run(what: str, run: Run, counts: Sequence[int]) -> None:
    asked = " + ".join(f"{count:,}" for count in counts)
    print(
        f"| {what} | {run.answered / run.wall_s:,.0f} | {run.cpu_s / run.answered * 1000:.3f} "
        f"| {run.answered:,} | {run.attempts - run.answered:,} | {asked} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=3000)
    prompts = make_prompts(parser.parse_args().requests)
    print(f"Load {os.getloadavg()[0]:.1f}")
    print("| endpoints | answers/s | CPU-s per 1,000 | answered | asked again | requests of each |")
    print("|---|---|---|---|---|---|", flush=True)
    with ExitStack() as stack:
        four = [stack.enter_context(serving()) for _ in range(4)]
        only = Teacher(four[0].base_url, "scripted", concurrency=_CONCURRENCY)
        print_run("one, alone", asyncio.run(ask_all(only, prompts)), [four[0].counts().requests])
        for weights in ([1], [1, 1, 1, 1], [4, 2, 1, 1]):
            chosen = four[: len(weights)]
            for one in chosen:
                one.forget()
            run = asyncio.run(ask_all(open_pool(chosen, weights), prompts))
            name = f"{len(weights)}, weights {':'.join(map(str, weights))}"
            print_run(name, run, [one.counts().requests for one in chosen])
        for one in four:
            one.forget()
        pool = open_pool(four, [1, 1, 1, 1])
        run = asyncio.run(ask_all(pool, prompts, find_process(four[3])))
        print_run("4, one killed", run, [one.counts().requests for one in four[:3]])


if __name__ == "__main__":
    main()
