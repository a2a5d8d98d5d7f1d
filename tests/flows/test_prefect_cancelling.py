"""A run that somebody cancels is Cancelled, and nobody is told that it has crashed."""

from typing import Any

import pytest

from benchmarks.endpoint import ROOT
from tests.flows.notified import Message, Webhook
from tests.flows.prefect_house import PrefectHouse, wait_for

pytestmark = pytest.mark.prefect


def start_deferring(house: PrefectHouse) -> str:
    """Start the flow of ``deferring_flow.py`` and wait until it is at work."""
    flow_id = house.ask("/flows/", {"name": "deferring"})["id"]
    deployment = {
        "name": "deferring", "flow_id": flow_id, "work_pool_name": "local",
        "entrypoint": "tests/flows/deferring_flow.py:deferring",
        "pull_steps": [
            {"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}
        ],
    }  # fmt: skip
    made = house.ask("/deployments/", deployment)["id"]
    run_id = house.ask(f"/deployments/{made}/create_flow_run", {})["id"]
    wait_for("step", lambda: house.read_tasks(run_id) == {"RUNNING"})
    return run_id


def cancel(house: PrefectHouse, run_id: str) -> None:
    """Do what ``prefect flow-run cancel`` does."""
    house.ask(f"/flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLING"}})


def history_of(house: PrefectHouse, run_id: str) -> list[str]:
    states: list[dict[str, Any]] = house.ask(f"/flow_run_states/?flow_run_id={run_id}")
    return [state["type"] for state in sorted(states, key=lambda state: state["timestamp"])]


def messages_of(webhook: Webhook, run_id: str) -> list[Message]:
    return [message for message in webhook.messages if run_id in message.body]


def test_run_that_finishes_its_step_first_is_cancelled_without_having_crashed(
    house: PrefectHouse, webhook: Webhook
) -> None:
    run_id = start_deferring(house)

    cancel(house, run_id)

    assert house.end_of(run_id).type == "CANCELLED"
    wait_for("end of its processes", lambda: not house.strangers())
    history = history_of(house, run_id)
    assert history[-1] == "CANCELLED"
    assert "CRASHED" not in history
    assert messages_of(webhook, run_id) == []
    assert "CancelledRun" not in (house.outputs / "logs" / "worker.log").read_text("utf-8")
