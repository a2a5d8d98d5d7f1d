"""A local OpenAI-compatible endpoint that answers from the prompt alone and counts requests.

It listens on a real socket. A script decides, request by request, what happens instead of an
answer: status codes, nonsense, cut bodies, resets, delays, hangs. It keeps account of what it would
bill: every request that it worked on, whether or not the answer reached anyone.
"""

import asyncio
import hashlib
import json
import socket
import struct
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
    path: str = "/v1/chat/completions"


class Trick(NamedTuple):
    """What to do instead of answering."""

    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    cut_after: int | None = None
    """Close the connection after this many bytes of the body."""
    reset_after: int | None = None
    """Reset the connection after this many bytes of the body."""
    delay_s: float = 0.0
    held_until: asyncio.Event | None = None
    """Wait for it first; the script may set it."""
    hang: bool = False
    """Never answer."""
    raw: bytes = b""
    """Send these bytes for a whole reply and close the connection."""
    drop: bool = False
    """Reset the connection without a word."""
    answer: bool = False
    """Answer after the delay, with the headers and otherwise as if there were no trick."""
    text: str | None = None
    """Answer so."""
    counts_usage: bool = True
    """Tell the usage in the reply."""

    @property
    def is_refusal(self) -> bool:
        """Nothing was worked on, so nothing is billed."""
        return 400 <= self.status < 500 or self.status == 503


class Bill(NamedTuple):
    """What an endpoint asks to be paid for."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.prompt_tokens + self.completion_tokens


Script = Callable[[int, Asked], Trick | None]


class ScriptedServer:
    """What was asked so far, and where to ask."""

    def __init__(self, script: Script) -> None:
        self.asked: list[Asked] = []
        self.base_url = ""
        self.answer_text: Callable[[dict[str, Any]], str] = write_record
        self.finish_reason = "stop"
        self.models: dict[str, Any] = {"data": [{"id": "scripted"}]}
        """What is said to be served."""
        self.key = ""
        """Without which the list of models is refused; empty for none."""
        self.bill = Bill()
        self.under_way = 0
        """Requests that have come and are not answered yet."""
        self._script = script

    @property
    def questions(self) -> list[str]:
        """The question of every request, in the order of arrival."""
        return [asked.question for asked in self.asked]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one completion, of a chat or of raw text."""
        body = await request.json()
        authorization = request.headers.get("authorization", "")
        asked = Asked(question_of(body), body, authorization, request.path)
        self.asked.append(asked)
        self.under_way += 1
        try:
            trick = self._script(len(self.asked), asked) or Trick(answer=True)
            self._charge(body, trick)
            if trick.hang:
                await asyncio.Event().wait()
            if trick.held_until:
                await trick.held_until.wait()
            if trick.delay_s:
                await asyncio.sleep(trick.delay_s)
            return await self._play(request, body, trick)
        finally:
            self.under_way -= 1

    async def list_models(self, request: web.Request) -> web.StreamResponse:
        """Tell the models to who has the key."""
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            said = f"Incorrect API key provided: {request.headers.get('authorization')}"
            return web.json_response({"error": {"message": said}}, status=401)
        return web.json_response(self.models)

    def _charge(self, body: dict[str, Any], trick: Trick) -> None:
        if trick.is_refusal:
            return
        usage = self.make_reply(body)["usage"]
        self.bill = Bill(
            self.bill.requests + 1,
            self.bill.prompt_tokens + usage["prompt_tokens"],
            self.bill.completion_tokens + usage["completion_tokens"],
        )

    async def _play(
        self, request: web.Request, body: dict[str, Any], trick: Trick
    ) -> web.StreamResponse:
        if trick.cut_after is not None or trick.reset_after is not None:
            return await self._cut(request, trick)
        if trick.drop or trick.raw:
            assert request.transport is not None
            request.transport.write(trick.raw)
            request.transport.abort() if trick.drop else request.transport.close()
            return web.Response()
        if trick.answer or trick.text is not None:
            reply = self.make_reply(body, trick.text)
            if not trick.counts_usage:
                del reply["usage"]
            return web.json_response(reply, headers=dict(trick.headers))
        return web.Response(
            status=trick.status,
            body=trick.body.encode(),
            headers={"content-type": trick.content_type, **dict(trick.headers)},
        )

    def make_reply(self, body: dict[str, Any], text: str | None = None) -> dict[str, Any]:
        """Make the reply to a request, from its content alone; all replies have the same id."""
        content = self.answer_text(body) if text is None else text
        said = {"message": {"role": "assistant", "content": content}}
        if "prompt" in body:
            said = {"text": content}
        return {
            "id": "chatcmpl-1",
            "object": "text_completion" if "prompt" in body else "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, **said, "finish_reason": self.finish_reason}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }

    async def _cut(self, request: web.Request, trick: Trick) -> web.StreamResponse:
        whole = json.dumps(self.make_reply(await request.json())).encode()
        response = web.StreamResponse(headers={"content-length": str(len(whole))})
        await response.prepare(request)
        assert request.transport is not None
        if trick.reset_after is not None:
            await response.write(whole[: trick.reset_after])
            # Closing with a linger time of 0 sends RST and not FIN.
            linger = struct.pack("ii", 1, 0)
            request.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
            request.transport.abort()
        else:
            await response.write(whole[: trick.cut_after])
            request.transport.close()
        return response


def question_of(body: dict[str, Any]) -> str:
    """Name a request by what its answer depends on."""
    said = body.get("messages", body.get("prompt"))
    parts = json.dumps([body["model"], said, body.get("seed")], ensure_ascii=False)
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def write_record(body: dict[str, Any]) -> str:
    """Write a record that no other prompt gets, in the language of the prompt."""
    number = int(question_of(body), 16)
    thing = f"{ADJECTIVES[number % 8]} {NOUNS[number // 8 % 8]} {number // 64 % 100_000}"
    is_korean = "한국어" in (body.get("prompt") or body["messages"][0]["content"])
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
    application.router.add_post("/v1/completions", server.handle)
    application.router.add_get("/v1/models", server.list_models)
    runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        server.base_url = f"http://{host}:{port}/v1"

    async def stop() -> None:
        await runner.cleanup()
        # Of clients that died, whose requests hang still.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
