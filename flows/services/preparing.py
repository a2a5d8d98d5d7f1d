"""Make the work pool and the deployments, and mark interrupted runs: a process of its own.

``up`` starts it together with the server, so that it has loaded Prefect and the flows by the time
the server answers. Prefect reads its settings when it is imported, so this cannot be done in the
process that calls ``up``; and each of Prefect's own commands would load all of it once more.

It prints a line for people whenever something is done.
"""

import contextlib
import importlib
import io
import sys
import time

import httpx
import prefect.cli
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers.process import ProcessWorker

from embedded.child import exit_with_parent
from flows.deployed.expired_questions import tell_of_expired_questions
from flows.deployed.recovery import recover
from flows.observing.engine import describe
from flows.services.deployment_file import read_deployments
from flows.services.server_state import is_healthy
from flows.settings import ROOT, read_settings

_POLL_S = 0.2
_TAG = "pacaloom"
_DEPLOYMENT_FILE = ROOT / "prefect.yaml"
_BEHIND_EVERY_FLOW = ("flows.compositions", "flows.deployed.prefect_engine")


class PreparationError(Exception):
    """Prefect did not take what it was told."""


def main(api_url: str, pool: str) -> None:
    """Wait for the server, then prepare it; the caller ends this when the server does not come."""
    exit_with_parent()
    settings = read_settings()
    started = time.monotonic()
    for module in _BEHIND_EVERY_FLOW:
        importlib.import_module(module)
    while not is_healthy(api_url):
        time.sleep(_POLL_S)
    _say(f"The server answers ({time.monotonic() - started:.0f} s); writing the deployments …")
    try:
        with get_client(sync_client=True) as client:
            _make_pool(client, pool)
            _deploy(client)
        tell_of_expired_questions(settings, _say)
        recover(settings, api_url, _say)
    except PreparationError as error:
        sys.exit(str(error))
    except httpx.HTTPError as error:
        sys.exit(f"the server did not answer: {describe(error)}")


def _make_pool(client: SyncPrefectClient, name: str) -> None:
    """Make the pool if it is not there; one that people have changed stays as it is.

    Not by Prefect's command, which asks a server on the internet which types of pool there are.
    """
    template = ProcessWorker.get_default_base_job_template()
    wanted = WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template)
    try:
        client.create_work_pool(wanted)
    except ObjectAlreadyExists:
        if client.read_work_pool(name).is_paused:
            _say(f"Work pool {name!r} is paused: no run starts until `prefect work-pool resume`.")


def _deploy(client: SyncPrefectClient) -> None:
    said = io.StringIO()
    sys.argv = ["prefect", "--no-prompt", "deploy", "--all"]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            prefect.cli.app()
    except SystemExit as end:
        if end.code:
            last = (said.getvalue().strip() or "no output").splitlines()[-1]
            raise PreparationError(f"`prefect deploy --all` failed: {last.strip()}") from end
    wanted = {
        (one.values["entrypoint"], one.name): one for one in read_deployments(_DEPLOYMENT_FILE)
    }
    flows_by_id = {flow.id: flow.name for flow in client.read_flows()}
    found = {(one.entrypoint, one.name): one for one in client.read_deployments()}
    for key in wanted.keys() - found.keys():
        raise PreparationError(f"Deployment {key[1]!r} was not made, and Prefect does not say why.")
    _say(f"{len(wanted)} deployments: {', '.join(name for _, name in wanted)}.")
    for key, one in found.items():
        if key not in wanted and _TAG in one.tags:
            full_name = f"{flows_by_id[one.flow_id]}/{one.name}"
            _say(
                f"Deployment {full_name} is no longer in prefect.yaml, but still runs by its "
                f"schedule: `prefect deployment delete {full_name}`."
            )


def _say(message: str) -> None:
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
