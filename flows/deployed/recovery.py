"""Mark flow runs whose process is gone, so that they can be continued.

A run that is killed together with its worker stays Running on the server for ever, and keeps the
one place that its deployment has. Continued, it begins anew under the same id and each stage goes
on from what is on disk: journal, published versions, checkpoints, scored cells.
"""

import platform
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelled, Crashed

from flows.deployed.run_processes import (
    Processes,
    RunProcess,
    end_processes,
    find_processes,
    is_alive,
    read_labels,
)
from flows.observing.ending import tell_end
from flows.observing.engine import describe
from flows.observing.identity import Identity, find_given_name
from flows.services.server_state import is_this_machine
from flows.settings import Settings

_AT_WORK = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
_PAGE = 200
_START_S = 120.0
"""A worker needs seconds to start a process; until then a run at work has none."""

Fate = Literal["works", "elsewhere", "orphaned", "gone"]


class RunFacts(NamedTuple):
    """What the server knows of a run at work."""

    run_id: str
    process: RunProcess | None
    """As the run itself told it."""
    pool_type: str | None
    """Of its work pool; None for a run that a person started without a worker."""
    age_s: float
    """Since it entered its state."""


def recover(settings: Settings, api_url: str, say: Callable[[str], None]) -> int:
    """Mark the runs whose process on this machine is gone, free their places and tell people.

    To be called before a worker is started. Runs of other machines, and those whose worker lives,
    are left alone. What is left of a family whose worker was killed is ended first.

    Returns:
        How many runs were marked.
    """
    with SyncPrefectClient(api=api_url) as client:
        here = find_processes()
        pool_types = {pool.name: pool.type for pool in client.read_work_pools()}
        marked = 0
        for run in _read_runs_at_work(client):
            fate = find_fate(_gather_facts(run, pool_types), here, api_url)
            if fate in ("works", "elsewhere"):
                continue
            end_processes(here.families.get(str(run.id), []))
            try:
                if not end_run(settings, client, run, _describe_end(run, fate)):
                    continue
                say(_describe_continuation(client, run))
            except httpx.HTTPError as error:
                # The others, and whoever wants to work now, need not wait for this one.
                why = describe(error)
                say(f"Run {run.name!r} was cut off, but could not be marked Crashed: {why}")
                continue
            marked += 1
    return marked


def find_fate(facts: RunFacts, here: Processes, api_url: str) -> Fate:
    """Decide what has become of a run.

    Args:
        facts: From the server.
        here: The processes of this machine.
        api_url: Of the server. Only this machine reaches one that listens on 127.0.0.1.
    """
    if facts.run_id in here.families:
        return "works" if here.is_supervised(facts.run_id) else "orphaned"
    if facts.process is not None:
        if facts.process.host != platform.node():
            return "elsewhere"
        if is_alive(facts.process):
            return "works"
    if facts.pool_type not in (None, "process"):
        return "elsewhere"
    if facts.process is None and not is_this_machine(api_url):
        return "elsewhere"
    if facts.pool_type is None:
        may_still_start = facts.process is None
    else:
        # Started again, it bears the label of its last process until the new one has told.
        may_still_start = api_url in here.workers.values()
    return "works" if may_still_start and facts.age_s < _START_S else "gone"


def end_run(settings: Settings, client: SyncPrefectClient, run: FlowRun, message: str) -> bool:
    """Tell people of a run that was cut off, and end it and its tasks on the server.

    That frees the place it holds in its deployment. One that was being cancelled is Cancelled, and
    nobody need be told; any other is Crashed.

    Returns:
        Whether it was ended; not when it has ended by itself in the meantime.
    """
    if _has_ended(client, run):
        return False
    is_cancelling = run.state is not None and run.state.is_cancelling()
    # First: who continues a run that is marked must not meet the process that still tells.
    if not is_cancelling:
        _notify(settings, client, run, message)
        if _has_ended(client, run):
            return False
    end = Cancelled if is_cancelling else Crashed
    client.set_flow_run_state(run.id, end(message=message), force=True)
    for task_run in client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])),
        task_run_filter=TaskRunFilter(
            state=TaskRunFilterState(
                type=TaskRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING])
            )
        ),
    ):
        client.set_task_run_state(task_run.id, end(message="Its flow run ended."), force=True)
    return True


def tell_how_to_continue(run: FlowRun) -> str:
    """Say what continues a run: its own retry, or the command that started it."""
    if run.deployment_id is None:
        return "Run the same command again; it continues where it was."
    return f"`prefect flow-run retry {run.id}` continues where it was."


def _read_runs_at_work(client: SyncPrefectClient) -> Iterable[FlowRun]:
    states = FlowRunFilterState(type=FlowRunFilterStateType(any_=_AT_WORK))
    runs: dict[UUID, FlowRun] = {}
    while page := client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=states), limit=_PAGE, offset=len(runs)
    ):
        runs.update({run.id: run for run in page})
        if len(page) < _PAGE:
            break
    return runs.values()


def _gather_facts(run: FlowRun, pool_types: dict[str, str]) -> RunFacts:
    since = run.state.timestamp if run.state else run.created
    age_s = (datetime.now(UTC) - since).total_seconds() if since else _START_S
    pool_type = pool_types.get(run.work_pool_name) if run.work_pool_name else None
    return RunFacts(str(run.id), read_labels(run.labels), pool_type, age_s)


def _describe_end(run: FlowRun, fate: Fate) -> str:
    process = read_labels(run.labels)
    pid = str(process.pid) if process else run.infrastructure_pid
    who = f"process {pid}" if pid else "process"
    end = {
        "orphaned": "was left behind by a worker that is gone, and was ended",
        "gone": "is gone: it was killed, or the machine went down",
    }[fate]
    return f"Its {who} on {platform.node()} {end}. Nothing is lost: {tell_how_to_continue(run)}"


def _has_ended(client: SyncPrefectClient, run: FlowRun) -> bool:
    state = client.read_flow_run(run.id).state
    return state is not None and state.is_final()


def _notify(settings: Settings, client: SyncPrefectClient, run: FlowRun, message: str) -> None:
    name = find_given_name(run.parameters.get("params"))
    identity = Identity(client.read_flow(run.flow_id).name, name, str(run.id))
    # Whoever typed the command that has stopped knows.
    tell_end(settings, identity, "crashed", message, is_watched=run.deployment_id is None)


def _describe_continuation(client: SyncPrefectClient, run: FlowRun) -> str:
    flow = client.read_flow(run.flow_id).name
    if run.state is not None and run.state.is_cancelling():
        return f"Run {run.name!r} of {flow} was being cancelled when it ended: it is Cancelled now."
    way = tell_how_to_continue(run)
    return f"Run {run.name!r} of {flow} was cut off, and is marked Crashed. {way}"
