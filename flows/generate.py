"""The Prefect flow ``generate``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import State, flow

from flows.compositions import generate as compose
from flows.deployed.hooks import tell_crash, tell_failure
from flows.deployed.prefect_running import run_flow
from flows.parameters import GenerateParams

DEFAULTS = GenerateParams()


@flow(
    name="generate",
    persist_result=False,
    validate_parameters=False,
    on_failure=[tell_failure],
    on_crashed=[tell_crash],
)
def generate(params: GenerateParams = DEFAULTS) -> dict[str, Any] | State[Any]:
    """Have a teacher write drafts from seed tasks."""
    return run_flow("generate", compose, GenerateParams, params)
