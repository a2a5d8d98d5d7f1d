"""Deployments that follow each other, ask people, and catch up, as a server and a worker do it.

The teacher is an endpoint of ours; each of its requests is billed 18 tokens, $0.018 here.
"""

import json
from collections.abc import Generator
from threading import Lock
from typing import Any

import cloudpickle
import pytest
from prefect import flow
from prefect.context import serialize_context
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from benchmarks.service_house import ENDED
from flows.deployed.announcing import Origin, make_event
from flows.deployed.prefect_engine import PrefectEngine
from flows.milestones import DatasetPublished, DraftsWritten, Milestone, StudentTuned
from schemas.errors import PacaloomError
from tests.cli.command import run_pacaloom
from tests.flows.prefect_house import PrefectHouse, wait_for
from tests.generation.scripted_server import ScriptedServer

pytestmark = pytest.mark.prefect

ASKS = {"auto_approve": False, "unapproved_usd": 6.0}
NIGHT = {"model": "scripted", "curation": {"stage": ["schema", "duplicate"]}, "concurrency": 64}
PAID = NIGHT | {"quota": {"en": 400}, "price": {"input": 1000, "output": 1000}}
"""About $7.20, which is more than may be spent unasked."""


class UnreachableError(PacaloomError):
    may_pass = True


@pytest.fixture(scope="module", autouse=True)
def nothing_is_trained(house: PrefectHouse) -> Generator[None]:
    """Have trainings wait in a pool without a worker: none here is worth an hour."""
    house.ask("/work_pools/", {"name": "idle", "type": "process"})
    house.set_pool("after-dataset", "idle")
    yield
    # What some of these tests lead on to is of no interest to them, but in the way of others.
    curations = house.runs_of("after-generation")
    assert {house.end_of(run["id"]).type for run in curations} <= ENDED


def test_drafts_are_curated_and_the_dataset_is_trained_on(house: PrefectHouse) -> None:
    known = {name: len(house.runs_of(name)) for name in house.deployments()}
    written = house.start("nightly-en", NIGHT | {"name": "night.1", "quota": {"en": 12}})
    assert house.end_of(written).type == "COMPLETED"

    (curation,) = wait_for(
        "curation", lambda: house.runs_of("after-generation")[known["after-generation"] :]
    )
    assert curation["parameters"] == {"params": {"name": "night.1"}}
    assert house.end_of(curation["id"]).type == "COMPLETED"

    (training,) = wait_for(
        "training", lambda: house.runs_of("after-dataset")[known["after-dataset"] :]
    )
    (version,) = (house.outputs / "datasets" / "night.1").glob("0001-*")
    assert training["parameters"]["params"] == {
        "dataset": f"night.1/{version.name}", "method": "qlora", "student": "smollm2-135m",
    }  # fmt: skip


def test_only_what_leads_on_starts_the_next_deployment(house: PrefectHouse) -> None:
    drafts = DraftsWritten(
        name="x", teacher="t", generated=1, admitted=1, requests=1, usd=None,
        stopped_because="quotas-filled",
    )  # fmt: skip
    dataset = DatasetPublished(name="x", dataset="x/1", kept=1, rejected=0, is_new=True)
    student = StudentTuned(name="x", model="x/1", dataset="x/1", loss_before=1, loss_after=1)
    known = {name: len(house.runs_of(name)) for name in house.deployments()}

    def reach(milestone: Milestone, flow: str) -> None:
        event = make_event(milestone, Origin(flow, "r", is_deployed=True, is_restart=False))
        house.ask("/events", [event.model_dump(mode="json")])

    for milestone in (drafts, dataset, student):
        reach(milestone, "retrain")
    reach(drafts.model_copy(update={"stopped_because": "pilot-done"}), "generate")
    reach(dataset.model_copy(update={"is_new": False}), "curate")
    # Events are looked at in their order, so this one comes after all others.
    reach(student.model_copy(update={"model": "x/0007-ef"}), "finetune")

    def find_evaluations() -> list[dict[str, Any]]:
        return house.runs_of("after-training")[known["after-training"] :]

    (evaluation,) = wait_for("evaluation", find_evaluations)
    assert evaluation["parameters"]["params"] == {
        "model": ["x/0007-ef"], "promote": True, "approval": {"auto_approve": False},
    }  # fmt: skip
    grown = {name for name in known if len(house.runs_of(name)) > known[name]}
    assert grown == {"after-training"}
    assert "x/0007-ef" in house.end_of(evaluation["id"]).message


def test_yes_in_the_form_lets_the_run_go_on_and_nothing_is_paid_again(
    house: PrefectHouse, teacher: ScriptedServer
) -> None:
    before = len(teacher.questions)
    run_id = house.start("nightly-en", PAID | {"name": "yes", "approval": ASKS})
    house.await_question(run_id)

    question = house.artifacts()["question-spend-yes"]["data"]
    assert question.startswith(r"# Spend up to \$7.")
    name = house.run(run_id)["name"]
    assert f"./pacaloom answer {name} yes" in question
    listed = run_pacaloom("answer", outputs=house.outputs)
    assert f"{name}  {run_id}  waits until" in listed.stdout
    assert "Spend up to" in listed.stdout
    wrong = run_pacaloom("answer", "nobody", "yes", outputs=house.outputs)
    assert (wrong.status, name in wrong.stderr) == (2, True)
    assert "'answer' is a required property" in str(house.resume(run_id, {"remark": "hm"}))
    remark = ("--remark", "Mina <b>agrees</b>")
    answered = run_pacaloom("answer", run_id[:8], "yes", *remark, outputs=house.outputs)
    assert answered.stdout == f"Answered yes: {name} goes on.\n", answered.stderr

    assert house.end_of(run_id).type == "COMPLETED"
    asked = teacher.questions[before:]
    assert len(asked) == len(set(asked)) == 400
    # The last lines come a moment after the state.
    wait_for("remark", lambda: "Answered yes. Mina <b>agrees</b>" in house.read_log(run_id))


