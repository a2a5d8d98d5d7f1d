"""Which milestones lead on to the next deployment, and what is said when nobody hears of them."""

import socket

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.deployed.announcing import NEXT, Origin, announce, make_event
from flows.engine import NotToldError
from flows.milestones import DatasetPublished, DraftsWritten, Milestone, StudentTuned
from flows.services.deployment_file import read_deployments
from flows.settings import ROOT

NIGHTLY = Origin(flow="generate", run_id="r1", is_deployed=True, is_restart=False)
DRAFTS = DraftsWritten(
    name="ko", teacher="t", generated=9, admitted=8, requests=3, usd=0.5,
    stopped_because="quotas-filled",
)  # fmt: skip
DATASET = DatasetPublished(name="ko", dataset="ko/0001-ab", kept=8, rejected=1, is_new=True)
STUDENT = StudentTuned(
    name="ko", model="ko/0001-cd", dataset="ko/0001-ab", loss_before=2.0, loss_after=1.0
)


@pytest.mark.parametrize(
    ("milestone", "origin", "leads_on"),
    [
        pytest.param(DRAFTS, NIGHTLY, "true", id="drafts"),
        pytest.param(
            DRAFTS.model_copy(update={"stopped_because": "pilot-done"}), NIGHTLY, "false",
            id="pilot",
        ),
        pytest.param(
            DRAFTS.model_copy(update={"admitted": 0}), NIGHTLY, "false", id="nothing-to-curate"
        ),
        pytest.param(DRAFTS, NIGHTLY._replace(is_deployed=False), "false", id="typed-command"),
        pytest.param(DATASET, NIGHTLY, "true", id="new-version"),
        pytest.param(
            DATASET.model_copy(update={"is_new": False}), NIGHTLY, "false", id="same-version"
        ),
        # It may have been killed between publishing and telling.
        pytest.param(
            DATASET.model_copy(update={"is_new": False}), NIGHTLY._replace(is_restart=True),
            "true", id="same-version-after-a-restart",
        ),
        pytest.param(STUDENT, NIGHTLY, "true", id="student"),
        pytest.param(
            STUDENT.model_copy(update={"name": "{{ 7 * 7 }}"}), NIGHTLY, "false", id="no-name"
        ),
    ],
)  # fmt: skip
def test_next_deployment_starts_only_where_it_has_something_to_do(
    milestone: Milestone, origin: Origin, leads_on: str
) -> None:
    assert make_event(milestone, origin).resource["pacaloom.leads-on"] == leads_on


def test_event_carries_the_milestone_and_belongs_to_the_run() -> None:
    event = make_event(DATASET, NIGHTLY)

    assert event.event == "pacaloom.dataset-published"
    assert event.payload == DATASET.model_dump(mode="json")
    assert event.resource.id == "pacaloom.name.ko"
    assert event.related[0].id == "prefect.flow-run.r1"


@pytest.mark.parametrize(
    ("origin", "error", "words"),
    [
        pytest.param(NIGHTLY, NotToldError, "curate/after-generation has NOT started", id="chain"),
        pytest.param(
            NIGHTLY._replace(is_deployed=False),
            httpx.ConnectError,
            "refused",
            id="typed-command",
        ),
    ],
)
def test_server_that_stays_away_is_tried_again_and_what_does_not_start_is_said(
    origin: Origin, error: type[Exception], words: str
) -> None:
    said: list[str] = []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{probe.getsockname()[1]}/api"

    with temporary_settings({PREFECT_API_URL: away}), pytest.raises(error, match=words):
        announce(DRAFTS, origin, said.append, [0.0])

    assert len(said) == 1


def test_what_is_said_to_follow_is_what_the_deployments_wait_for() -> None:
    waiting = {
        (trigger["match"]["pacaloom.flow"], event.removeprefix("pacaloom.")): one.name
        for one in read_deployments(ROOT / "prefect.yaml")
        for trigger in one.values.get("triggers", [])
        for event in trigger["expect"]
    }

    assert {key: name.split("/")[1] for key, name in NEXT.items()} == waiting
