"""A local endpoint with OpenAI's Batch API, and the live one beside it, that counts what is paid.

It listens on a real socket. A plan decides batch by batch how it ends and line by line what becomes
of each prompt; a script decides request by request what goes wrong on the way. Nothing in it waits:
a batch is under way for a number of polls.
"""

import asyncio
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

from aiohttp import web

NOT_FOUND = (("message", "No such thing"), ("code", "not_found"))


class LineFate(NamedTuple):
    """What becomes of one prompt of a batch."""

    status: int = 200
    """0 for a prompt whose turn never came."""
    words: str = ""
    param: str | None = None
    raw: str | None = None
    """This text in the place of its line; empty for no line at all."""


class BatchFate(NamedTuple):
    """How a batch goes."""

    status: str = "completed"
    polls: int = 1
    """Times it is told as under way before the end; negative for ever."""
    lines: Callable[[int, dict[str, Any]], LineFate] = lambda _number, _line: LineFate()
    """By position in the input file."""
    errors: tuple[dict[str, Any], ...] = ()
    """Of a batch that failed: with errors it is refused as a whole, without it has run."""
    repeat: bool = False
    """Write every line of the output twice."""


class Mishap(NamedTuple):
    """What goes wrong with one request."""

    status: int = 0
    """Answer so instead of doing anything."""
    body: str = "{}"
    headers: tuple[tuple[str, str], ...] = ()
    is_reply_lost: bool = False
    """Do what was asked and cut the connection."""
    reply: bytes = b""
    """These bytes in the place of a whole reply, status line included."""
    hangs_before: bool = False
    """Never answer, and do nothing of what was asked."""
    hangs_after: bool = False
    """Do what was asked and never answer."""
    cut_after: int | None = None
    """Send so many bytes of a file, then cut the connection."""


Script = Callable[[str, int], Mishap | None]
"""Told the method with the path's pattern, and which such request it is, from 1."""


class _Batch:
    def __init__(self, id_: str, input_file_id: str, fate: BatchFate, total: int) -> None:
        self.id = id_
        self.input_file_id = input_file_id
        self.fate = fate
        self.total = total
        self.polls_left = fate.polls
        self.status = "validating"
        self.output_file_id: str | None = None
        self.error_file_id: str | None = None

    def describe(self) -> dict[str, Any]:
        has_ended = self.status == self.fate.status
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "created_at": 1_000_000,
            "status": self.status,
            "input_file_id": self.input_file_id,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "errors": {"object": "list", "data": list(self.fate.errors)} if has_ended else None,
            "request_counts": {"total": self.total, "completed": 0, "failed": 0},
        }


