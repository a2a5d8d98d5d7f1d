"""Tie a Prefect flow run to the process that works on it.

The server is told which process of which machine that is, so that ``flows/deployed/recovery.py``
can tell later whether it is gone. Started by a worker, the process ends when the worker does:
Prefect gives it a session of its own, and it would otherwise work on beside its own rerun.
"""

import logging
import os
import select
import stat
import time
from collections.abc import Mapping
from threading import Thread
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client

from flows.deployed.recovery import end_run, tell_how_to_continue
from flows.deployed.run_processes import RUN_VARIABLE, describe_this_process, write_labels
from flows.settings import read_settings

_POLL_S = 1.0
_STDOUT = 1
_REPORT_TIMEOUT_S = 60.0
"""For a service that takes notifications and does not answer, and for a server that is overloaded:
a run of which it is not told stays Running until the next ``up``."""


def guard_run(run_id: str, environment: Mapping[str, str]) -> None:
    """Tell the server which process works on the run, and watch the worker that started it.

    Args:
        run_id: Of the Prefect flow run that this process works on.
        environment: Of this process; a worker names the run in it.
    """
    if environment.get(RUN_VARIABLE) == run_id:
        Thread(target=_end_with_worker, args=(run_id, os.getppid()), daemon=True).start()
    try:
        with get_client(sync_client=True) as client:
            client.update_flow_run_labels(UUID(run_id), write_labels(describe_this_process()))
    except httpx.HTTPError as error:
        # The run is worth more than its label; without it, recovery goes by what a worker noted.
        logging.getLogger(__name__).warning("The server did not take the run's label: %s", error)


def _end_with_worker(run_id: str, parent: int) -> None:
    while os.getppid() == parent and not is_unread(_STDOUT):
        time.sleep(_POLL_S)
    # A server that is gone too must not keep this process alive.
    reporter = Thread(target=_report, args=(run_id,), daemon=True)
    reporter.start()
    reporter.join(_REPORT_TIMEOUT_S)
    # As a kill: every stage is made for it, and unwinding would take as long as it likes.
    os._exit(1)


def is_unread(descriptor: int) -> bool:
    """Tell whether a descriptor is a pipe whose reader is gone.

    The worker reads this process's output. When the worker was killed before this process came to
    watch it, its parent is another one already, and only the pipe tells.
    """
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


def _report(run_id: str) -> None:
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(run_id))
        message = (
            "The worker that started it is gone, so its process ended too. "
            f"Nothing is lost: {tell_how_to_continue(run)}"
        )
        end_run(read_settings(), client, run, message)
