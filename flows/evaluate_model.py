"""The Prefect flow ``evaluate-model``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import State, flow

from flows.compositions import evaluate as compose
from flows.deployed.hooks import tell_crash, tell_failure
from flows.deployed.prefect_running import run_flow
from flows.parameters import EvaluateParams


@flow(
    name="evaluate-model",
    persist_result=False,
    validate_parameters=False,
    on_failure=[tell_failure],
    on_crashed=[tell_crash],
)
def evaluate_model(params: EvaluateParams) -> dict[str, Any] | State[Any]:
    """Compare models under zero-, one- and few-shot prompts, and judge."""
    return run_flow("evaluate", compose, EvaluateParams, params)