class BatchServer:
    """What was asked and paid so far, and where to ask."""

    def __init__(self, plan: Callable[[int, int], BatchFate], script: Script) -> None:
        self.base_url = ""
        self.requests: Counter[str] = Counter()
        """By method and path's pattern."""
        self.submitted: Counter[str] = Counter()
        """Custom ids in batches that were created and not refused."""
        self.paid: Counter[str] = Counter()
        """Custom ids that were answered."""
        self.bodies: list[dict[str, Any]] = []
        """Of every prompt submitted, in the order of the input files."""
        self.batch_sizes: list[int] = []
        self.authorizations: set[str] = set()
        self.usage: dict[str, int] | None = {"prompt_tokens": 11, "completion_tokens": 7}
        self.release = False
        """Let batches end that would go on for ever."""
        self.stopping = asyncio.Event()
        """Lets requests end that would hang for ever."""
        self._plan = plan
        self._script = script
        self._files: dict[str, bytes] = {}
        self._batches: dict[str, _Batch] = {}

    def count_under_way(self) -> int:
        """Count the prompts of batches that were taken and have not ended."""
        return sum(
            batch.total
            for batch in self._batches.values()
            if not batch.fate.errors and batch.status != batch.fate.status
        )

    def make_reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a prompt from its content alone."""
        text = json.dumps([body["model"], body["messages"], body.get("seed")])
        answer = f"한국어 \u2028 {hashlib.sha256(text.encode()).hexdigest()[:16]}"
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "message": {"content": answer}, "finish_reason": "stop"}],
            "usage": self.usage,
        }

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve all paths."""
        for method, pattern, handle in (
            ("POST", "/v1/files", self._upload),
            ("GET", "/v1/files/{id}/content", self._read_file),
            ("POST", "/v1/batches", self._create),
            ("GET", "/v1/batches", self._list),
            ("GET", "/v1/batches/{id}", self._retrieve),
            ("POST", "/v1/batches/{id}/cancel", self._cancel),
            ("POST", "/v1/chat/completions", self._chat),
        ):
            router.add_route(method, pattern, self._wrap(f"{method} {pattern}", handle))

    def _wrap(
        self, name: str, handle: Callable[[web.Request, Mishap], Any]
    ) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.StreamResponse:
            self.requests[name] += 1
            self.authorizations.add(request.headers.get("authorization", ""))
            mishap = self._script(name, self.requests[name]) or Mishap()
            if mishap.status:
                await request.read()
                headers = {"content-type": "application/json", **dict(mishap.headers)}
                return web.Response(
                    status=mishap.status, body=mishap.body.encode(), headers=headers
                )
            if mishap.reply:
                await request.read()
                assert request.transport is not None
                request.transport.write(mishap.reply)
                request.transport.close()
                return web.Response()
            if mishap.hangs_before:
                await self.stopping.wait()
                return web.Response(status=503)
            response = await handle(request, mishap)
            if mishap.hangs_after:
                await self.stopping.wait()
            if mishap.is_reply_lost:
                assert request.transport is not None
                request.transport.abort()
            return response

        return handler

    async def _upload(self, request: web.Request, _mishap: Mishap) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        file = form["file"]
        assert isinstance(file, web.FileField)
        with file.file:
            return web.json_response(self._store(file.file.read()))

    async def _read_file(self, request: web.Request, mishap: Mishap) -> web.StreamResponse:
        content = self._files.get(request.match_info["id"])
        if content is None:
            return _not_found()
        response = web.StreamResponse(headers={"content-length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: mishap.cut_after])
        if mishap.cut_after is not None:
            assert request.transport is not None
            request.transport.close()
        return response

    async def _create(self, request: web.Request, _mishap: Mishap) -> web.Response:
        asked = await request.json()
        lines = [json.loads(line) for line in self._files[asked["input_file_id"]].splitlines()]
        fate = self._plan(len(self._batches) + 1, len(lines))
        id_ = f"batch_{len(self._batches) + 1}"
        batch = _Batch(id_, asked["input_file_id"], fate, len(lines))
        self._batches[id_] = batch
        self.batch_sizes.append(len(lines))
        if not fate.errors:
            self._run(batch, lines)
        return web.json_response(batch.describe())

    async def _list(self, request: web.Request, _mishap: Mishap) -> web.Response:
        newest_first = [batch.describe() for batch in reversed(self._batches.values())]
        ids = [batch["id"] for batch in newest_first]
        after = request.query.get("after")
        start = ids.index(after) + 1 if after else 0
        # Two a page, whatever was asked for, so that tests turn pages.
        page = newest_first[start : start + 2]
        more = start + 2 < len(newest_first)
        return web.json_response({"object": "list", "data": page, "has_more": more})

    async def _retrieve(self, request: web.Request, _mishap: Mishap) -> web.Response:
        batch = self._batches.get(request.match_info["id"])
        if batch is None:
            return _not_found()
        if batch.polls_left == 0 or self.release:
            batch.status = batch.fate.status
        else:
            batch.polls_left -= 1
            batch.status = "validating" if batch.fate.errors else "in_progress"
        return web.json_response(batch.describe())

    async def _cancel(self, request: web.Request, _mishap: Mishap) -> web.Response:
        batch = self._batches[request.match_info["id"]]
        batch.fate = batch.fate._replace(status="cancelled")
        return web.json_response(batch.describe())

    async def _chat(self, request: web.Request, _mishap: Mishap) -> web.Response:
        return web.json_response(self.make_reply(await request.json()))

    def _run(self, batch: _Batch, lines: list[dict[str, Any]]) -> None:
        output: list[str] = []
        errors: list[str] = []
        for number, line in enumerate(lines):
            self.submitted[line["custom_id"]] += 1
            self.bodies.append(line["body"])
            fate = batch.fate.lines(number, line)
            written = self._end_line(line, fate) if fate.raw is None else fate.raw
            (output if fate.status == 200 else errors).append(written)
        # Any order: the API promises none.
        output = [line for line in reversed(output) if line] * (1 + batch.fate.repeat)
        errors = [line for line in errors if line]
        if output:
            batch.output_file_id = self._store("\n".join(output).encode())["id"]
        if errors:
            batch.error_file_id = self._store("\n".join(errors).encode() + b"\n")["id"]

    def _end_line(self, line: dict[str, Any], fate: LineFate) -> str:
        ended: dict[str, Any] = {"id": "batch_req_1", "custom_id": line["custom_id"]}
        if fate.status == 0:
            error = {"code": "batch_expired", "message": "This request could not be executed."}
            return json.dumps({**ended, "response": None, "error": error})
        if fate.status == 200:
            self.paid[line["custom_id"]] += 1
            body = self.make_reply(line["body"])
        else:
            body = {"error": {"message": fate.words, "param": fate.param, "code": None}}
        response = {"status_code": fate.status, "request_id": "req_1", "body": body}
        return json.dumps({**ended, "response": response, "error": None}, ensure_ascii=False)

    def _store(self, content: bytes) -> dict[str, Any]:
        id_ = f"file-{len(self._files) + 1}"
        self._files[id_] = content
        return {"id": id_, "object": "file", "created_at": 1_000_000, "bytes": len(content)}


def _not_found() -> web.Response:
    return web.json_response({"error": dict(NOT_FOUND)}, status=404)


@contextmanager
def serve_batches(
    plan: Callable[[int, int], BatchFate] = lambda _number, _size: BatchFate(),
    script: Script = lambda _name, _number: None,
) -> Generator[BatchServer]:
    """Run the server on a free port of 127.0.0.1 in a thread of its own.

    Args:
        plan: Told which batch it is, from 1, and of how many prompts.
        script: What goes wrong with which request.
    """
    server = BatchServer(plan, script)
    loop = asyncio.new_event_loop()
    application = web.Application(client_max_size=2**28)
    server.add_routes(application.router)
    runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        server.base_url = f"http://{host}:{port}/v1"

    async def stop() -> None:
        server.stopping.set()
        await runner.cleanup()

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
