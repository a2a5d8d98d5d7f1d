"""deploy/slurm/submit.sh against a double of Slurm: options, status, and how a job is ended."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.command import ROOT
from tests.deploy.slurm_double import install


class Site(NamedTuple):
    """A checkout and a cluster, both of a test's own."""

    checkout: Path
    cluster: Path

    @property
    def log(self) -> Path:
        return self.checkout / "outputs" / "logs" / "slurm" / "pacaloom-run-1.log"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    checkout, cluster = tmp_path / "checkout", tmp_path / "cluster"
    shutil.copytree(ROOT / "deploy" / "slurm", checkout / "deploy" / "slurm")
    (checkout / ".venv" / "bin").mkdir(parents=True)
    cluster.mkdir()
    install(tmp_path / "bin")
    return Site(checkout, cluster)


def let_python_be(site: Site, script: str) -> None:
    """Replace the checkout's Python, which would be Prefect, by a shell script."""
    python = site.checkout / ".venv" / "bin" / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)


def submit(site: Site, *options: str) -> subprocess.Popen[str]:
    environment = {
        "PATH": f"{site.cluster.parent / 'bin'}:{os.defpath}",
        "SLURM_DOUBLE": str(site.cluster),
        "PREFECT__FLOW_RUN_ID": "run-1",
        "PREFECT__CONTROL_PORT": "4711",
        "PREFECT_API_URL": "http://login:4200/api",
    }
    return subprocess.Popen(
        [str(site.checkout / "deploy" / "slurm" / "submit.sh"), *options],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def await_file(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


@pytest.fixture
def processes() -> Generator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def test_job_gets_the_options_that_have_a_value_and_executes_the_run(site: Site) -> None:
    let_python_be(site, 'echo "$@" "${PREFECT__CONTROL_PORT:-no port}" "$PWD"')

    said = submit(site, "--partition=", "--gres=gpu:2", "--constraint=", "--mem=8G")
    _, errors = said.communicate(timeout=60)

    assert said.returncode == 0, errors
    options = (site.cluster / "job-1" / "options").read_text().splitlines()
    assert {"--gres=gpu:2", "--mem=8G", "--job-name=pacaloom-run-1"} <= set(options)
    assert not [option for option in options if option.endswith("=")]
    # The node cannot reach the worker's own line to its children.
    command = "-P -m prefect flow-run execute run-1 no port"
    assert site.log.read_text().strip() == f"{command} {site.checkout}"


def test_status_of_the_job_is_the_status_and_its_last_lines_are_said(site: Site) -> None:
    let_python_be(site, "echo out of memory; exit 7")

    said = submit(site)
    _, errors = said.communicate(timeout=60)

    assert said.returncode == 7
    assert "out of memory" in errors
    assert str(site.log) in errors


def test_waiting_job_is_taken_out_of_the_queue_at_sigterm(
    site: Site, processes: list[subprocess.Popen[str]]
) -> None:
    (site.cluster / "full").touch()
    said = submit(site)
    processes.append(said)
    await_file(site.cluster / "job-1" / "state")

    said.send_signal(signal.SIGTERM)
    said.communicate(timeout=60)

    assert said.returncode == 143
    assert (site.cluster / "job-1" / "status").read_text() == "1"


def test_job_that_ends_by_itself_is_not_disturbed_at_sigterm(
    site: Site, processes: list[subprocess.Popen[str]]
) -> None:
    # As Prefect in the job does when it hears of the cancellation.
    let_python_be(
        site, "touch began; while [ ! -e ended ]; do sleep 0.1; done; sleep 1; touch whole"
    )
    said = submit(site)
    processes.append(said)
    await_file(site.checkout / "began")

    said.send_signal(signal.SIGTERM)
    (site.checkout / "ended").touch()
    said.communicate(timeout=60)

    assert said.returncode == 0
    assert (site.checkout / "whole").exists()
    # The last word to the queue, for the case that it does not answer; nothing was there to end.
    assert (site.cluster / "scancel.log").read_text() == "--name --user\n"


def test_job_that_stays_is_asked_by_sigterm_first(
    site: Site, processes: list[subprocess.Popen[str]]
) -> None:
    let_python_be(site, "trap 'touch kept; exit 0' TERM; touch began; while :; do sleep 0.1; done")
    said = submit(site)
    processes.append(said)
    await_file(site.checkout / "began")

    said.send_signal(signal.SIGTERM)
    said.communicate(timeout=60)

    # Otherwise Prefect would call the run crashed that it has just scheduled anew.
    assert said.returncode == 0
    assert (site.checkout / "kept").exists()
    first = (site.cluster / "scancel.log").read_text().splitlines()[0]
    assert first == "--batch --name --signal --user"


def test_machine_without_slurm_is_named(site: Site) -> None:
    shutil.rmtree(site.cluster.parent / "bin")

    said = submit(site)
    _, errors = said.communicate(timeout=60)

    assert said.returncode == 2
    assert "no sbatch on" in errors
