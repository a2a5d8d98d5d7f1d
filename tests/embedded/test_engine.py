"""The engine as its clients see it, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

import openai
import pytest

from embedded.child import run_child
from embedded.engine import EngineDiedError, EngineError, EngineOptions, start_engine

SMALL = EngineOptions(parallel=2, context_tokens=512, threads=2)


class Running(NamedTuple):
    url: str
    log: Path


@pytest.fixture(scope="module")
def engine(smollm2_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    log = tmp_path_factory.mktemp("engine") / "logs" / "engine.log"
    with start_engine(smollm2_gguf, "smollm2-135m", SMALL, log) as url:
        yield Running(url, log)


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def is_listening(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port_of(url))) == 0


def wait_until_deaf(url: str, timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while is_listening(url):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def listening_addresses(port: int) -> set[str]:
    """Read from the kernel which local addresses listen on a port, in its hexadecimal form."""
    found: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                found.add(address)
    return found


@pytest.mark.slow
def test_answer_follows_the_json_schema(engine: Running) -> None:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"animal": {"enum": ["cat", "dog"]}, "legs": {"type": "integer"}},
        "required": ["animal", "legs"],
        "additionalProperties": False,
    }
    with openai.OpenAI(base_url=engine.url, api_key="none", timeout=60) as client:
        answer = client.chat.completions.create(
            model="smollm2-135m",
            messages=[{"role": "user", "content": "Name an animal and how many legs it has."}],
            max_tokens=60,
            seed=1,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "animal", "schema": schema, "strict": True},
            },
        )

    record = json.loads(answer.choices[0].message.content or "")
    assert record["animal"] in ("cat", "dog")
    assert isinstance(record["legs"], int)
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0


@pytest.mark.slow
def test_request_beyond_a_slots_context_is_refused(engine: Running) -> None:
    with (
        openai.OpenAI(base_url=engine.url, api_key="none", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="context"),
    ):
        client.completions.create(model="smollm2-135m", prompt="word " * 600, max_tokens=1)


@pytest.mark.slow
def test_engine_is_healthy_and_names_its_model_when_it_is_handed_over(engine: Running) -> None:
    with urllib.request.urlopen(engine.url.removesuffix("/v1") + "/health") as answer:  # noqa: S310  # loopback
        assert answer.status == 200
    with openai.OpenAI(base_url=engine.url, api_key="none") as client:
        assert [model.id for model in client.models.list()] == ["smollm2-135m"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's table of sockets")
def test_nothing_listens_but_the_loopback_address(engine: Running) -> None:
    assert listening_addresses(port_of(engine.url)) == {"0100007F"}  # 127.0.0.1, little-endian


@pytest.mark.slow
def test_log_has_what_the_server_said(engine: Running) -> None:
    assert "model loaded" in engine.log.read_text(encoding="utf-8", errors="replace")


@pytest.mark.slow
def test_engine_is_gone_after_the_block(smollm2_gguf: Path) -> None:
    with start_engine(smollm2_gguf, "smollm2-135m", SMALL) as url:
        assert is_listening(url)

    assert not is_listening(url)


@pytest.mark.slow
def test_engine_is_gone_after_kill_9_of_its_parent(smollm2_gguf: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from threading import Thread\n"
        "from embedded.engine import EngineOptions, start_engine\n"
        "def work():\n"
        "    options = EngineOptions(parallel=1, context_tokens=256)\n"
        "    with start_engine(Path(sys.argv[1]), 'x', options) as url:\n"
        "        print(url, flush=True); time.sleep(60)\n"
        "Thread(target=work).start()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(smollm2_gguf)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert is_listening(url)

        parent.kill()

        assert wait_until_deaf(url, timeout_s=50)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the child through /proc")
def test_engine_that_dies_at_work_is_named_in_place_of_its_clients_error(
    smollm2_gguf: Path,
) -> None:
    def work() -> None:
        with start_engine(smollm2_gguf, "smollm2-135m", SMALL) as url:
            for child in children_running("embedded.engine_child", url):
                os.kill(child, signal.SIGKILL)
            assert wait_until_deaf(url, timeout_s=50)
            raise ConnectionError("refused")

    with pytest.raises(EngineDiedError, match="smollm2-135m died: status -9") as caught:
        work()

    assert isinstance(caught.value.__cause__, ConnectionError)


def test_engine_whose_clients_see_its_end_before_its_parent_does_is_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_dying(
        module: str, argument: str, messages: IO[bytes]
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return run_child("tests.embedded.dying_child", argument, messages)

    monkeypatch.setattr("embedded.engine.run_child", run_dying)

    def work() -> None:
        with start_engine(tmp_path / "any.gguf", "tiny", SMALL) as url:
            assert wait_until_deaf(url, timeout_s=50)
            raise ConnectionError("refused")

    with pytest.raises(EngineDiedError, match="tiny died: status 9"):
        work()


def children_running(module: str, url: str) -> list[int]:
    """Find this process's children that run a module; one that listens elsewhere is another's."""
    mine = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    found = [int(pid) for file in mine for pid in file.read_text().split()]
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in found}
    ours = [pid for pid, command in commands.items() if module in command]
    inode_owner = {pid for pid in ours if owns_port(pid, port_of(url))}
    return sorted(inode_owner)


def owns_port(pid: int, port: int) -> bool:
    sockets = {
        link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()
    }
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].partition(":")[2], 16) == port and f"socket:[{fields[9]}]" in sockets:
            return True
    return False


def test_broken_model_file_ends_in_the_servers_own_words(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF, but not really")

    with (
        pytest.raises(EngineError, match=r"tiny did not get ready: status 1.*failed to load") as e,
        start_engine(broken, "tiny", SMALL),
    ):
        pass

    assert "\n" not in str(e.value)


def test_engine_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    options = EngineOptions(startup_timeout_s=0.01)

    with (
        pytest.raises(EngineError, match=r"status -9, 0\.01 s allowed"),
        start_engine(tmp_path / "any.gguf", "tiny", options),
    ):
        pass
