"""A Prefect server on a real PostgreSQL, as `./pacaloom up` and as the compose file start it."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import make_url

from benchmarks.service_house import House, find_free_port
from tests.cli.command import ROOT, run_pacaloom
from tests.deploy.postgres_server import running_postgres
from tests.deploy.prefect_services import prefect_variables, running_server

pytestmark = [pytest.mark.prefect, pytest.mark.slow]


class Installation(NamedTuple):
    """Outputs and a database, both of a test's own."""

    house: House
    database: str

    @property
    def password(self) -> str:
        password = make_url(self.database).password
        assert password
        return password


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Generator[Installation]:
    # pytest's own folders are closed to other users, such as PostgreSQL's.
    folder = Path(tempfile.mkdtemp(prefix="pacaloom-postgres-"))
    try:
        with running_postgres(folder) as url:
            yield Installation(House(tmp_path_factory.mktemp("outputs"), find_free_port()), url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_texts(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def up(installation: Installation) -> Generator[str]:
    """Run ``./pacaloom up`` on the database; yield all that it said."""
    started = run_pacaloom(
        "up", "--port", str(installation.house.port), outputs=installation.house.outputs,
        PREFECT_API_DATABASE_CONNECTION_URL=installation.database,
    )  # fmt: skip
    try:
        assert started.status == 0, started.stderr
        yield started.stdout + started.stderr
    finally:
        assert run_pacaloom("down", outputs=installation.house.outputs).status == 0


@contextmanager
def server_of_compose(installation: Installation, tmp_path: Path) -> Generator[dict[str, str]]:
    """Run the server as deploy/compose.yaml does; yield the environment of its clients."""
    url = make_url(installation.database)
    secret = tmp_path / "postgres-password"
    secret.write_text(installation.password)
    client = prefect_variables(installation.house)
    environment = client | {
        "PREFECT_SERVER_DATABASE_DRIVER": url.drivername,
        "PREFECT_SERVER_DATABASE_HOST": str(url.host),
        "PREFECT_SERVER_DATABASE_PORT": str(url.port),
        "PREFECT_SERVER_DATABASE_NAME": str(url.database),
        "PREFECT_SERVER_DATABASE_USER": str(url.username),
        "PREFECT_SERVER_DATABASE_PASSWORD_FILE": str(secret),
        "PREFECT_UI_STATIC_DIRECTORY": str(tmp_path / "ui"),
    }
    log = installation.house.outputs / "logs" / "compose.log"
    entrypoint = str(ROOT / "deploy" / "entrypoint.sh")
    with running_server(installation.house, environment, log, entrypoint):
        yield client


def curate(house: House) -> tuple[str, dict[str, Any]]:
    """Curate a record by a deployment; return the run's id and its last state."""
    records = house.outputs / "records.jsonl"
    record = {"instruction": "한강이 흐르는 도시는?", "output": "서울을 지나 흐른다."}
    records.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    params = {"name": "seoul", "input": str(records)}
    run = house.start_run("curate/after-generation", params, {})
    house.await_end(run, 240)
    return run, house.ask(f"/flow_runs/{run}")["state"]


def test_history_in_postgres_survives_a_restart_and_the_password_is_nowhere(
    installation: Installation, tmp_path: Path
) -> None:
    with up(installation) as said:
        run, ended = curate(installation.house)
        count = installation.house.ask("/deployments/count", {})
    assert ended["name"] == "Completed"

    with server_of_compose(installation, tmp_path) as environment:
        assert installation.house.ask(f"/flow_runs/{run}")["state"] == ended
        made = subprocess.run(
            [str(ROOT / "deploy" / "make_deployments.sh"), "process"],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        # It renews what `up` has made, and adds nothing.
        assert made.stdout.startswith("Renewed work pool 'local' of type process.")
        assert installation.house.ask("/deployments/count", {}) == count

    assert installation.password not in said + made.stdout + made.stderr
    written = {
        path: path.read_bytes() for path in installation.house.outputs.rglob("*") if path.is_file()
    }
    assert not [path for path, text in written.items() if installation.password.encode() in text]
    assert not [path for path in written if path.name == "prefect.db"]
