"""A Prefect server that cannot be used is told in one line before anything runs."""

import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import pytest

from flows.services.server_state import (
    ServerVersionError,
    ask_server,
    complain_about_version,
    require_server,
)
from tests.cli.command import run_pacaloom


@contextmanager
def serve(answer: bytes, status: int = 200) -> Generator[str]:
    """Answer every request of a Prefect client with the same words."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
    finally:
        server.shutdown()
        server.server_close()


def find_unused_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/api"


def test_server_of_our_version_is_taken() -> None:
    with serve(json.dumps(version("prefect")).encode()) as api_url:
        require_server(api_url)

        assert ask_server(api_url).version == version("prefect")


@pytest.mark.parametrize(
    ("found", "is_usable"),
    [
        # The installed Prefect is 3.8.x. A patch more or less changes nothing that crosses.
        ("3.8.0", True),
        ("3.8.99", True),
        ("3.9.1", True),
        ("3.10.0", True),
        ("3.7.12", False),
        ("2.20.3", False),
        ("4.0.0rc1", False),
    ],
)
def test_older_servers_and_other_majors_are_refused(found: str, is_usable: bool) -> None:
    assert (complain_about_version(found) == "") is is_usable


def test_server_that_asks_for_a_password_is_left_to_prefect() -> None:
    with serve(b"no", 401) as api_url:
        require_server(api_url)


@pytest.mark.parametrize("answer", [b"<html>", b'"hello"', b"3", b""])
def test_what_answers_otherwise_is_no_prefect_server(answer: bytes) -> None:
    with serve(answer) as api_url, pytest.raises(ServerVersionError, match="no Prefect server"):
        require_server(api_url)


def test_password_in_the_address_is_not_repeated() -> None:
    address = find_unused_address().replace("//", "//me:secret@")

    with pytest.raises(ServerVersionError) as refused:
        require_server(address)

    assert "secret" not in str(refused.value)


def test_command_ends_in_one_line_before_anything_runs(tmp_path: Path) -> None:
    arguments = ("generate", "--name", "a", "--quota", "en=1", "--prefect")
    with serve(b'"3.6.2"') as old:
        refused = run_pacaloom(*arguments, outputs=tmp_path / "o", PREFECT_API_URL=old)
    absent = run_pacaloom(*arguments, outputs=tmp_path / "o", PREFECT_API_URL=find_unused_address())

    assert refused.status == absent.status == 2
    assert "found 3.6.2. Update that server" in refused.stderr
    assert "found none (Connection refused). Start one with `make up`" in absent.stderr
    assert len(refused.stderr.splitlines()) == len(absent.stderr.splitlines()) == 1
    assert not (tmp_path / "o").exists()
