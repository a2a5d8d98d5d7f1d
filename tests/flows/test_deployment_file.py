"""prefect.yaml says what the flows take, and its demo is that of demo.yaml."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.parameters import (
    EvaluateParams,
    FinetuneParams,
    GenerateParams,
    RetrainParams,
)

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text())[
    "deployments"
]
PARAMS = {
    "generate": GenerateParams,
    "retrain": RetrainParams,
    "finetune": FinetuneParams,
    "evaluate_model": EvaluateParams,
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