def test_no_in_the_form_ends_the_run_and_says_which_question(
    house: PrefectHouse, teacher: ScriptedServer
) -> None:
    before = teacher.bill.requests
    run_id = house.start("nightly-en", PAID | {"name": "no", "approval": ASKS, "random_seed": 1})
    house.await_question(run_id)
    house.resume(run_id, {"answer": "no"})

    state = house.end_of(run_id)
    assert state.type == "FAILED"
    assert "NotApprovedError: Spend up to $" in state.message
    assert "The answer is no" in state.message
    assert teacher.bill.requests - before < 40


def test_question_that_nobody_answers_in_time_ends_the_run(house: PrefectHouse) -> None:
    impatient = ASKS | {"wait_hours": 3 / 3600}
    run_id = house.start(
        "nightly-en", PAID | {"name": "late", "approval": impatient, "random_seed": 2}
    )

    state = house.end_of(run_id)
    assert (state.type, state.message) == ("FAILED", "The flow was paused and never resumed.")


def test_command_that_nobody_could_start_again_is_not_suspended(house: PrefectHouse) -> None:
    done = house.command(
        "generate", "--name", "typed", "--model", "scripted", "--quota", "en=400", "--prefect",
        "--price.input", "1000", "--price.output", "1000", "--no-approval.auto-approve",
        "--approval.unapproved-usd", "0",
    )  # fmt: skip

    assert done.status == 2
    assert "there is no terminal to ask at" in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("pacaloom: error: Spend more than $0.00")


def test_one_run_stands_for_all_nights_that_were_missed(house: PrefectHouse) -> None:
    house.set_params("nightly-ko", NIGHT | {"name": "missed", "quota": {"ko": 4}, "grow": True})

    runs = house.miss_nights("nightly-ko", count=5, ended_days_ago=0)

    wait_for("end of all", lambda: {house.read_state(run).type for run in runs} <= ENDED)
    names = sorted(house.run(run)["state"]["name"] for run in runs)
    assert names == ["Cancelled"] * 4 + ["Completed"]
    drafts = json.loads((house.outputs / "drafts" / "missed.json").read_text())
    assert len(drafts["runs"]) == 1


def test_no_further_night_asks_while_one_waits_for_an_answer(house: PrefectHouse) -> None:
    asking = PAID | {"name": "asking", "quota": {"ko": 400}, "approval": ASKS}
    house.set_params("nightly-ko", asking)
    (first,) = house.miss_nights("nightly-ko", count=1, ended_days_ago=20)
    house.await_question(first)

    runs = house.miss_nights("nightly-ko", count=3, ended_days_ago=10)

    wait_for("end of all", lambda: {house.read_state(run).type for run in runs} <= ENDED)
    states = [house.run(run)["state"] for run in runs]
    assert sorted(one["name"] for one in states) == ["Cancelled", "Cancelled", "Skipped"]
    assert sum("still waits for an answer: http" in one["message"] for one in states) == 1
    assert house.read_state(first).type == "PAUSED"


def test_teacher_that_is_away_is_waited_for_in_a_task_that_people_see(house: PrefectHouse) -> None:
    failures = [UnreachableError("no route to the teacher")] * 2

    def ask_teacher() -> str:
        if failures:
            raise failures.pop()
        return "answered"

    @flow(name="insisting")
    def insisting() -> str:
        return PrefectEngine(waits_s=(0.1, 0.2, 0.3)).insist("generate", ask_teacher)

    with temporary_settings({PREFECT_API_URL: house.api_url}):
        state = insisting(return_state=True)
        assert state.result() == "answered"

    run_id = str(state.state_details.flow_run_id)

    def read_tasks() -> list[str]:
        runs = {"flow_runs": {"id": {"any_": [run_id]}}}
        return sorted(one["name"] for one in house.ask("/task_runs/filter", runs))

    waits = ["wait 0.1 s, then generate again", "wait 0.2 s, then generate again"]
    wait_for("both waits", lambda: read_tasks() == waits)


def test_what_a_cluster_is_sent_of_a_run_knows_nothing_of_its_step(house: PrefectHouse) -> None:
    key = SecretStr("sk-of-the-teacher")
    lock = Lock()

    @flow(name="sending", persist_result=False)
    def sending() -> bytes:
        def step() -> bytes:
            with lock:
                assert key
            return cloudpickle.dumps(serialize_context()["task_run_context"])

        return PrefectEngine().run("step", step)

    with temporary_settings({PREFECT_API_URL: house.api_url}):
        sent = sending()

    assert b"_run_step" in sent
    assert b"sk-of-the-teacher" not in sent
