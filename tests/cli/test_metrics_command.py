"""`metrics` serves on 127.0.0.1 until it is stopped, or prints and ends; bad ports are one line."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from pipeline.generation.journal.journal import Journal
from tests.cli.command import ROOT, pacaloom_environment, run_pacaloom, run_warm
from tests.flows.metrics_making import parse, sample
from tests.generation.journal_making import make_exchange


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    with Journal(tmp_path / "journals" / "first.sqlite") as journal:
        journal.put(*make_exchange(1))
    return tmp_path


@contextmanager
def serving(outputs: Path) -> Generator["tuple[subprocess.Popen[str], str]"]:
    """Serve on a free port; lend the process and the address that it has printed."""
    with subprocess.Popen(
        [str(ROOT / "pacaloom"), "metrics", "--port", "0"],
        cwd=ROOT,
        env=pacaloom_environment(outputs),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())["metrics"]
        finally:
            process.kill()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own server
        return answer.read().decode()


def test_figures_are_printed_once_as_text(outputs: Path) -> None:
    done = run_pacaloom("metrics", "--once", outputs=outputs)

    assert (done.status, done.stderr) == (0, "")
    requests = sample("pacaloom_teacher_requests_total", name="first", model="m")
    assert parse(done.stdout)[requests] == 2


def test_scrapes_are_answered_on_this_machine_alone_until_ctrl_c(outputs: Path) -> None:
    requests = sample("pacaloom_teacher_requests_total", name="first", model="m")
    with serving(outputs) as (process, url):
        first = parse(get(url))[requests]
        with Journal(outputs / "journals" / "first.sqlite") as journal:
            journal.put(*make_exchange(2))
        second = parse(get(url))[requests]
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(process.pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]

    assert (first, second) == (2, 4)
    assert listening == ["127.0.0.1"]
    assert process.returncode == 0
    assert said.endswith("Stopped.\n")
    assert "Traceback" not in said


def test_damage_is_said_in_one_line_that_cannot_steer_the_terminal(outputs: Path) -> None:
    (outputs / "journals" / "bad\x1b[2J.sqlite").write_bytes(b"no journal" * 100)

    done = run_warm("metrics", "--once", outputs=outputs)

    assert done.status == 0
    assert parse(done.stdout)[sample("pacaloom_unreadable_files", part="teachers")] == 1
    assert done.stderr.count("\n") == 1
    assert "bad␛[2J.sqlite: not a journal" in done.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "many"])
def test_port_that_is_none_is_one_line(outputs: Path, port: str) -> None:
    done = run_warm("metrics", "--port", port, outputs=outputs)

    assert done.status == 2
    assert done.stderr.count("\n") == 1
    assert f"wanted a port from 0 to 65535, found '{port}'" in done.stderr


def test_taken_port_is_one_line(outputs: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = run_warm("metrics", "--port", str(port), outputs=outputs)

    assert done.status == 2
    assert done.stderr.count("\n") == 1
    assert f"Port {port} on 127.0.0.1 cannot be listened on: Address already in use" in done.stderr


def test_missing_library_is_one_line_that_names_the_extra(outputs: Path) -> None:
    script = (
        "import sys; sys.modules['prometheus_client'] = None\n"
        "from cli.main import main; sys.exit(main(['metrics', '--once']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env=pacaloom_environment(outputs), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "the extra `metrics`" in done.stderr
