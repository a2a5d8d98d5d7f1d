"""The deployments on a real server, and runs on it, of the worker and of commands."""

import calendar
import json
import urllib.error
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster

from tests.cli.command import run_pacaloom
from tests.finetuning.conftest import build_tiny_llama
from tests.flows.prefect_house import Opened, PrefectHouse

pytestmark = pytest.mark.prefect


def test_cron_deployments_get_scheduled_runs(opened: Opened) -> None:
    # With a newer SQLAlchemy, deploying succeeds and no run is ever created, without a word.
    assert set(opened.planned) == {"nightly-en", "nightly-ko", "weekly", "daily"}
    # 00:30, 01:00, 03:00 and 05:00 in Seoul are 9 hours earlier in UTC, on the day before.
    hours = {name: {time[10:19] for time in times} for name, times in opened.planned.items()}
    assert hours == {
        "nightly-en": {"T16:00:00"}, "nightly-ko": {"T18:00:00"}, "weekly": {"T20:00:00"},
        "daily": {"T15:30:00"},
    }  # fmt: skip
    days = {datetime.fromisoformat(time).weekday() for time in opened.planned["weekly"]}
    assert days == {calendar.SATURDAY}


def test_every_deployment_is_there_with_its_parameters(house: PrefectHouse) -> None:
    flows = {one["id"]: one["name"] for one in house.ask("/flows/filter", {})}
    # Another test on this server deploys a flow of its own.
    found = house.ask("/deployments/filter", {"deployments": {"tags": {"all_": ["pacaloom"]}}})

    names = {f"{flows[one['flow_id']]}/{one['name']}" for one in found}
    assert names == {
        "generate/nightly-en", "generate/nightly-ko", "curate/after-generation",
        "finetune/after-dataset", "evaluate-model/after-training", "retrain/weekly",
        "retrain/demo", "maintenance/daily",
    }  # fmt: skip
    assert all(one["description"] and one["tags"] for one in found)


def test_wrong_parameters_are_refused_before_anything_runs(house: PrefectHouse) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        house.start("nightly-ko", {"quota": {"ko": 1}, "colour": "red"})

    assert "colour" in refused.value.read().decode()


@pytest.mark.slow
def test_cluster_of_two_workers_keeps_what_one_process_keeps(house: PrefectHouse) -> None:
    source = house.outputs / "many.jsonl"
    rows = [
        {"instruction": f"Explain topic {n} to class {n % 7}.", "output": f"Topic {n} is {n * n}."}
        for n in range(2500)
    ]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    arguments = ("curate", "--input", str(source), "--seeds", "none")

    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    )
    with cluster:
        address = str(cluster.scheduler_address)
        there = house.command(*arguments, "--name", "cluster", "--prefect", "--cluster", address)
    here = run_pacaloom(*arguments, "--name", "one", "--processes", "1", outputs=house.outputs)

    assert there.status == 0, there.stderr
    hashes = [json.loads(done.stdout.splitlines()[-1])["content_hash"] for done in (there, here)]
    assert hashes[0] == hashes[1]


def test_cluster_that_does_not_answer_is_named(house: PrefectHouse, tmp_path: Path) -> None:
    source = tmp_path / "few.jsonl"
    source.write_text('{"instruction": "Name a city.", "output": "Berlin."}', encoding="utf-8")

    done = house.command(
        "curate", "--input", str(source), "--name", "few", "--prefect",
        "--cluster", "tcp://127.0.0.1:9",
    )  # fmt: skip

    assert done.status == 2
    assert "No Dask scheduler answers" in done.stderr.splitlines()[-1]


def test_demo_deployment_runs_through_the_worker_and_shows_its_artifacts(
    house: PrefectHouse, tmp_path: Path
) -> None:
    student = build_tiny_llama(tmp_path / "student")

    run_id = house.start("demo", {
        "name": "tiny", "model": "scripted", "student": str(student), "quota": {"en": 4},
        "max_requests": 40, "max_steps": 1, "min_rows": 2, "task": ["movie-sentiment-ko"],
        "limit": 2, "shots": [0],
    })  # fmt: skip

    ended = house.end_of(run_id)
    assert ended.type == "COMPLETED", ended.message
    artifacts = {key: one["data"] for key, one in house.artifacts().items()}
    wanted = {"funnel-tiny", "card-tiny", "matrix-tiny", "verdict-tiny", "progress-generate"}
    assert wanted <= set(artifacts)
    assert "| `movie-sentiment-ko` |" in artifacts["matrix-tiny"]
    headings = {"# Promote", "# Hold", "# Reject"}
    assert headings & set(artifacts["verdict-tiny"].splitlines())


def find_listening(service: psutil.Process) -> Iterator[str]:
    """Yield the address of each socket on which a service or its family listens."""
    for one in [service, *service.children(recursive=True)]:
        # The process of a run lives a moment longer than the run.
        with suppress(psutil.NoSuchProcess):
            for connection in one.net_connections():
                if connection.status == psutil.CONN_LISTEN:
                    yield connection.laddr.ip


def test_everything_listens_on_this_machine_only(house: PrefectHouse) -> None:
    (server,), (worker,) = house.find("server"), house.find("worker")

    listening = [*find_listening(server), *find_listening(worker)]

    assert listening
    assert set(listening) == {"127.0.0.1"}
