"""A local OpenAI-compatible endpoint that answers from the prompt alone and counts requests.

It listens on a real socket. A script decides, request by request, what happens instead of an
answer: status codes, nonsense, cut bodies, delays.
"""

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

from aiohttp import web

ADJECTIVES = ["quiet", "rusty", "golden", "tiny", "frozen", "crowded", "hollow", "velvet"]
NOUNS = ["harbour", "orchard", "library", "glacier", "market", "tunnel", "kitchen", "balloon"]


class Asked(NamedTuple):
    """One request as the endpoint saw it."""

    question: str
    """Hash of model, messages and seed: the same for a prompt asked twice."""
    body: dict[str, Any]
    authorization: str


class Trick(NamedTuple):
    """What to do instead of answering."""

    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    cut_after: int | None = None
    """Close the connection after this many bytes of the body."""
    delay_s: float = 0.0
    answer: bool = False
    """Answer after the delay, as if there were no trick."""


Script = Callable[[int, Asked], Trick | None]


class ScriptedServer:
    """What was asked so far, and where to ask."""

    def __init__(self, script: Script) -> None:
        self.asked: list[Asked] = []
        self.base_url = ""
        self.answer_text: Callable[[dict[str, Any]], str] = write_record
        self.finish_reason = "stop"
        self._script = script

    @property
    def questions(self) -> list[str]:
        """The question of every request, in the order of arrival."""
        return [asked.question for asked in self.asked]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one chat completion."""
        body = await request.json()
        asked = Asked(question_of(body), body, request.headers.get("authorization", ""))
        self.asked.append(asked)
        trick = self._script(len(self.asked), asked)
        if trick is not None and trick.delay_s:
            await asyncio.sleep(trick.delay_s)
        if trick is None or trick.answer:
            return web.json_response(self.make_reply(body))
        if trick.cut_after is not None:
            return await self._cut(request, trick)
        return web.Response(
            status=trick.status,
            body=trick.body.encode(),
            headers={"content-type": trick.content_type, **dict(trick.headers)},
        )

    def make_reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make the reply to a request, from its content alone."""
        message = {"role": "assistant", "content": self.answer_text(body)}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }

    async def _cut(self, request: web.Request, trick: Trick) -> web.StreamResponse:
        whole = json.dumps(self.make_reply(await request.json())).encode()
        response = web.StreamResponse(headers={"content-length": str(len(whole))})
        await response.prepare(request)
        await response.write(whole[: trick.cut_after])
        assert request.transport is not None
        request.transport.close()
        return response


def question_of(body: dict[str, Any]) -> str:
    """Name a request by what its answer depends on."""
    parts = json.dumps([body["model"], body["messages"], body["seed"]], ensure_ascii=False)
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def write_record(body: dict[str, Any]) -> str:
    """Write a record that no other prompt gets, in the language of the prompt."""
    number = int(question_of(body), 16)
    thing = f"{ADJECTIVES[number % 8]} {NOUNS[number // 8 % 8]} {number // 64 % 100_000}"
    is_korean = "한국어" in body["messages"][0]["content"]
    instruction = f"{thing}에 대해 설명하세요." if is_korean else f"Describe the {thing}."
    return json.dumps(
        {"instruction": instruction, "input": "", "output": f"{thing} 99 {number}"},
        ensure_ascii=False,
    )


@contextmanager
def serve(script: Script = lambda _number, _asked: None) -> Generator[ScriptedServer]:
    """Run the server on a free port of 127.0.0.1 in a thread of its own."""
    server = ScriptedServer(script)
    loop = asyncio.new_event_loop()
    application = web.Application()
    application.router.add_post("/v1/chat/completions", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        server.base_url = f"http://{host}:{port}/v1"

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
