"""Tokens a second of the embedded teacher through our engine, against a bare loop.

The same prompts, of the ``structured`` strategy in both languages, with the same ``max_tokens`` and
schema, at four at once, of one engine: ours goes through teacher, budget, dispatcher and journal,
the bare loop posts with aiohttp and reads the JSON. Runs alternate, beginning with the other one
each time, after one that warms the engine; rates are completion tokens, as the engine counts them,
by wall time. Wants an idle machine.

    .venv/bin/python -m benchmarks.embedded_tokens --model qwen2.5-coder-1.5b --prompts 24 --runs 4
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from random import Random

import aiohttp
from pydantic import BaseModel

from benchmarks.endpoint import ROOT
from embedded.engine import EngineOptions, start_engine
from embedded.fetch import fetch_model
from embedded.models import find_model
from flows.settings import Settings
from pipeline.generation.budget.budget import Budget
from pipeline.generation.config import GenerationConfig
from pipeline.generation.conversations import Conversation
from pipeline.generation.dispatch import Dispatcher
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import Journal
from pipeline.generation.planning import StrategyPlan
from pipeline.generation.sampling import Draw, ExamplePool
from pipeline.generation.seeds import load_seed_tasks
from pipeline.generation.strategies.structured import STRATEGY
from pipeline.generation.teacher.bodies import Dialect, write_body
from pipeline.generation.teacher.client import Teacher
from schemas.records import LANGUAGES

_LEAST = 0.95


class _Usage(BaseModel):
    completion_tokens: int


class _Reply(BaseModel):
    usage: _Usage


def make_draws(count: int, max_tokens: int) -> list[Draw]:
    """Draw the material of prompts in both languages in turn."""
    decoding = STRATEGY.decoding.model_copy(update={"max_tokens": max_tokens})
    pools = [
        ExamplePool(load_seed_tasks(ROOT / f"seeds/{language}.jsonl"), language)
        for language in LANGUAGES
    ]
    rng = Random(0)  # noqa: S311 - the same prompts each time
    return [pools[number % len(pools)].draw(rng, 3, decoding) for number in range(count)]


async def ask_ours(url: str, model: str, draws: Sequence[Draw], concurrency: int) -> int:
    """Ask as a run does; return the completion tokens."""
    plan = StrategyPlan("en", "structured", 1.0, 1, GenerationConfig())
    with (
        tempfile.TemporaryDirectory(dir=ROOT / "outputs") as folder,
        Journal(Path(folder) / "journal.sqlite") as journal,
    ):
        commits = GroupCommits(journal)
        budget = Budget(ledger=RunLedger(commits, "benchmark"))
        dispatcher = Dispatcher(Teacher(url, model, concurrency=concurrency), commits, budget)
        conversations = [Conversation(plan, STRATEGY, draw) for draw in draws]
        await dispatcher.hold(conversations)
        await dispatcher.close()
    return sum(one.count_effort().usage.completion_tokens for one in conversations)


async def ask_bare(url: str, model: str, draws: Sequence[Draw], concurrency: int) -> int:
    """Post and read; return the completion tokens."""
    bodies = iter([write_body(model, STRATEGY.build(draw), Dialect()) for draw in draws])
    headers = {"content-type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=None)
    tokens = 0
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:

        async def work() -> None:
            nonlocal tokens
            for body in bodies:
                async with session.post(f"{url}/chat/completions", data=body) as response:
                    reply = _Reply.model_validate_json(await response.read())
                tokens += reply.usage.completion_tokens

        await asyncio.gather(*(work() for _ in range(concurrency)))
    return tokens


Ask = Callable[[str, str, Sequence[Draw], int], Coroutine[object, object, int]]
WAYS: dict[str, Ask] = {"ours": ask_ours, "bare loop": ask_bare}


def measure(url: str, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Alternate the two ways; tokens a second of each run."""
    draws = make_draws(arguments.prompts, arguments.max_tokens)
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    asyncio.run(ask_bare(url, arguments.model, draws, arguments.concurrency))
    for number in range(arguments.runs):
        order = list(WAYS) if number % 2 == 0 else list(reversed(WAYS))
        for name in order:
            started = time.perf_counter()
            tokens = asyncio.run(WAYS[name](url, arguments.model, draws, arguments.concurrency))
            rates[name].append(tokens / (time.perf_counter() - started))
            print(f"run {number + 1}, {name}: {rates[name][-1]:.1f} tokens/s", flush=True)
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--runs", type=int, default=1)
    arguments = parser.parse_args()
    (ROOT / "outputs").mkdir(exist_ok=True)
    gguf = fetch_model(find_model(arguments.model), Settings().cache)
    options = EngineOptions(parallel=arguments.concurrency)
    with start_engine(gguf, arguments.model, options) as url:
        rates = measure(url, arguments)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    print("\n| ours, tokens/s | bare loop, tokens/s | ratio | aim |\n|---|---|---|---|")
    ratio = medians["ours"] / medians["bare loop"]
    print(f"| {medians['ours']:.1f} | {medians['bare loop']:.1f} | {ratio:.3f} | {_LEAST} |")


if __name__ == "__main__":
    main()
