"""The Prefect flow ``retrain``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import State, flow

from flows.compositions import retrain as compose
from flows.deployed.hooks import tell_crash, tell_failure
from flows.deployed.prefect_running import run_flow
from flows.parameters import RetrainParams

DEFAULTS = RetrainParams()


@flow(
    name="retrain",
    persist_result=False,
    validate_parameters=False,
    on_failure=[tell_failure],
    on_crashed=[tell_crash],
)
def retrain(params: RetrainParams = DEFAULTS) -> dict[str, Any] | State[Any]:
    """Generate, curate, publish, finetune, evaluate and judge."""
    return run_flow("retrain", compose, RetrainParams, params)
