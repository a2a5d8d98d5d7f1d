"""Tell a run that somebody cancels from one that is ended by something else.

The worker announces a cancellation to the run's process before it sends SIGTERM, but Prefect takes
the announcement only while its own handler of that signal is in place. A training puts another one
there, to finish its step first: then Prefect takes the signal for a crash, and people are told.
"""

from uuid import UUID

import httpx
from prefect.client.orchestration import get_client


def is_being_cancelled(run_id: str) -> bool:
    """Ask the server whether somebody cancels a run; no, when it does not answer."""
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(UUID(run_id)).state
    except httpx.HTTPError:
        return False
    return state is not None and state.is_cancelling()
