"""Let one scheduled run stand for all that its deployment has missed.

Prefect plans scheduled runs up to a hundred days ahead and starts every one that is due, so a
server that was down for five days would start five nightly runs. Each deployment runs one at a
time, and the others wait for its place: the first to start finds them waiting, and cancels them.
What a person or an event started is left alone.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect import State
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import FlowRunContext
from prefect.states import Cancelled, Completed
from prefect.utilities.urls import url_for


def stand_for_missed_runs() -> State[Any] | None:
    """Cancel the other due runs of this run's schedule, unless this one has to end itself.

    Returns:
        The state to end in when an earlier run of the schedule is suspended, because both would
        put the same question; else None.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    # One that begins anew was counted, and cleared the way, when it began first.
    if run is None or run.deployment_id is None or not run.auto_scheduled or run.run_count > 1:
        return None
    with get_client(sync_client=True) as client:
        suspended = _read_due(client, run.deployment_id, StateType.PAUSED)
        for missed in _read_due(client, run.deployment_id, StateType.SCHEDULED):
            if missed.run_count == 0:
                message = f"Missed with others of its schedule; the run {run.name} stands for them."
                client.set_flow_run_state(missed.id, Cancelled(message=message))
    for asking in suspended:
        page = url_for("flow-run", obj_id=asking.id)
        message = f"The run {asking.name} still waits for an answer: {page}"
        return Completed(name="Skipped", message=message)
    return None


def _read_due(client: SyncPrefectClient, deployment_id: UUID, state: StateType) -> list[FlowRun]:
    """Read the scheduled runs of a deployment whose time has come.

    Waiting for a place moves only when it is tried next, not when it was expected.
    """
    found = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[state])),
            expected_start_time=FlowRunFilterExpectedStartTime.model_validate(
                {"before_": datetime.now(UTC)}
            ),
        ),
        sort=FlowRunSort.EXPECTED_START_TIME_ASC,
        limit=200,
    )
    return [run for run in found if run.auto_scheduled]
