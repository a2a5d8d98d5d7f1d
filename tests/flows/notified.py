"""A webhook on this machine that remembers what it is sent."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Message(NamedTuple):
    title: str
    body: str
    kind: str


class Webhook(ThreadingHTTPServer):
    """Answers every POST with ``status``, at once or when it is released."""

    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.messages: list[Message] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def address(self) -> str:
        """As Apprise spells it."""
        return f"json://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Webhook)
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.may_answer.wait(30)
        self.server.messages.append(Message(said["title"], said["message"], said["type"]))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@contextmanager
def run_webhook(status: int = 200) -> Generator[Webhook]:
    """Lend a webhook for as long as the block lasts."""
    webhook = Webhook(status)
    thread = threading.Thread(target=webhook.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield webhook
    finally:
        webhook.may_answer.set()
        webhook.shutdown()
        thread.join()
        webhook.server_close()
