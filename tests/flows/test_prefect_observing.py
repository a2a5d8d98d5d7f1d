"""What people are told and shown of runs on a real server, with a real worker and webhook."""

import json
import socket
from collections.abc import Generator

import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from benchmarks.service_house import kill
from flows.deployed.progress_artifact import ProgressArtifact
from flows.deployed.run_processes import find_processes
from flows.observing.masking import Mask
from flows.observing.run_log import RunLog
from tests.flows.notified import Message, Webhook
from tests.flows.prefect_house import PrefectHouse, wait_for

pytestmark = pytest.mark.prefect


@pytest.fixture
def silent_teacher() -> Generator[str]:
    """Give the address of one that takes requests and never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/v1"


def events_of(house: PrefectHouse, run: str) -> list[str]:
    """Name what the log has of a run, the newest first."""
    return [line.event for line in RunLog(house.outputs / "logs", Mask([])).read_back(run)]


def messages_of(webhook: Webhook, run: str) -> list[Message]:
    return [message for message in webhook.messages if run in message.body]


def test_run_that_is_killed_without_a_word_is_told_of(
    house: PrefectHouse, webhook: Webhook, silent_teacher: str
) -> None:
    params = {"name": "killed", "model": "silent", "quota": {"en": 2}}
    run = house.start("nightly-en", params, OPENAI_BASE_URL=silent_teacher)
    wait_for("step", lambda: "step-started" in events_of(house, run))

    # An earlier run's process may still be ending.
    kill(find_processes().families[run])

    [message] = wait_for("message", lambda: messages_of(webhook, run))
    assert message.title == "Pacaloom: generate of killed crashed"
    assert message.kind == "failure"
    assert f"/runs/flow-run/{run}" in message.body
    assert events_of(house, run)[0] == "run-crashed"


def test_run_that_failed_says_why_in_one_line_and_people_are_told_once(
    house: PrefectHouse, webhook: Webhook
) -> None:
    done = house.command("curate", "--name", "unheard-of", "--prefect")

    assert done.status == 2
    assert done.stderr.splitlines()[-1].startswith("pacaloom: error: No drafts of 'unheard-of'")
    assert "Traceback" not in done.stderr
    [message] = [one for one in webhook.messages if "unheard-of" in one.title]
    assert message.title == "Pacaloom: curate of unheard-of failed"
    assert "No drafts of 'unheard-of'" in message.body


def test_bar_that_somebody_deletes_ends_no_run(house: PrefectHouse) -> None:
    @flow
    def lose_the_bar() -> None:
        bar = ProgressArtifact("train once more")
        bar.update(1, 2, "")
        made = house.artifacts()["progress-train-once-more"]
        house.ask(f"/artifacts/{made['id']}", method="DELETE")
        bar.update(2, 2, "")

    with temporary_settings({PREFECT_API_URL: house.api_url}):
        lose_the_bar()

    assert "progress-train-once-more" not in house.artifacts()


def test_artifacts_on_the_server_link_to_each_other_and_name_the_version(
    house: PrefectHouse,
) -> None:
    source = house.outputs / "food.jsonl"
    source.write_text(
        '{"instruction": "부산에서 유명한 음식을 하나 말해 줘.", "output": "돼지국밥이 유명해."}',
        "utf-8",
    )

    done = house.command("curate", "--name", "food", "--input", str(source), "--prefect")

    assert done.status == 0, done.stderr
    pages = house.artifacts()
    card, funnel = pages["card-food"], pages["funnel-food"]
    assert json.loads(done.stdout.splitlines()[-1])["content_hash"] in card["data"]
    assert f"[funnel](./{funnel['id']})" in card["data"]
    assert f"[card](./{card['id']})" in funnel["data"]
    assert "dataset `food/0001-" in funnel["data"].splitlines()[0]
    assert f"../../runs/flow-run/{card['flow_run_id']}" in card["data"]
