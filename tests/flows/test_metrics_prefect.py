"""What a real Prefect server has scheduled and run stands in the metrics."""

from collections.abc import Generator
from pathlib import Path

import pytest

from flows.settings import Settings
from tests.flows.metrics_making import Scraper, sample
from tests.flows.prefect_house import PrefectHouse

pytestmark = pytest.mark.prefect

DEPLOYMENT = "curate/measured"


@pytest.fixture
def deployment_id(house: PrefectHouse) -> Generator[str]:
    """Lend a deployment that nothing else runs."""
    flow_id = house.ask("/flows/", {"name": "curate"})["id"]
    deployment = house.ask("/deployments/", {"name": "measured", "flow_id": flow_id})["id"]
    yield deployment
    house.ask(f"/deployments/{deployment}", method="DELETE")


def end_run(house: PrefectHouse, deployment_id: str, state: str) -> None:
    """Have a flow run of the deployment end in a state, without running it."""
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2999-01-01T00:00:00Z"}}
    run = house.ask(f"/deployments/{deployment_id}/create_flow_run", {"state": later})["id"]
    for type_ in ("RUNNING", state):
        house.ask(f"/flow_runs/{run}/set_state", {"state": {"type": type_}, "force": True})


def test_queue_and_endings_are_those_of_the_server(house: PrefectHouse, deployment_id: str) -> None:
    # Without an address in the settings: `up` has written down which server it started.
    scraper = Scraper(Settings(outputs=house.outputs))
    failed = sample("pacaloom_prefect_last_run_failed", deployment=DEPLOYMENT)
    ended = "pacaloom_prefect_runs_ended_last_day"

    before = scraper.scrape()
    end_run(house, deployment_id, "FAILED")
    end_run(house, deployment_id, "CRASHED")
    bad = scraper.scrape()
    end_run(house, deployment_id, "COMPLETED")
    good = scraper.scrape()

    assert before[sample("pacaloom_prefect_up")] == 1
    assert before[sample("pacaloom_prefect_runs", deployment=DEPLOYMENT, state="Running")] == 0
    assert before[sample(ended, deployment=DEPLOYMENT, state="failed")] == 0
    assert failed not in before
    assert (bad[failed], good[failed]) == (1, 0)
    counts = {
        state: good[sample(ended, deployment=DEPLOYMENT, state=state)]
        for state in ("completed", "failed", "crashed", "cancelled")
    }
    assert counts == {"completed": 1, "failed": 1, "crashed": 1, "cancelled": 0}
    assert not scraper.said


def test_address_of_the_settings_is_asked(house: PrefectHouse, tmp_path: Path) -> None:
    scraper = Scraper(Settings(outputs=tmp_path, prefect_api_url=house.api_url))

    found = scraper.scrape()

    assert found[sample("pacaloom_prefect_up")] == 1
    ready = {dict(labels)["deployment"] for name, labels in found if name.endswith("_ready")}
    assert {"generate/nightly-ko", "retrain/weekly", "curate/after-generation"} <= ready
