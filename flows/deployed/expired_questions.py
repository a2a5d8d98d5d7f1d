"""Tell people of runs that failed because nobody answered their question in time.

The server fails such a run, whose process ended when it was suspended: none of our own code hears
of it, and no hook of the flow is called. So each run of a deployment looks when it begins, and so
does ``up``. That a run was told of stands in its labels.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import PrefectException

from flows.observing.ending import tell_end
from flows.observing.engine import describe
from flows.observing.identity import Identity, find_given_name
from flows.settings import Settings

_SERVERS_WORDS = "never resumed"
"""In the message of the state into which Prefect's server puts a run without an answer."""
_OURS = "pacaloom"
"""Every deployment of prefect.yaml has this tag, and passes it on to its runs."""
_LABEL = "pacaloom.told-of"
_FOR = timedelta(days=14)
"""Longer than the time between two runs of a weekly schedule; older ones are no news."""


def tell_of_expired_questions(settings: Settings, warn: Callable[[str], None]) -> None:
    """Notify people of each run that has failed so and was not told of yet.

    Args:
        settings: Say whom.
        warn: Told one line when the server cannot be asked; whoever calls has work of its own.
    """
    try:
        with get_client(sync_client=True) as client:
            _tell_of_expired(settings, client)
    except (httpx.HTTPError, PrefectException) as error:
        warn(f"Runs that nobody answered in time could not be looked for: {describe(error)}")


def _tell_of_expired(settings: Settings, client: SyncPrefectClient) -> None:
    for run, state in _read_expired(client):
        identity = Identity(
            client.read_flow(run.flow_id).name,
            find_given_name(run.parameters.get("params")),
            str(run.id),
        )
        # First: told twice each night is worse than told never, and the page shows it.
        client.update_flow_run_labels(run.id, {_LABEL: str(state.id)})
        message = (
            "Nobody answered its question in time. "
            f"`prefect flow-run retry {run.id}` continues where it was, and asks again."
        )
        tell_end(settings, identity, "failed", message, is_watched=False)


def _read_expired(client: SyncPrefectClient) -> Iterator[tuple[FlowRun, State[object]]]:
    failed = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.FAILED])),
            tags=FlowRunFilterTags(all_=[_OURS]),
            end_time=FlowRunFilterEndTime.model_validate({"after_": datetime.now(UTC) - _FOR}),
        ),
        sort=FlowRunSort.END_TIME_DESC,
        limit=200,
    )
    for run in failed:
        state = run.state
        if (
            state is not None
            and _SERVERS_WORDS in (state.message or "")
            and run.labels.get(_LABEL) != str(state.id)
        ):
            yield run, state
