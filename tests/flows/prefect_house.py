"""The Prefect server, worker and deployments that all tests of a session share.

They take up to half a minute to start, so they are started once. Whoever uses them names things
after the test, counts from what was there before, and leaves no run at work. No schedule starts
one either, whatever the time of day.
"""

import http
import time
import urllib.error
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.service_house import ENDED, House, State
from tests.cli.command import ROOT, Finished, run_pacaloom

PATIENCE_S = 600.0


def wait_for(what: str, check: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := check()):
        assert time.monotonic() < deadline, f"no {what} within {PATIENCE_S:.0f} s"
        time.sleep(0.25)
    return found


class PrefectHouse(House):
    """What runs, and how to ask it."""

    __slots__ = ()

    def command(self, *arguments: str) -> Finished:
        """Run ``./pacaloom`` as in a terminal in which the server's address is set."""
        variables = {**self.variables, "PREFECT_API_URL": self.api_url}
        return run_pacaloom(*arguments, outputs=self.outputs, cwd=None, root=ROOT, **variables)

    def open(self) -> "Opened":
        """Start it for the first time, and see what the schedules plan."""
        said = self._call_up(self.outputs)
        assert said.status == 0, said.stderr
        planned = self._await_plan()
        self.pause_schedules()
        return Opened(self, said, planned)

    def call_up(self, outputs: Path | None = None) -> Finished:
        """Run ``./pacaloom up`` on the house's port, if need be on other outputs."""
        said = self._call_up(outputs or self.outputs)
        if outputs is None:
            assert said.status == 0, said.stderr
            self.pause_schedules()
        return said

    def up(self) -> str:
        said = super().up()
        self.pause_schedules()
        return said

    def pause_schedules(self) -> None:
        """Have the server forget what is planned, until deployments are written anew.

        A nightly run that fell due during a test would be counted by it, and take the place that
        its deployment has. Whatever is asked for is started all the same.
        """
        ids = self._names_of_scheduled()

        def forget() -> bool:
            for id_ in ids:
                self.ask(f"/deployments/{id_}/pause_deployment", {})
            # What fell due in this very minute goes on, and the scheduler may be at work; a
            # suspended run waits for a person.
            states = {run["state_type"] for run in self._read_auto_scheduled()}
            return states <= {*ENDED, "PAUSED"}

        wait_for("end of scheduled runs", forget)

    def deployments(self) -> dict[str, str]:
        """Name -> id."""
        return {one["name"]: one["id"] for one in self.ask("/deployments/filter", {})}

    def start(self, deployment: str, params: Mapping[str, Any], **environment: str) -> str:
        body = {"parameters": {"params": params}, "job_variables": {"env": environment}}
        return self.ask(f"{self._path(deployment)}/create_flow_run", body)["id"]

    def set_params(self, deployment: str, params: Mapping[str, Any]) -> None:
        self.ask(self._path(deployment), {"parameters": {"params": params}}, "PATCH")

    def set_pool(self, deployment: str, pool: str) -> None:
        self.ask(self._path(deployment), {"work_pool_name": pool}, "PATCH")

    def miss_nights(self, deployment: str, *, count: int, ended_days_ago: int) -> list[str]:
        """Plan runs as the scheduler had before the server went down; return their ids."""
        known = {run["id"] for run in self.runs_of(deployment)}
        end = datetime.now(UTC) - timedelta(days=ended_days_ago)
        plan = {
            "start_time": (end - timedelta(days=count)).isoformat(),
            "end_time": end.isoformat(), "min_runs": count, "max_runs": count,
        }  # fmt: skip
        self.ask(f"{self._path(deployment)}/schedule", plan)
        missed = [run["id"] for run in self.runs_of(deployment) if run["id"] not in known]
        assert len(missed) == count
        return missed

    def runs_of(self, deployment: str) -> list[dict[str, Any]]:
        """Those whose time has come, the earliest first."""
        wanted = {
            "deployment_id": {"any_": [self.deployments()[deployment]]},
            "expected_start_time": {"before_": datetime.now(UTC).isoformat()},
        }
        return self.ask(
            "/flow_runs/filter", {"flow_runs": wanted, "sort": "EXPECTED_START_TIME_ASC"}
        )

    def run(self, run_id: str) -> dict[str, Any]:
        return self.ask(f"/flow_runs/{run_id}")

    def end_of(self, run_id: str) -> State:
        """Wait for it; a run that does not end is told by its last state."""
        return self.await_end(run_id, PATIENCE_S)

    def resume(self, run_id: str, answer: Mapping[str, str]) -> dict[str, Any]:
        return self.ask(f"/flow_runs/{run_id}/resume", {"run_input": answer})

    def await_question(self, run_id: str) -> None:
        # A run that has ended will never be suspended; its message says why.
        states = ENDED | {"PAUSED"}
        wait_for("question", lambda: self.read_state(run_id).type in states)
        assert self.read_state(run_id).type == "PAUSED", self.read_state(run_id).message
        # The form is there a moment later, its text last, and nobody would be as fast.
        wait_for("form", lambda: self._has_form(run_id))

    def read_log(self, run_id: str) -> str:
        lines = self.ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}})
        return "\n".join(line["message"] for line in lines)

    def artifacts(self) -> dict[str, dict[str, Any]]:
        """Key -> the newest of that key."""
        newest_last = {"sort": "CREATED_DESC"}
        return {one["key"]: one for one in self.ask("/artifacts/filter", newest_last)[::-1]}

    def _call_up(self, outputs: Path) -> Finished:
        arguments = ("up", "--port", str(self.port))
        return run_pacaloom(*arguments, outputs=outputs, cwd=None, root=ROOT, **self.variables)

    def _names_of_scheduled(self) -> dict[str, str]:
        """Id -> name of each deployment that has a schedule."""
        found = self.ask("/deployments/filter", {})
        return {one["id"]: one["name"] for one in found if one["schedules"]}

    def _await_plan(self) -> dict[str, list[str]]:
        """Wait until each schedule has planned runs; return their times by deployment."""
        names = self._names_of_scheduled()

        def read() -> dict[str, list[str]]:
            plan: dict[str, list[str]] = {}
            for run in self._read_auto_scheduled():
                if run["state_type"] == "SCHEDULED":
                    times = plan.setdefault(names[run["deployment_id"]], [])
                    times.append(run["expected_start_time"])
            return plan if plan.keys() == set(names.values()) else {}

        return wait_for("planned runs of each schedule", read)

    def _read_auto_scheduled(self) -> list[dict[str, Any]]:
        runs = self.ask("/flow_runs/filter", {"limit": 200, "sort": "EXPECTED_START_TIME_DESC"})
        return [run for run in runs if run["auto_scheduled"]]

    def _has_form(self, run_id: str) -> bool:
        keys = self.run(run_id)["state"]["state_details"]["run_input_keyset"]
        try:
            self.ask(f"/flow_runs/{run_id}/input/{keys['description']}")
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    def _path(self, deployment: str) -> str:
        return f"/deployments/{self.deployments()[deployment]}"


class Opened(NamedTuple):
    """A house and what the first ``up`` in it said."""

    house: PrefectHouse
    said: Finished
    planned: dict[str, list[str]]
    """Deployment name -> the times of the runs that its schedule had planned."""
