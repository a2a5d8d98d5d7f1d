"""A Prefect server and workers of a test's own, as separate processes on 127.0.0.1."""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.service_house import House
from tests.cli.command import ROOT, pacaloom_environment


def prefect_variables(house: House) -> dict[str, str]:
    """Return the environment of Prefect's commands; nothing of this machine's settings."""
    return {
        **pacaloom_environment(house.outputs),
        "PREFECT_API_URL": house.api_url,
        "PREFECT_HOME": str(house.outputs / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONUTF8": "1",
    }


def run_prefect(*arguments: str, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "prefect", *arguments],
        cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running(*command: str, environment: Mapping[str, str], log: Path) -> Generator[psutil.Process]:
    """Run a command for as long as the block lasts; nothing of it is left behind."""
    with log.open("ab") as output:
        started = subprocess.Popen(
            command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    process = psutil.Process(started.pid)
    try:
        yield process
    finally:
        # One that has ended by itself has no family any more.
        children = process.children(recursive=True) if started.poll() is None else []
        family = [process, *children]
        started.terminate()
        _, alive = psutil.wait_procs(family, timeout=20)
        for survivor in alive:
            survivor.kill()
        started.wait()


@contextmanager
def running_server(
    house: House, environment: Mapping[str, str], log: Path, *before: str
) -> Generator[None]:
    """Run a Prefect server that answers; ``before`` is a command that becomes it."""
    prefect = (sys.executable, "-P", "-m", "prefect", "server", "start")
    command = (*before, *prefect, "--host", "127.0.0.1", "--port", str(house.port))
    with running(*command, environment=environment, log=log) as process:
        deadline = time.monotonic() + 240
        while not house.is_up():
            assert process.is_running(), log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.25)
        yield


def search_path(folder: Path) -> str:
    """PATH with a folder in front."""
    return f"{folder}:{os.environ['PATH']}"  # noqa: TID251 - handed on to Prefect's processes
