"""What has become of a run is told from real processes, and decided from what is known."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import psutil
import pytest

from flows.deployed.recovery import Fate, RunFacts, find_fate
from flows.deployed.run_guard import is_unread
from flows.deployed.run_processes import (
    API_VARIABLE,
    RUN_VARIABLE,
    Processes,
    RunProcess,
    describe_this_process,
    end_processes,
    find_processes,
    is_alive,
    read_labels,
    write_labels,
)

LOCAL, FAR = "http://127.0.0.1:4200/api", "https://prefect.example.org/api"
NOBODY = Processes({}, {})
HERE = platform.node()
GONE = RunProcess(HERE, 2**22 + 1, 0.0)
ME = describe_this_process()
RUN = "0b0e6c9e-2f0a-4d40-9a07-000000000001"
SLEEP = "import time; time.sleep(60)"


def facts(
    process: RunProcess | None = None, pool_type: str | None = "process", age_s: float = 999
) -> RunFacts:
    return RunFacts(RUN, process, pool_type, age_s)


@contextmanager
def running(*command: str, **variables: str) -> Generator[subprocess.Popen[bytes]]:
    """Run Python with words behind it that say what it plays."""
    environment = {**os.environ, **variables}  # noqa: TID251 - handed on to the child
    with subprocess.Popen(
        [sys.executable, "-c", *command], env=environment, stdout=subprocess.PIPE
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def await_family(run_id: str) -> Processes:
    """Look until a run's process has begun to execute what was asked for."""
    deadline = time.monotonic() + 30
    while run_id not in (found := find_processes()).families and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(
    ("known", "api_url", "fate"),
    [
        pytest.param(facts(GONE), LOCAL, "gone", id="its process died"),
        pytest.param(facts(ME), LOCAL, "works", id="its process lives"),
        pytest.param(
            facts(ME._replace(started=ME.started - 3600)),
            LOCAL,
            "gone",
            id="a stranger has its pid",
        ),
        pytest.param(facts(GONE._replace(host="other")), LOCAL, "elsewhere", id="another machine"),
        pytest.param(facts(None), LOCAL, "gone", id="died before it told who it is"),
        pytest.param(facts(None), FAR, "elsewhere", id="shared server, machine unknown"),
        pytest.param(facts(GONE), FAR, "gone", id="shared server, ours"),
        pytest.param(facts(None, "docker"), LOCAL, "elsewhere", id="in a container"),
        pytest.param(facts(None, None), LOCAL, "gone", id="typed, and died at its start"),
        pytest.param(facts(None, None, age_s=1), LOCAL, "works", id="typed, and still starting"),
        pytest.param(facts(GONE, None, age_s=1), LOCAL, "gone", id="typed, and died young"),
        pytest.param(facts(None, age_s=1), LOCAL, "gone", id="young, and no worker to start it"),
    ],
)
def test_fate_of_a_run_without_processes_here(known: RunFacts, api_url: str, fate: Fate) -> None:
    assert find_fate(known, NOBODY, api_url) == fate


def test_young_run_is_left_to_a_worker_that_may_be_starting_it() -> None:
    with_worker = Processes({}, {4711: LOCAL})

    assert find_fate(facts(None, age_s=1), with_worker, LOCAL) == "works"
    assert find_fate(facts(None, age_s=999), with_worker, LOCAL) == "gone"
    assert find_fate(facts(None, age_s=1), Processes({}, {4711: FAR}), LOCAL) == "gone"


def test_family_without_its_worker_is_found_and_ended() -> None:
    with running(SLEEP, **{RUN_VARIABLE: RUN}) as child:
        here = await_family(RUN)

        assert [one.pid for one in here.families[RUN]] == [child.pid]
        assert find_fate(facts(GONE), here, LOCAL) == "orphaned"

        end_processes(here.families[RUN])
        assert RUN not in find_processes().families


def test_family_of_a_living_worker_is_left_alone() -> None:
    run_id = "0b0e6c9e-2f0a-4d40-9a07-000000000002"
    worker = (
        "import os, subprocess, sys;"
        f"os.environ[{RUN_VARIABLE!r}] = {run_id!r};"
        f"subprocess.run([sys.executable, '-c', {SLEEP!r}])"
    )
    with running(worker, "prefect", "worker", "start", **{API_VARIABLE: LOCAL}) as child:
        here = await_family(run_id)
        try:
            assert here.workers[child.pid] == LOCAL
            assert find_fate(facts(GONE)._replace(run_id=run_id), here, LOCAL) == "works"
        finally:
            end_processes(here.families[run_id])


def test_labels_tell_the_process_of_a_run() -> None:
    assert read_labels(write_labels(ME)) == ME
    assert read_labels({"prefect.worker.name": "w"}) is None
    assert ME.pid == os.getpid()
    assert is_alive(ME)


def test_dead_process_that_nobody_has_waited_for_is_no_longer_alive() -> None:
    with running("pass") as child:
        noted = RunProcess(HERE, child.pid, psutil.Process(child.pid).create_time())
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert not is_alive(noted)


def test_pipe_is_unread_when_its_reader_is_gone() -> None:
    reading, writing = os.pipe()
    try:
        assert not is_unread(writing)
        os.close(reading)
        assert is_unread(writing)
    finally:
        os.close(writing)


def test_file_is_not_taken_for_a_pipe() -> None:
    with open(os.devnull, "wb") as file:  # noqa: PTH123 - a descriptor is wanted
        assert not is_unread(file.fileno())
