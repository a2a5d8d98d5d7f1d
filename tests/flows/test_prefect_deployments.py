"""A real server, work pool, worker and deployment run, in a home of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from distributed import LocalCluster

from tests.cli.command import ROOT, run_pacaloom

pytestmark = pytest.mark.prefect

RECORDS = [
    {"instruction": f"Name a city whose name starts with the letter {letter}.", "output": answer}
    for letter, answer in [("B", "Berlin."), ("C", "Cairo."), ("D", "Dublin.")]
] + [{"instruction": "부산에서 유명한 음식을 하나 말해 줘.", "output": "돼지국밥이 유명해."}]


class Services(NamedTuple):
    """What ``up`` left running."""

    api_url: str
    outputs: Path
    processes: list[psutil.Process]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Generator[Services]:
    outputs = tmp_path_factory.mktemp("outputs")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = run_pacaloom("up", "--port", str(port), outputs=outputs)
    try:
        assert started.status == 0, started.stderr
        notes = [json.loads(f.read_text()) for f in (outputs / "prefect").glob("*.json")]
        yield Services(
            f"http://127.0.0.1:{port}/api",
            outputs,
            [psutil.Process(note["pid"]) for note in notes],
        )
    finally:
        stopped = run_pacaloom("down", outputs=outputs)
        assert stopped.status == 0, stopped.stderr


def ask(services: Services, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{services.api_url}{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def run_deployment(services: Services, name: str, params: dict[str, Any]) -> str:
    environment = {
        **os.environ,  # noqa: TID251 - handed on to Prefect's own command
        "PREFECT_API_URL": services.api_url,
        "PREFECT_HOME": str(services.outputs / "client"),
    }
    done = subprocess.run(
        [
            sys.executable, "-m", "prefect", "deployment", "run", name,
            "--param", f"params={json.dumps(params, ensure_ascii=False)}", "--watch",
        ],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    return done.stdout + done.stderr


def read_schedule(services: Services) -> dict[str, list[str]]:
    """Deployment name -> the times of its scheduled runs."""
    runs = ask(services, "/flow_runs/filter", {
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "limit": 200,
    })  # fmt: skip
    names = {one["id"]: one["name"] for one in ask(services, "/deployments/filter", {})}
    schedule: dict[str, list[str]] = {}
    for run in runs:
        times = schedule.setdefault(names[run["deployment_id"]], [])
        times.append(run["expected_start_time"])
    return schedule


def test_cron_deployments_get_scheduled_runs(services: Services) -> None:
    # With a newer SQLAlchemy, deploying succeeds and no run is ever created, without a word.
    deadline = time.monotonic() + 120
    while len(schedule := read_schedule(services)) < 3 and time.monotonic() < deadline:
        time.sleep(1)

    assert set(schedule) == {"nightly-en", "nightly-ko", "weekly"}
    # 03:00 in Seoul is 18:00 UTC the day before.
    assert all("T18:00:00" in night for night in schedule["nightly-ko"])


def test_every_deployment_is_there_with_its_parameters(services: Services) -> None:
    flows = {one["id"]: one["name"] for one in ask(services, "/flows/filter", {})}
    found = ask(services, "/deployments/filter", {})

    names = {f"{flows[one['flow_id']]}/{one['name']}" for one in found}
    assert names == {
        "generate/nightly-en", "generate/nightly-ko", "retrain/weekly", "retrain/demo",
        "finetune/qlora", "evaluate-model/matrix",
    }  # fmt: skip
    assert all(one["description"] and one["tags"] for one in found)


def test_wrong_parameters_are_refused_before_anything_runs(services: Services) -> None:
    said = run_deployment(services, "generate/nightly-ko", {"quota": {"ko": 1}, "colour": "red"})

    assert "colour" in said


def test_flow_on_the_server_shows_its_artifacts(services: Services) -> None:
    source = services.outputs / "r.jsonl"
    source.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in RECORDS), "utf-8")

    done = run_pacaloom(
        "curate", "--name", "cities", "--input", str(source), "--prefect",
        outputs=services.outputs, PREFECT_API_URL=services.api_url,
    )  # fmt: skip

    assert done.status == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["generated"] == 4
    artifacts = {one["key"]: one["data"] for one in ask(services, "/artifacts/filter", {})}
    assert {"funnel-cities", "card-cities"} <= set(artifacts)
    assert result["content_hash"] in artifacts["card-cities"]


@pytest.mark.slow
def test_cluster_of_two_workers_keeps_what_one_process_keeps(services: Services) -> None:
    source = services.outputs / "many.jsonl"
    rows = [
        {"instruction": f"Explain topic {n} to class {n % 7}.", "output": f"Topic {n} is {n * n}."}
        for n in range(6000)
    ]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    arguments = ("curate", "--input", str(source), "--seeds", "none")

    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    )
    with cluster:
        address = str(cluster.scheduler_address)
        there = run_pacaloom(
            *arguments, "--name", "cluster", "--prefect", "--cluster", address,
            outputs=services.outputs, PREFECT_API_URL=services.api_url,
        )  # fmt: skip
    here = run_pacaloom(*arguments, "--name", "one", "--processes", "1", outputs=services.outputs)

    assert there.status == 0, there.stderr
    hashes = [json.loads(done.stdout.splitlines()[-1])["content_hash"] for done in (there, here)]
    assert hashes[0] == hashes[1]


def test_cluster_that_does_not_answer_is_named(services: Services) -> None:
    source = services.outputs / "few.jsonl"
    source.write_text(json.dumps(RECORDS[0]), encoding="utf-8")

    done = run_pacaloom(
        "curate", "--input", str(source), "--name", "few", "--prefect",
        "--cluster", "tcp://127.0.0.1:9",
        outputs=services.outputs, PREFECT_API_URL=services.api_url,
    )  # fmt: skip

    assert done.status == 2
    assert "No Dask scheduler answers" in done.stderr.splitlines()[-1]


def test_demo_deployment_runs_through_the_worker_and_shows_its_artifacts(
    services: Services, smollm2_checkpoint: Path
) -> None:
    said = run_deployment(services, "retrain/demo", {
        "name": "tiny", "model": "smollm2-135m", "student": "smollm2-135m", "quota": {"en": 4},
        "max_requests": 40, "max_steps": 1, "min_rows": 2, "limit": 3, "shots": [0, 1],
    })  # fmt: skip

    assert "finished successfully" in said
    artifacts = {one["key"]: one["data"] for one in ask(services, "/artifacts/filter", {})}
    wanted = {"funnel-tiny", "card-tiny", "matrix-tiny", "verdict-tiny", "progress-generate"}
    assert wanted <= set(artifacts)
    assert "| `movie-sentiment-ko` |" in artifacts["matrix-tiny"]
    assert artifacts["verdict-tiny"].splitlines()[0] in {"# Promote", "# Hold", "# Reject"}


def test_deployment_runs_through_the_worker_and_fails_with_the_reason(services: Services) -> None:
    said = run_deployment(services, "finetune/qlora", {"dataset": "unheard-of"})

    assert "Failed" in said
    runs = ask(services, "/flow_runs/filter", {
        "flow_runs": {"state": {"type": {"any_": ["FAILED"]}}},
    })  # fmt: skip
    assert any("No dataset 'unheard-of'" in run["state"]["message"] for run in runs)


def test_mistake_in_a_prefect_run_ends_in_one_line_without_a_traceback(
    services: Services,
) -> None:
    done = run_pacaloom(
        "curate", "--name", "unheard-of", "--prefect",
        outputs=services.outputs, PREFECT_API_URL=services.api_url,
    )  # fmt: skip

    assert done.status == 2
    assert done.stderr.splitlines()[-1].startswith("pacaloom: error: No drafts of 'unheard-of'")
    assert "Traceback" not in done.stderr


def test_everything_listens_on_this_machine_only(services: Services) -> None:
    listening = [
        connection.laddr.ip
        for process in services.processes
        for one in [process, *process.children(recursive=True)]
        for connection in one.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]

    assert listening
    assert set(listening) == {"127.0.0.1"}
