"""The Prefect flow ``finetune``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import State, flow

from flows.compositions import finetune as compose
from flows.deployed.hooks import tell_crash, tell_failure
from flows.deployed.prefect_running import run_flow
from flows.parameters import FinetuneParams


@flow(
    name="finetune",
    persist_result=False,
    validate_parameters=False,
    on_failure=[tell_failure],
    on_crashed=[tell_crash],
)
def finetune(params: FinetuneParams) -> dict[str, Any] | State[Any]:
    """Tune a student on a dataset version."""
    return run_flow("finetune", compose, FinetuneParams, params)
