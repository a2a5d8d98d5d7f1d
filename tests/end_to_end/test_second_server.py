"""Generation against an OpenAI-compatible server of another make: transformers' own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.command import run_pacaloom

pytestmark = pytest.mark.slow


@pytest.fixture
def transformers_server(smollm2_checkpoint: Path, tmp_path: Path) -> Generator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("transformers")), "serve", str(smollm2_checkpoint),
        "--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "bfloat16",
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}  # noqa: TID251 - for the child
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait()


def wait_until_up(url: str, server: "subprocess.Popen[bytes]") -> None:
    while True:
        assert server.poll() is None
        try:
            urllib.request.urlopen(url, timeout=60).close()  # noqa: S310 - our own address
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return


def test_server_of_transformers_teaches(
    transformers_server: str, smollm2_checkpoint: Path, tmp_path: Path
) -> None:
    # It ignores response_format, so the tolerant parser reads what the model makes of the prompt.
    arguments = (
        "generate", "--name", "second", "--model", str(smollm2_checkpoint), "--quota", "en=1",
        "--max-requests", "12", "--decoding.max-tokens", "120", "--concurrency", "2",
    )  # fmt: skip
    first = run_pacaloom(*arguments, outputs=tmp_path / "o", OPENAI_BASE_URL=transformers_server)
    again = run_pacaloom(*arguments, outputs=tmp_path / "o", OPENAI_BASE_URL=transformers_server)

    assert first.status == 0, first.stderr
    outcome = json.loads(first.stdout.splitlines()[-1])
    assert outcome["generated"] >= 1
    assert 1 <= outcome["teacher_requests"] <= 12
    assert json.loads(again.stdout.splitlines()[-1]) == outcome | {"teacher_requests": 0}
