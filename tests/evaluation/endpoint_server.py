"""Servers with the manners of vLLM, of llama.cpp and of neither, on a model that is a formula.

A text's tokens are its words with the space before them (``cut``); how likely each is follows from
its length and place (``log_prob``), so a test works out by hand what has to come back.
"""

import json
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Kind = Literal["echo", "echo-with-a-token", "forcing", "after-the-force", "plain", "broken-echo"]


def cut(text: str) -> list[str]:
    """Cut a text into words, each with the white space before it."""
    return re.findall(r"\s*\S+|\s+$", text)


def log_prob(word: str, place: int) -> float:
    """Tell how likely a word is at a place, counted from 0."""
    return -(len(word) + place / 16)


class EndpointServer(ThreadingHTTPServer):
    """Answers by the formula, and fails first as often as it is told."""

    daemon_threads = True

    def __init__(self, kind: Kind, slots: int = 3) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kind = kind
        self.slots = slots
        self.models: list[str] = ["toy"]
        self.key = ""
        self.faults: list[int] = []
        """Statuses that the next requests for completions get; 0 cuts the connection."""
        self.finish = "stop"
        self.writes = " so be it "
        self.bodies: list[dict[str, Any]] = []
        self.most_at_once = 0
        self.at_once = 0
        self.lock = threading.Lock()
        self.words: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def number(self, word: str) -> int:
        with self.lock:
            if word not in self.words:
                self.words.append(word)
            return self.words.index(word)


@contextmanager
def serve(kind: Kind, slots: int = 3) -> Generator[EndpointServer]:
    with EndpointServer(kind, slots) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EndpointServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            listed = [
                {"id": name, "created": id(self), "owned_by": "t"} for name in self.server.models
            ]
            self._send(200, {"data": listed})
        elif self.path == "/props" and "forc" in self.server.kind:
            self._send(200, {"total_slots": self.server.slots})
        else:
            self._send(404, {"error": "no such path"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
            fault = self.server.faults.pop(0) if self.server.faults else None
        try:
            self._answer(body, fault)
        finally:
            with self.server.lock:
                self.server.at_once -= 1

    def _answer(self, body: dict[str, Any], fault: int | None) -> None:
        wanted = f"Bearer {self.server.key or 'none'}"
        if self.headers["authorization"] != wanted:
            self._send(401, {"error": f"wrong key {self.headers['authorization']}"})
        elif fault == 0:
            self.close_connection = True
            self.connection.close()
        elif fault is not None:
            self._send(fault, {"error": {"message": f"scripted {self.server.key}"}})
        elif self.path == "/tokenize" and "forc" in self.server.kind:
            words = cut(body["content"])
            pieces = [{"id": self.server.number(word), "piece": word} for word in words]
            self._send(200, {"tokens": pieces})
        elif self.path == "/v1/completions":
            self.server.bodies.append(body)
            self._complete(body)
        else:
            self._send(404, {"error": "no such path"})

    def _complete(self, body: dict[str, Any]) -> None:
        kind = self.server.kind
        if body.get("echo") and kind.startswith(("echo", "broken")):
            self._echo(body)
        elif "grammar" in body and "forc" in kind:
            self._force(body)
        else:
            choice = {"text": self.server.writes, "finish_reason": self.server.finish}
            self._send(200, {"choices": [{**choice, "logprobs": None}], "usage": {}})

    def _echo(self, body: dict[str, Any]) -> None:
        if self.server.kind == "echo-with-a-token" and body["max_tokens"] == 0:
            self._send(400, {"error": "max_tokens must be at least 1"})
            return
        words = cut(body["prompt"])
        values: list[float | None] = [log_prob(word, place) for place, word in enumerate(words)]
        values[0] = None
        if self.server.kind == "broken-echo":
            values[-1] = None
        written = body["max_tokens"]
        logprobs = {
            "tokens": words + [" and"] * written,
            "token_logprobs": values + [-0.5] * written,
        }
        usage = {"prompt_tokens": len(words), "completion_tokens": written}
        self._send(200, {"choices": [{"text": "", "logprobs": logprobs}], "usage": usage})

    def _force(self, body: dict[str, Any]) -> None:
        ids = [int(one) for one in re.findall(r"<\[(\d+)\]>", body["grammar"])]
        before = len(body["prompt"])
        after = self.server.kind == "after-the-force"
        content = [
            {
                "id": token,
                "logprob": 0.0 if after else log_prob(self.server.words[token], before + place),
            }
            for place, token in enumerate(ids)
        ]
        self._send(200, {"choices": [{"text": "", "logprobs": {"content": content}}]})

    def _send(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("retry-after-ms", "5")
        self.end_headers()
        self.wfile.write(body)
