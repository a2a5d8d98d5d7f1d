"""A real server, worker and run, killed in mid-run and continued."""

import json
import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from benchmarks.endpoint import ROOT
from benchmarks.kills import read_questions
from benchmarks.scripted.question import read_request
from benchmarks.service_house import kill
from flows.deployed.expired_questions import tell_of_expired_questions
from flows.deployed.recovery import end_run, recover
from flows.deployed.run_processes import RunProcess, describe_this_process, write_labels
from flows.settings import Settings
from tests.flows.live_journal import count_answers
from tests.flows.notified import Webhook, run_webhook
from tests.flows.prefect_house import PrefectHouse, wait_for
from tests.generation.scripted_server import Asked, ScriptedServer, Trick, serve

pytestmark = pytest.mark.prefect

_ANSWERS = 6
_CONCURRENCY = 2


class Hesitation:
    """Gives some answers, then none until it is over: no run ends before it is killed."""

    def __init__(self) -> None:
        self.is_over = False

    def __call__(self, number: int, _asked: Asked) -> Trick | None:
        return Trick(hang=True) if number > _ANSWERS and not self.is_over else None


@pytest.fixture
def hesitation() -> Hesitation:
    return Hesitation()


@pytest.fixture
def hesitant(hesitation: Hesitation) -> Generator[ScriptedServer]:
    with serve(hesitation) as teacher:
        yield teacher


def start_run(house: PrefectHouse, teacher: ScriptedServer, name: str) -> str:
    """Start a run, and wait until it has paid for some answers and gets no further."""
    # Ended as a pilot, it starts no curation of what it has written.
    params = {
        "name": name, "model": "scripted", "concurrency": _CONCURRENCY,
        "quota": {"en": 40}, "pilot": 0.5, "pilot_only": True,
        "curation": {"stage": ["schema", "duplicate"]},
    }  # fmt: skip
    environment = {"OPENAI_BASE_URL": teacher.base_url, "OPENAI_API_KEY": "none"}
    run_id = house.start_run("generate/nightly-en", params, environment)
    wait_for("answers", lambda: count_answers(journal_of(house, name)) == _ANSWERS)
    return run_id


def count_questions(teacher: ScriptedServer) -> Counter[str]:
    """Count how often each question came, by the name that it has in a journal."""
    bodies = (json.dumps(asked.body).encode() for asked in teacher.asked)
    return Counter(read_request(body).question for body in bodies)


def retry(house: PrefectHouse, run_id: str) -> None:
    """Do what the message says."""
    environment = {**house.environment(), "PREFECT_API_URL": house.api_url}
    command = [sys.executable, "-m", "prefect", "flow-run", "retry", run_id]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


def journal_of(house: PrefectHouse, name: str) -> Path:
    return house.outputs / "journals" / f"{name}.sqlite"


def make_run(house: PrefectHouse, state: str, process: RunProcess) -> str:
    """Make a run that is in a state and has told which process works on it."""
    flow_id = house.ask("/flows/", {"name": "generate"})["id"]
    run = {"flow_id": flow_id, "labels": write_labels(process)}
    run_id = house.ask("/flow_runs/", run)["id"]
    house.ask(f"/flow_runs/{run_id}/set_state", {"state": {"type": state}, "force": True})
    return run_id


def test_only_runs_whose_process_here_is_gone_are_marked_and_people_told(
    house: PrefectHouse, tmp_path: Path
) -> None:
    gone = RunProcess(platform.node(), 2**22 + 1, 0.0)
    runs = {
        "CRASHED": make_run(house, "RUNNING", gone),
        "CANCELLED": make_run(house, "CANCELLING", gone),
        "RUNNING": make_run(house, "RUNNING", describe_this_process()),
        "PENDING": make_run(house, "PENDING", gone._replace(host="another machine")),
    }
    said: list[str] = []

    with run_webhook() as webhook:
        settings = Settings(outputs=tmp_path, notify=SecretStr(webhook.address))
        assert recover(settings, house.api_url, said.append) == 2

    assert {state: house.read_state(run_id).type for state, run_id in runs.items()} == {
        state: state for state in runs
    }
    assert any("was being cancelled" in line for line in said)
    assert any("Run the same command again" in line for line in said)
    [message] = webhook.messages
    assert message.title == "Pacaloom: generate crashed"
    assert runs["CRASHED"] in message.body
    assert recover(settings, house.api_url, said.append) == 0
    assert len(said) == 2
    for state in ("RUNNING", "PENDING"):
        house.ask(
            f"/flow_runs/{runs[state]}/set_state", {"state": {"type": "CANCELLED"}, "force": True}
        )


