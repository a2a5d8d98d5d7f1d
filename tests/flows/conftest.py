"""What is started once for all tests of the flows."""

from collections.abc import Generator

import pytest

from benchmarks.service_house import find_free_port
from tests.cli.command import run_pacaloom
from tests.flows.notified import Webhook, run_webhook
from tests.flows.prefect_house import Opened, PrefectHouse
from tests.generation.scripted_server import ScriptedServer, serve


@pytest.fixture(scope="session")
def teacher() -> Generator[ScriptedServer]:
    with serve() as server:
        yield server


@pytest.fixture(scope="session")
def webhook() -> Generator[Webhook]:
    with run_webhook() as server:
        yield server


@pytest.fixture(scope="session")
def opened(
    tmp_path_factory: pytest.TempPathFactory, teacher: ScriptedServer, webhook: Webhook
) -> Generator[Opened]:
    variables = {
        "OPENAI_BASE_URL": teacher.base_url,
        "PACALOOM_NOTIFY": webhook.address,
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "2",
    }
    house = PrefectHouse(tmp_path_factory.mktemp("outputs"), find_free_port(), variables)
    try:
        yield house.open()
        stopped = run_pacaloom("down", outputs=house.outputs)
        assert stopped.status == 0, stopped.stderr
        assert stopped.stderr.count("Stopped the") == 2
        assert not house.processes()
        again = run_pacaloom("down", outputs=house.outputs)
        assert (again.status, again.stderr.count("of ours is running")) == (0, 2)
    finally:
        house.down()


@pytest.fixture(scope="session")
def house(opened: Opened) -> PrefectHouse:
    """Whose tests count from what was there before."""
    return opened.house
