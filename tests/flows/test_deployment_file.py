"""prefect.yaml says what the flows take, and its demo is that of demo.yaml."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from flows.milestones import DatasetPublished, DraftsWritten, StudentTuned
from flows.parameters import (
    CurateParams,
    EvaluateParams,
    FinetuneParams,
    GenerateParams,
    MaintenanceParams,
    RetrainParams,
)
from schemas.frozen import Frozen

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text())[
    "deployments"
]
PARAMS = {
    "generate": GenerateParams,
    "curate": CurateParams,
    "retrain": RetrainParams,
    "finetune": FinetuneParams,
    "evaluate_model": EvaluateParams,
    "maintenance": MaintenanceParams,
}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=[one["name"] for one in DEPLOYMENTS])
def test_deployment_names_a_flow_and_gives_it_what_it_takes(deployment: dict[str, Any]) -> None:
    file, function = deployment["entrypoint"].split(":")

    PARAMS[function].model_validate(deployment["parameters"]["params"])

    assert file == f"flows/{function}.py"
    assert find_spec(f"flows.{function}")
    assert deployment["concurrency_limit"]["limit"] == 1


def test_demo_is_the_same_from_make_and_from_prefect() -> None:
    demo = next(one for one in DEPLOYMENTS if one["name"] == "demo")

    assert demo["parameters"]["params"] == yaml.safe_load((ROOT / "demo.yaml").read_text())


def find(name: str) -> dict[str, Any]:
    return next(one for one in DEPLOYMENTS if one["name"] == name)


def test_chain_leads_from_generation_to_evaluation() -> None:
    steps = {
        one["name"]: (trigger["expect"], trigger["match"]["pacaloom.flow"])
        for one in DEPLOYMENTS
        for trigger in one.get("triggers", [])
    }

    assert steps == {
        "after-generation": (["pacaloom.drafts-written"], "generate"),
        "after-dataset": (["pacaloom.dataset-published"], "curate"),
        "after-training": (["pacaloom.student-tuned"], "finetune"),
    }


@pytest.mark.parametrize(
    ("name", "milestone"),
    [
        pytest.param(
            "after-generation",
            DraftsWritten(
                name="ko.1", teacher="t", generated=9, admitted=8, requests=3, usd=None,
                stopped_because="quotas-filled",
            ),
            id="drafts",
        ),
        pytest.param(
            "after-dataset",
            DatasetPublished(
                name="ko.1", dataset="ko.1/0001-abc", kept=8, rejected=1, is_new=True
            ),
            id="dataset",
        ),
        pytest.param(
            "after-training",
            StudentTuned(
                name="ko.1", model="ko.1/0001-def", dataset="ko.1/0001-abc",
                loss_before=2.0, loss_after=1.0,
            ),
            id="student",
        ),
    ],
)  # fmt: skip
def test_trigger_asks_for_what_the_deployment_does_with_the_name_from_the_event(
    name: str, milestone: DraftsWritten | DatasetPublished | StudentTuned
) -> None:
    deployment = find(name)
    flow = deployment["entrypoint"].split(":")[1]
    alone = deployment["parameters"]["params"]

    asked = fill(deployment["triggers"][0]["parameters"]["params"], milestone)

    PARAMS[flow].model_validate(asked)
    assert "ko.1" in json.dumps(asked)
    assert set(asked) == set(alone)
    assert [key for key in alone if asked[key] != alone[key]] == [next(iter(alone))]


def fill(value: Any, milestone: Frozen) -> Any:
    """Fill templates as the server does: each is ``{{ event.payload.FIELD }}``."""
    if isinstance(value, list):
        return [fill(one, milestone) for one in cast(list[Any], value)]
    if not isinstance(value, dict):
        return value
    found = cast(dict[str, Any], value)
    if found.get("__prefect_kind") == "jinja":
        field = found["template"].removeprefix("{{ event.payload.").removesuffix(" }}")
        return getattr(milestone, field)
    return {key: fill(one, milestone) for key, one in found.items()}


def test_only_the_demo_spends_and_promotes_unasked() -> None:
    unasked = {
        one["name"]
        for one in DEPLOYMENTS
        if one["entrypoint"].split(":")[1] in {"generate", "retrain", "evaluate_model"}
        and one["parameters"]["params"].get("approval", {}).get("auto_approve", True)
    }

    assert unasked == {"demo"}


def test_no_two_schedules_begin_at_the_same_minute() -> None:
    times = [(one["cron"], one["timezone"]) for d in DEPLOYMENTS for one in d.get("schedules", [])]

    # Every night, and on Sundays: minute and hour tell them apart.
    assert len({" ".join(cron.split()[:2]) for cron, _ in times}) == len(times)
    assert {zone for _, zone in times} == {"Asia/Seoul"}
