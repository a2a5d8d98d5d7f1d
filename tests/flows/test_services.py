"""`up` and `down` touch nothing that is not theirs."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from benchmarks.service_house import find_free_port
from flows.deployed.run_processes import find_process
from flows.services.checks import NotReadyError
from flows.services.local import down, up
from flows.services.notes import Service, describe, read_note, write_note
from flows.settings import Settings
from schemas.storage import StorageError


def test_taken_port_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(NotReadyError, match=f"Port {port} .*pid {os.getpid()} .*make up PORT="):
            up(Settings(outputs=tmp_path), port, lambda _: None)

    assert not (tmp_path / "prefect" / "server.json").exists()


def read_command(process: psutil.Process) -> list[str]:
    """Return its command, or nothing when it has ended, perhaps just now."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_process_that_cannot_be_written_down_is_not_left_running(tmp_path: Path) -> None:
    (tmp_path / "prefect" / "server.json").mkdir(parents=True)
    port = find_free_port()

    with pytest.raises(StorageError, match=r"server\.json cannot be written"):
        up(Settings(outputs=tmp_path), port, lambda _: None)

    started = [read_command(child) for child in psutil.Process().children()]
    assert not [words for words in started if str(port) in words]


def test_what_another_up_has_started_meanwhile_is_looked_at(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path)
    (tmp_path / "prefect").mkdir()
    other = FileLock(tmp_path / "prefect" / "up.lock")
    other.acquire()

    def say(line: str) -> None:
        if "waiting" in line:
            write_note(settings, describe("server", psutil.Process(), 4321))
            other.release()

    with pytest.raises(NotReadyError, match="runs on port 4321 already"):
        up(settings, find_free_port(), say)


def test_stranger_with_a_reused_pid_is_left_alone(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path)
    write_note(settings, Service(name="server", pid=os.getpid(), create_time=1.0, port=4200))
    said: list[str] = []

    down(settings, said.append)

    assert said == ["No worker of ours is running.", "No server of ours is running."]
    assert read_note(settings, "server") is None


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
        born = child.create_time()
        settings = Settings(outputs=tmp_path)
        write_note(settings, describe("worker", process, 1))

        down(settings, lambda _: None)

        started.wait(60)
    assert find_process(child.pid, born) is None
    assert not (tmp_path / "prefect" / "worker.json").exists()


def test_flow_runs_of_a_killed_worker_are_ended_and_those_of_other_servers_are_not(
    tmp_path: Path,
) -> None:
    settings = Settings(outputs=tmp_path)
    # The worker itself is gone.
    write_note(settings, Service(name="worker", pid=2**22 + 1, create_time=1.0, port=4))
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]

    def start(port: int) -> subprocess.Popen[bytes]:
        environment = {
            "PREFECT__FLOW_RUN_ID": f"run-of-{port}",
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        }
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)

    said: list[str] = []
    with start(4) as ours, start(5) as other:
        for one in (ours, other):
            assert one.stdout is not None
            one.stdout.readline()
        down(settings, said.append)
        is_left = other.poll() is None
        other.kill()

    assert not psutil.pid_exists(ours.pid)
    assert is_left
    assert "Ending flow run run-of-4; what it has done is kept." in said
