"""What Prefect calls at the bad end of a flow run, for ends of which the run itself cannot tell.

A failure within a composition is told where it happens. Left are wrong parameters, a flow that
cannot be loaded, and processes that were killed: the worker calls ``tell_crash`` for those. Prefect
passes the arguments by these names.
"""

import sys
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Crashed

from flows.deployed.recovery import tell_how_to_continue
from flows.observing.ending import End, tell_end
from flows.observing.identity import Identity, find_given_name
from flows.settings import read_settings


def tell_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Notify people of a run that failed before or after its composition."""
    _tell(flow, flow_run, state, "failed")


def tell_crash(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Notify people of a run whose process was ended from outside, and say how it is continued."""
    _tell(flow, flow_run, state, "crashed")
    with get_client(sync_client=True) as client:
        now = client.read_flow_run(flow_run.id).state
        if now is None or now.id != state.id:
            # Somebody was quicker, and has continued it.
            return
        # The worker tells the exit status only.
        message = f"{state.message} Nothing is lost: {tell_how_to_continue(flow_run)}"
        client.set_flow_run_state(flow_run.id, Crashed(message=message), force=True)


def _tell(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any], end: End) -> None:
    message = " ".join((state.message or "Prefect gives no reason.").split())
    name = find_given_name(flow_run.parameters.get("params"))
    identity = Identity(flow.name, name, str(flow_run.id))
    tell_end(read_settings(), identity, end, message, is_watched=sys.stderr.isatty())
