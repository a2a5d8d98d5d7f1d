"""The Prefect flow ``curate``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import State, flow

from flows.compositions import curate as compose
from flows.deployed.hooks import tell_crash, tell_failure
from flows.deployed.prefect_running import run_flow
from flows.parameters import CurateParams

DEFAULTS = CurateParams()


@flow(
    name="curate",
    persist_result=False,
    validate_parameters=False,
    on_failure=[tell_failure],
    on_crashed=[tell_crash],
)
def curate(params: CurateParams = DEFAULTS) -> dict[str, Any] | State[Any]:
    """Sort drafts into kept records and rejections, and publish a dataset version."""
    return run_flow("curate", compose, CurateParams, params)
