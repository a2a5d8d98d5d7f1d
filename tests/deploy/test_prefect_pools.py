"""Flow runs through the pools of deploy/work-pools: real server and workers, a double of Slurm."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from benchmarks.service_house import House, find_free_port
from tests.cli.command import ROOT
from tests.deploy.prefect_services import (
    prefect_variables,
    run_prefect,
    running,
    running_server,
    search_path,
)
from tests.deploy.slurm_double import install

pytestmark = pytest.mark.prefect

START_WORKER = str(ROOT / "deploy" / "start_worker.sh")

# Writes down its process, then works until it is told to end; continues when it was interrupted.
FLOW = '''
import os
import time
from pathlib import Path

from prefect import flow


@flow
def train(folder: str) -> None:
    """Train for ever, but finish at once what an earlier job began."""
    began = Path(folder) / "began"
    if began.exists():
        (Path(folder) / "continued").touch()
        return
    beginning = began.with_suffix(".part")
    beginning.write_text(str(os.getpid()))
    try:
        # Whoever sees it may stop this run at once.
        beginning.rename(began)
        time.sleep(600)
    finally:
        (Path(folder) / "kept").touch()
'''


class Cluster(NamedTuple):
    """A server whose pool submits to a double of Slurm."""

    house: House
    folder: Path
    environment: dict[str, str]

    def start(self, deployment: str, parameters: dict[str, Any]) -> str:
        found = self.house.ask(f"/deployments/name/{deployment}")
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return self.house.ask(f"/deployments/{found['id']}/create_flow_run", body)["id"]

    def end_of(self, run_id: str) -> str:
        return self.house.await_end(run_id, 240).type

    def jobs(self, run_id: str) -> list[Path]:
        jobs = sorted((self.folder / "cluster").glob("job-*"))
        return [job for job in jobs if (job / "name").read_text() == f"pacaloom-{run_id}"]


def make_pool(*arguments: str, **environment: str) -> None:
    script = str(ROOT / "deploy" / "make_work_pool.py")
    made = subprocess.run(
        [sys.executable, "-P", script, arguments[0], *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


def deploy_train(house: House, folder: Path, pool: str, variables: dict[str, Any]) -> None:
    """Do what ``prefect deploy`` does, in a tenth of a second."""
    step = "prefect.deployments.steps.set_working_directory"
    house.ask("/deployments/", {
        "name": pool, "flow_id": house.ask("/flows/", {"name": "train"})["id"],
        "entrypoint": "train.py:train", "pull_steps": [{step: {"directory": str(folder)}}],
        "work_pool_name": pool, "job_variables": variables,
    })  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cluster]:
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "cluster").mkdir()
    (folder / "outputs" / "prefect").mkdir(parents=True)
    install(folder / "bin")
    house = House(folder / "outputs", find_free_port())
    environment = prefect_variables(house) | {
        "SLURM_DOUBLE": str(folder / "cluster"),
        "PATH": search_path(folder / "bin"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    with running_server(house, environment, folder / "server.log"):
        make_pool("slurm", f"folder={ROOT}", "gpus=gpu:a100:2", "partition=long", **environment)
        (folder / "train.py").write_text(FLOW)
        deploy_train(house, folder, "slurm", {"cpus": 3})
        run_prefect(
            "--no-prompt", "deploy", "flows/curate.py:curate", "-n", "gpu", "--pool", "slurm",
            "-jv", '{"cpus": 3}',
            environment=environment,
        )  # fmt: skip
        with running(
            START_WORKER, "--pool", "slurm", environment=environment, log=folder / "worker.log"
        ):
            yield Cluster(house, folder, environment)


def await_file(path: Path) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.1)


def test_flow_run_is_executed_in_a_job_with_the_gpus_asked_for(cluster: Cluster) -> None:
    source = cluster.folder / "records.jsonl"
    record = {"instruction": "Name a city on the Nile.", "output": "Cairo lies on the Nile."}
    source.write_text(json.dumps(record), encoding="utf-8")

    run = cluster.start("curate/gpu", {"params": {"name": "nile", "input": str(source)}})

    assert cluster.end_of(run) == "COMPLETED"
    (job,) = cluster.jobs(run)
    options = set((job / "options").read_text().splitlines())
    # The pool's, and the deployment's own.
    assert {"--gres=gpu:a100:2", "--partition=long", "--cpus-per-task=3"} <= options
    # Prefect says that the run has ended a moment before its process has.
    await_file(job / "status")
    assert (job / "status").read_text() == "0"
    (version,) = (cluster.folder / "outputs" / "datasets" / "nile").glob("0*")
    assert (version / "manifest.json").exists()


def test_cancelled_run_ends_its_job_and_keeps_its_work(cluster: Cluster) -> None:
    folder = cluster.folder / "cancelled"
    folder.mkdir()
    run = cluster.start("train/slurm", {"folder": str(folder)})
    await_file(folder / "began")
    engine = psutil.Process(int((folder / "began").read_text()))

    cluster.house.ask(f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})

    assert cluster.end_of(run) == "CANCELLED"
    await_file(folder / "kept")
    (job,) = cluster.jobs(run)
    await_file(job / "status")
    # Left alone by the job's script, it takes a moment to go.
    engine.wait(120)


def test_run_at_its_time_limit_continues_in_another_job(cluster: Cluster) -> None:
    folder = cluster.folder / "limited"
    folder.mkdir()
    run = cluster.start("train/slurm", {"folder": str(folder)})
    await_file(folder / "began")
    (job,) = cluster.jobs(run)

    # What --signal=B:TERM@120 makes Slurm do two minutes before the limit.
    psutil.Process(int((job / "pid").read_text())).terminate()

    assert cluster.end_of(run) == "COMPLETED"
    assert (folder / "kept").exists()
    assert (folder / "continued").exists()
    assert len(cluster.jobs(run)) == 2


def test_stopped_worker_lets_its_run_write_down_what_it_has(cluster: Cluster) -> None:
    make_pool("process", **cluster.environment)
    deploy_train(cluster.house, cluster.folder, "process", {})
    folder = cluster.folder / "stopped"
    folder.mkdir()
    log = cluster.folder / "process.log"
    worker = (START_WORKER, "--pool", "process")
    with running(*worker, environment=cluster.environment, log=log) as process:
        run = cluster.start("train/process", {"folder": str(folder)})
        await_file(folder / "began")

        process.terminate()
        process.wait(90)

    assert (folder / "kept").exists()
    assert cluster.end_of(run) == "CRASHED"
