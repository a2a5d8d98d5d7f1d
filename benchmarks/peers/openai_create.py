"""The openai package as its documentation shows it; ``--aiohttp`` for its other transport."""

import asyncio
import sys

from openai import AsyncOpenAI, DefaultAioHttpClient

from benchmarks.peers.workload import (
    KEY,
    MAX_TOKENS,
    MODEL,
    SYSTEM,
    TEMPERATURE,
    Workload,
    ask_for,
    report,
)


async def ask_all(workload: Workload, *, with_aiohttp: bool) -> None:
    numbers = iter(range(workload.requests))
    transport = DefaultAioHttpClient() if with_aiohttp else None
    async with AsyncOpenAI(
        base_url=workload.base_url, api_key=KEY, http_client=transport
    ) as client:

        async def work() -> None:
            for number in numbers:
                await client.chat.completions.create(
                    model=MODEL,
                    messages=[
                        {"role": "system", "content": SYSTEM},
                        {"role": "user", "content": ask_for(number)},
                    ],
                    temperature=TEMPERATURE,
                    max_tokens=MAX_TOKENS,
                )

        await asyncio.gather(*(work() for _ in range(workload.concurrency)))


if __name__ == "__main__":
    wants_aiohttp = "--aiohttp" in sys.argv
    if wants_aiohttp:
        sys.argv.remove("--aiohttp")
    report(lambda workload: asyncio.run(ask_all(workload, with_aiohttp=wants_aiohttp)))
