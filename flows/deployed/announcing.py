"""Tell Prefect's server what a run has reached: events that deployments are triggered by.

An event is ``pacaloom.<kind>``; its payload is the milestone. ``pacaloom.leads-on`` in its resource
says whether the next deployment of the chain should start (prefect.yaml matches it): not after a
pilot, not when nothing new was published, and not after a command that somebody typed.

Sent as one request and not through Prefect's background worker: a run that is killed after this
has announced, and one that is killed before will announce when it is restarted. A server that is
away is waited for; a run whose work is done does not fail when it stays away.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx
from prefect.client.orchestration import get_client
from prefect.events.schemas.events import Event, RelatedResource, Resource
from prefect.runtime import deployment, flow_run

from flows.deployed.server_absence import WAITS_S, outlast
from flows.engine import NotToldError
from flows.milestones import DatasetPublished, DraftsWritten, Milestone
from flows.parameters import NAME_PATTERN

NEXT = {
    ("generate", "drafts-written"): "curate/after-generation",
    ("curate", "dataset-published"): "finetune/after-dataset",
    ("finetune", "student-tuned"): "evaluate-model/after-training",
}
"""Deployment of prefect.yaml that starts when a deployed run of a flow reaches something."""


class Origin(NamedTuple):
    """Which run reached something."""

    flow: str
    run_id: str
    is_deployed: bool
    is_restart: bool
    """The run was begun before, and what it reached then may not have been announced."""


def find_origin() -> Origin:
    """Describe the flow run that this is called in."""
    return Origin(
        flow=str(flow_run.get_flow_name() or ""),
        run_id=str(flow_run.get_id() or ""),
        is_deployed=bool(deployment.get_id()),
        is_restart=int(flow_run.get_run_count() or 0) > 1,
    )


def announce(
    milestone: Milestone,
    origin: Origin,
    warn: Callable[[str], None],
    waits_s: Sequence[float] = WAITS_S,
) -> None:
    """Emit the event of a milestone; it has arrived when this returns.

    Args:
        milestone: What was reached.
        origin: The run that has reached it.
        warn: Told one line when a server that is away is waited for.
        waits_s: Before each further attempt.

    Raises:
        NotToldError: The server stayed away, or refused it; says what does not start therefore.
        httpx.HTTPError: The same, when nothing of ours waits for this.
    """
    event = make_event(milestone, origin)

    def send() -> None:
        with get_client(sync_client=True) as client:
            client.request("POST", "/events", json=[event.model_dump(mode="json")])

    try:
        outlast(send, warn, waits_s)
    except httpx.HTTPError as error:
        following = NEXT.get((origin.flow, milestone.kind))
        if following is None or event.resource["pacaloom.leads-on"] != "true":
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise NotToldError(
            f"{following} has NOT started: Prefect's server could not be told that "
            f"{milestone.name!r} reached {milestone.kind} ({reason}). The work is done; when the "
            f"server is back, start {following} for {milestone.name!r} by hand in Prefect's pages."
        ) from error


def make_event(milestone: Milestone, origin: Origin) -> Event:
    # A base model that is evaluated may be called by a path or an address.
    is_plain = re.fullmatch(NAME_PATTERN, milestone.name) is not None
    leads_on = is_plain and leads_on_to_next(milestone, origin)
    return Event(
        event=f"pacaloom.{milestone.kind}",
        resource=Resource(
            {
                "prefect.resource.id": f"pacaloom.name.{milestone.name if is_plain else 'other'}",
                "prefect.resource.name": milestone.name,
                "pacaloom.flow": origin.flow,
                "pacaloom.leads-on": str(leads_on).lower(),
            }
        ),
        related=[
            RelatedResource(
                {
                    "prefect.resource.id": f"prefect.flow-run.{origin.run_id}",
                    "prefect.resource.role": "flow-run",
                }
            )
        ],
        payload=milestone.model_dump(mode="json"),
    )


def leads_on_to_next(milestone: Milestone, origin: Origin) -> bool:
    """Whether the next stage has something to do."""
    if not origin.is_deployed:
        return False
    if isinstance(milestone, DraftsWritten):
        return milestone.stopped_because != "pilot-done" and milestone.admitted > 0
    if isinstance(milestone, DatasetPublished):
        return milestone.is_new or origin.is_restart
    return True
