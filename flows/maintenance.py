"""The Prefect flow ``maintenance``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import State, flow

from flows.compositions import maintain as compose
from flows.deployed.hooks import tell_crash, tell_failure
from flows.deployed.prefect_running import run_flow
from flows.parameters import MaintenanceParams

DEFAULTS = MaintenanceParams()


@flow(
    name="maintenance",
    persist_result=False,
    validate_parameters=False,
    on_failure=[tell_failure],
    on_crashed=[tell_crash],
)
def maintenance(params: MaintenanceParams = DEFAULTS) -> dict[str, Any] | State[Any]:
    """Give back the space of what nothing that stays refers to."""
    return run_flow("maintenance", compose, MaintenanceParams, params)
