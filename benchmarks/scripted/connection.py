"""Serve the OpenAI protocol on one connection, with as little work as will do.

A bare ``asyncio.Protocol`` that reads HTTP/1.1 with Content-Length: answers cost a tenth of what a
web framework takes, so that a client's speed is measured and not the server's.
"""

import asyncio
import json
from typing import NamedTuple, cast

from benchmarks.scripted.faults import Fault, FaultPlan
from benchmarks.scripted.question import Asked, read_request
from benchmarks.scripted.replies import Reply, bill, write_reply
from benchmarks.scripted.tally import Tally

_STATUS_LINES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_REFUSALS = {
    Fault.RATE_LIMIT: 429,
    Fault.RATE_LIMIT_WITH_RETRY_AFTER: 429,
    Fault.SERVER_ERROR: 500,
    Fault.UNAVAILABLE: 503,
}


class Behaviour(NamedTuple):
    """How the endpoint answers."""

    latency_s: float = 0.05
    faults: FaultPlan = FaultPlan()
    slow_factor: float = 20.0
    """A slow answer takes this times the latency."""
    slow_every: int = 0
    """Every n-th request that arrives is slow; 0 for none beside those of the fault plan."""
    retry_after_s: float = 1.0


class Connection(asyncio.Protocol):
    """One client's connection; a request after the other."""

    def __init__(self, behaviour: Behaviour, tally: Tally) -> None:
        self._behaviour = behaviour
        self._tally = tally
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._is_asked = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # as create_server promises

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        self._finish()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._read_next()

    def _read_next(self) -> None:
        """Take the next whole request from the buffer, unless one is under way."""
        if self._is_asked or self._transport is None:
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end])
        whole = end + 4 + _content_length(head)
        if len(self._buffer) < whole:
            return
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        method, path, _ = head.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ", 2)
        self._route(method, path.partition("?")[0], body)

    def _route(self, method: str, path: str, body: bytes) -> None:
        if method == "POST" and path.endswith("/completions"):
            self._ask(body, is_chat=path.endswith("/chat/completions"))
        elif path == "/counts":
            self._send(200, self._tally.snapshot().model_dump_json().encode())
        elif method == "POST" and path == "/forget":
            self._tally.forget()
            self._send(200, b"{}")
        elif path.endswith("/models"):
            self._send(200, b'{"object":"list","data":[{"id":"scripted","object":"model"}]}')
        else:
            self._send(404, _error_body(f"no such path: {path}"))

    def _ask(self, body: bytes, *, is_chat: bool) -> None:
        try:
            asked = read_request(body)
        except ValueError as error:
            self._send(400, _error_body(str(error)))
            return
        behaviour, tally = self._behaviour, self._tally
        attempt = tally.arrive(asked.question)
        self._is_asked = True
        fault = behaviour.faults.find(asked.question, attempt)
        if behaviour.slow_every and tally.requests % behaviour.slow_every == 0:
            fault = fault or Fault.SLOW
        if fault is not None:
            tally.faults[fault] = tally.faults.get(fault, 0) + 1
        if fault == Fault.HANG:
            reply = write_reply(asked)
            tally.bill(reply.prompt_tokens, reply.completion_tokens)
            return
        latency_s = behaviour.latency_s * (behaviour.slow_factor if fault == Fault.SLOW else 1)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(latency_s, self._reply, asked, fault, is_chat)

    def _reply(self, asked: Asked, fault: Fault | None, is_chat: bool) -> None:
        """Send what the fault leaves of the answer."""
        reply = _write(asked, fault)
        if fault is not None and fault in _REFUSALS:
            self._refuse(fault, _REFUSALS[fault], reply)
            return
        self._tally.bill(reply.prompt_tokens, reply.completion_tokens)
        body = _render(asked, reply, is_chat=is_chat, is_empty=fault == Fault.EMPTY_CHOICES)
        if fault == Fault.RESET:
            self._reset(body)
        elif fault == Fault.TRUNCATED:
            self._send(200, body[: len(body) // 2])
        elif fault == Fault.WRONG_TYPE:
            self._send(200, b"<html>Please sign in.</html>", "text/html")
        else:
            if fault != Fault.EMPTY_CHOICES:
                self._tally.answer(asked.question)
            self._send(200, body)

    def _refuse(self, fault: Fault, status: int, reply: Reply) -> None:
        if status == 500:
            self._tally.bill(reply.prompt_tokens, 0)
        waiting = f"{self._behaviour.retry_after_s:g}"
        more = f"retry-after: {waiting}\r\n" if fault == Fault.RATE_LIMIT_WITH_RETRY_AFTER else ""
        self._send(status, _error_body(f"scripted {fault}"), more=more)

    def _reset(self, body: bytes) -> None:
        """Promise the whole body, send half of it and cut the connection."""
        if self._transport is not None:
            self._transport.write(_head(200, len(body)) + body[: len(body) // 2])
            # A turn of the loop later, or the kernel drops what was written.
            asyncio.get_running_loop().call_later(0.001, self._transport.abort)

    def _send(
        self, status: int, body: bytes, content_type: str = "application/json", more: str = ""
    ) -> None:
        if self._transport is not None:
            self._transport.write(_head(status, len(body), content_type, more) + body)
        self._finish()
        self._read_next()

    def _finish(self) -> None:
        if self._is_asked:
            self._is_asked = False
            self._tally.leave()


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    return int(lowered[at + 17 :].split(b"\r\n", 1)[0])


def _head(
    status: int, length: int, content_type: str = "application/json", more: str = ""
) -> bytes:
    return (
        f"HTTP/1.1 {status} {_STATUS_LINES[status]}\r\ncontent-type: {content_type}\r\n"
        f"content-length: {length}\r\n{more}\r\n"
    ).encode()


def _write(asked: Asked, fault: Fault | None) -> Reply:
    reply = write_reply(asked)
    if fault == Fault.LENGTH:
        return bill(asked, reply.text[: len(reply.text) * 2 // 3], "length")
    if fault == Fault.CONTENT_FILTER:
        return bill(asked, "", "content_filter")
    return reply


def _render(asked: Asked, reply: Reply, *, is_chat: bool, is_empty: bool) -> bytes:
    content = (
        {"message": {"role": "assistant", "content": reply.text}}
        if is_chat
        else {"text": reply.text}
    )
    choice = {"index": 0, **content, "finish_reason": reply.finish_reason, "logprobs": None}
    total = reply.prompt_tokens + reply.completion_tokens
    value = {
        "id": f"chatcmpl-{asked.question}",
        "object": "chat.completion" if is_chat else "text_completion",
        "created": 1,
        "model": asked.model,
        "choices": [] if is_empty else [choice],
        "usage": {
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "total_tokens": total,
        },
    }
    return json.dumps(value, ensure_ascii=False).encode()


def _error_body(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "scripted"}}).encode()
