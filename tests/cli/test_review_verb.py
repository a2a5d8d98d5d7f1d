"""`review` prints an address, takes decisions until Ctrl-C, and says what comes next."""

import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pipeline.publishing.review.server import listen
from schemas.identity import short_id
from tests.cli.command import ROOT, pacaloom_environment, run_pacaloom, run_warm

ROWS = [
    {"instruction": "List three fruits that grow in Jeju.", "output": "Kiwi, orange and lemon."},
    {"instruction": "봄에 피는 꽃을 하나 말해 줘.", "output": "국화입니다."},
]
FLOWER = short_id("ko", ROWS[1]["instruction"], "", ROWS[1]["output"])


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outputs = tmp_path_factory.mktemp("outputs")
    source = outputs / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), "utf-8")
    arguments = ("--name", "fruits", "--input", str(source), "--seeds", "none", "--processes", "1")
    assert run_warm("curate", *arguments, outputs=outputs).status == 0
    return outputs


@contextmanager
def reviewing(outputs: Path, *arguments: str, **variables: str) -> Generator[subprocess.Popen[str]]:
    """Run the verb in a process of its own; it is ended with Ctrl-C."""
    process = subprocess.Popen(
        [str(ROOT / "pacaloom"), "review", *arguments],
        env=pacaloom_environment(outputs, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def read_address(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Read what is printed up to the address; returns its port and token."""
    assert process.stderr is not None
    for line in process.stderr:
        found = re.fullmatch(r"  http://127\.0\.0\.1:(\d+)/\?token=([\w-]{20,})\n", line)
        if found is not None:
            return int(found[1]), found[2]
    raise AssertionError("no address was printed")


def test_decision_is_kept_and_ctrl_c_says_how_it_is_applied(outputs: Path, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    with reviewing(
        outputs, "fruits", "--author", "김서연", BROWSER=f"touch {opened} %s"
    ) as process:
        port, token = read_address(process)
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(
            "POST",
            "/decisions",
            json.dumps({"record": FLOWER, "verdict": "reject", "seen": None, "note": "가을꽃"}),
            {"content-type": "application/json", "cookie": f"pacaloom_review_{port}={token}"},
        )
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "`./pacaloom curate --name fruits`" in stderr
    assert "applies 1 decision in a new version" in stderr
    assert token not in stderr + stdout
    done = json.loads(stdout)
    assert done["standing"] == 1
    (line,) = Path(done["decisions"]).read_text("utf-8").splitlines()
    assert json.loads(line)["author"] == "김서연"
    assert json.loads(line)["note"] == "가을꽃"
    # Nobody sits before a terminal here.
    assert not opened.exists()


def test_browser_is_started_without_the_token_in_its_arguments(
    outputs: Path, tmp_path: Path
) -> None:
    given, shown = tmp_path / "given", tmp_path / "shown"
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\necho "$1" > {given}\ncat "${{1#file://}}" > {shown}.new\n'
        f"mv {shown}.new {shown}\n"
    )
    browser.chmod(0o755)
    control, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(ROOT / "pacaloom"), "review", "fruits"],
        env=pacaloom_environment(outputs, BROWSER=f"{browser} %s &"),
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    try:
        deadline = time.monotonic() + 120
        while not shown.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    finally:
        process.kill()
        process.wait()
        os.close(control)
        os.close(terminal)

    assert "token" not in given.read_text()
    assert re.search(r"url=http://127\.0\.0\.1:\d+/\?token=[\w-]{20,}", shown.read_text())
    assert list((outputs / "reviews").glob(".open-*")) == []


def test_port_that_is_taken_is_a_mistake(outputs: Path) -> None:
    with listen(0) as other:
        port: int = other.getsockname()[1]
        done = run_pacaloom("review", "fruits", "--port", str(port), outputs=outputs)

    assert done.status == 2
    assert done.stdout == ""
    assert f"Port {port} of 127.0.0.1" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(("nuts",), "No dataset 'nuts'", id="unknown-dataset"),
        pytest.param(("fruits", "--port", "70000"), "from 0 to 65535", id="no-port"),
        pytest.param(("fruits", "--author", ""), "--author", id="no-author"),
    ],
)
def test_what_cannot_be_reviewed_is_one_clear_line(
    outputs: Path, arguments: tuple[str, ...], reason: str
) -> None:
    done = run_warm("review", *arguments, outputs=outputs)

    assert done.status == 2
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
