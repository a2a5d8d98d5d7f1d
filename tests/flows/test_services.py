"""`up` and `down` touch nothing that is not theirs."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from flows.services import PortTakenError, Service, down, up
from flows.settings import Settings
from schemas.storage import StorageError, write_text


def test_taken_port_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortTakenError, match=f"Port {port} .*make up PORT="):
            up(Settings(outputs=tmp_path), port, lambda _: None)

    assert not (tmp_path / "prefect" / "server.json").exists()


def test_process_that_cannot_be_written_down_is_not_left_running(tmp_path: Path) -> None:
    (tmp_path / "prefect" / "server.json").mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(StorageError, match=r"server\.json cannot be written"):
        up(Settings(outputs=tmp_path), port, lambda _: None)

    started = [child.cmdline() for child in psutil.Process().children() if child.is_running()]
    assert not [words for words in started if str(port) in words]


def test_stranger_with_a_reused_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = Service(name="server", pid=os.getpid(), create_time=1.0, port=4200)
    write_text(tmp_path / "prefect" / "server.json", stranger.model_dump_json())
    said: list[str] = []

    down(Settings(outputs=tmp_path), said.append)

    assert said == ["No worker of ours is running.", "No server of ours is running."]


def test_own_process_and_its_children_are_stopped(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.readline()
        process = psutil.Process(started.pid)
        child = process.children()[0]
        note = Service(name="worker", pid=started.pid, create_time=process.create_time(), port=1)
        write_text(tmp_path / "prefect" / "worker.json", note.model_dump_json())

        down(Settings(outputs=tmp_path), lambda _: None)

        started.wait(10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not (tmp_path / "prefect" / "worker.json").exists()
