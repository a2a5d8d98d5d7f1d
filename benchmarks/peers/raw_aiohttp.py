"""The least that a Python client can do: aiohttp, and the answer's JSON read."""

import asyncio

import aiohttp

from benchmarks.peers.workload import (
    MAX_TOKENS,
    MODEL,
    SYSTEM,
    TEMPERATURE,
    Workload,
    ask_for,
    report,
)


async def ask_all(workload: Workload) -> None:
    url = f"{workload.base_url}/chat/completions"
    numbers = iter(range(workload.requests))
    connector = aiohttp.TCPConnector(limit=workload.concurrency)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            for number in numbers:
                body = {
                    "model": MODEL,
                    "messages": [
                        {"role": "system", "content": SYSTEM},
                        {"role": "user", "content": ask_for(number)},
                    ],
                    "temperature": TEMPERATURE,
                    "max_tokens": MAX_TOKENS,
                }
                async with session.post(url, json=body) as response:
                    await response.json()

        await asyncio.gather(*(work() for _ in range(workload.concurrency)))


if __name__ == "__main__":
    report(lambda workload: asyncio.run(ask_all(workload)))