def test_run_that_ends_by_itself_while_it_is_looked_at_stays_as_it_ended(
    house: PrefectHouse, tmp_path: Path
) -> None:
    run_id = make_run(house, "RUNNING", describe_this_process())
    with run_webhook() as webhook, SyncPrefectClient(api=house.api_url) as client:
        seen = client.read_flow_run(UUID(run_id))
        house.ask(f"/flow_runs/{run_id}/set_state", {"state": {"type": "COMPLETED"}, "force": True})

        settings = Settings(outputs=tmp_path, notify=SecretStr(webhook.address))
        assert not end_run(settings, client, seen, "Its process is gone.")

    assert house.read_state(run_id).type == "COMPLETED"
    assert webhook.messages == []


def expire_question(house: PrefectHouse) -> str:
    """Have the server fail a run whose suspension ended in the past."""
    run_id = house.ask(
        f"/deployments/{house.deployments()['weekly']}/create_flow_run",
        {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00Z"}}},
    )["id"]
    paused = {
        "type": "PAUSED",
        "name": "Suspended",
        "state_details": {"pause_timeout": "2020-01-01T00:00:00Z", "pause_reschedule": True},
    }
    house.ask(f"/flow_runs/{run_id}/set_state", {"state": paused, "force": True})
    assert house.end_of(run_id).type == "FAILED"
    return run_id


def test_question_that_nobody_answered_in_time_is_told_of_once(
    house: PrefectHouse, tmp_path: Path
) -> None:
    run_id = expire_question(house)
    warnings: list[str] = []

    with run_webhook() as webhook, temporary_settings({PREFECT_API_URL: house.api_url}):
        settings = Settings(outputs=tmp_path, notify=SecretStr(webhook.address))
        for _ in range(2):
            tell_of_expired_questions(settings, warnings.append)

    assert warnings == []
    [message] = [one for one in webhook.messages if run_id in one.body]
    assert message.title.endswith("failed")
    assert "Nobody answered its question in time" in message.body
    assert f"prefect flow-run retry {run_id}" in message.body.replace("\n", " ")


def test_next_run_of_any_deployment_tells_of_a_question_that_nobody_answered(
    house: PrefectHouse, webhook: Webhook
) -> None:
    run_id = expire_question(house)

    # Nobody has planned it: a person started it.
    assert house.end_of(house.start("daily", {})).type == "COMPLETED"

    [message] = [one for one in webhook.messages if run_id in one.body]
    assert "Nobody answered its question in time" in message.body


def test_run_whose_worker_was_killed_ends_by_itself_and_its_retry_completes(
    house: PrefectHouse, hesitation: Hesitation, hesitant: ScriptedServer, webhook: Webhook
) -> None:
    run_id = start_run(house, hesitant, "worker-killed")

    kill(house.find("worker"))
    ended = house.end_of(run_id)

    assert ended.type == "CRASHED"
    assert "worker that started it is gone" in ended.message
    assert f"prefect flow-run retry {run_id}" in ended.message
    wait_for("end of its processes", lambda: not house.strangers())
    paid = read_questions(journal_of(house, "worker-killed"))
    before = count_questions(hesitant)
    assert len(paid) == _ANSWERS
    hesitation.is_over = True

    house.up()
    [told] = [one for one in webhook.messages if run_id in one.body]
    assert told.title == "Pacaloom: generate of worker-killed crashed"
    assert "worker that started it is gone" in told.body
    retry(house, run_id)

    assert house.end_of(run_id).type == "COMPLETED"
    after = count_questions(hesitant)
    assert all(after[question] == before[question] == 1 for question in paid)


def test_after_everything_was_killed_up_says_what_was_cut_off_and_the_retry_completes(
    house: PrefectHouse, hesitation: Hesitation, hesitant: ScriptedServer
) -> None:
    run_id = start_run(house, hesitant, "all-killed")
    services = [*house.find("server"), *house.find("worker")]

    kill(house.find("everything"))
    # A process that is killed takes a moment to go.
    wait_for("end of all", lambda: not house.processes())
    paid = read_questions(journal_of(house, "all-killed"))
    before = count_questions(hesitant)
    hesitation.is_over = True
    said = house.up()

    for name, process in zip(("server", "worker"), services, strict=True):
        assert f"The {name} of before (pid {process.pid}) is gone" in said
    assert f"`prefect flow-run retry {run_id}` continues" in said
    ended = house.read_state(run_id)
    assert ended.type == "CRASHED"
    assert "it was killed, or the machine went down" in ended.message
    assert house.read_tasks(run_id) <= {"CRASHED", "COMPLETED"}

    # The place in the deployment, of which there is one, is free again.
    retry(house, run_id)

    assert house.end_of(run_id).type == "COMPLETED"
    after = count_questions(hesitant)
    assert all(after[question] == before[question] == 1 for question in paid)
