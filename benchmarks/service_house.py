"""A house of services to kill: server, worker and runs of one outputs folder, found and killed.

Everything that belongs to it bears its outputs folder in the environment, so that nothing else on
the machine is ever touched, and what is left behind is seen.
"""

import http
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import psutil

from benchmarks.endpoint import ROOT

Target = Literal["flow", "worker", "server", "everything", "teacher", "training", "launcher"]
TARGETS: tuple[Target, ...] = (
    "flow", "worker", "server", "everything", "teacher", "training", "launcher"
)  # fmt: skip
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}

_FOREIGN = ("OPENAI_", "PACALOOM_", "PREFECT_")
_UP_TIMEOUT_S = 600.0
_GONE_TIMEOUT_S = 60.0
"""After a crash or a cancellation the worker runs a process for the flow's hooks, for seconds."""
_PATIENCE = 60


class State(NamedTuple):
    """How a run stands."""

    type: str
    message: str


class House(NamedTuple):
    """One outputs folder and what works in it."""

    outputs: Path
    port: int
    variables: Mapping[str, str] = MappingProxyType({})
    """More of the environment that its services and their runs have."""

    @property
    def api_url(self) -> str:
        """Of its server."""
        return f"http://127.0.0.1:{self.port}/api"

    def up(self) -> str:
        """Start what does not run; return what it said."""
        done = subprocess.run(
            [str(ROOT / "pacaloom"), "up", "--port", str(self.port)],
            cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False,
            timeout=_UP_TIMEOUT_S,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"`up` ended with status {done.returncode}: {done.stderr[-2000:]}")
        return done.stderr

    def down(self) -> None:
        """Stop it, and whatever is left."""
        subprocess.run(
            [str(ROOT / "pacaloom"), "down"], cwd=ROOT, env=self.environment(),
            capture_output=True, check=False, timeout=_UP_TIMEOUT_S,
        )  # fmt: skip
        kill(self.processes())

    def environment(self) -> dict[str, str]:
        """Return an environment with nothing of this machine's but the cache of models."""
        kept = {
            name: value
            for name, value in os.environ.items()  # noqa: TID251 - handed on to the command
            if not name.startswith(_FOREIGN) or name == "PACALOOM_CACHE"
        }
        ours = {"PACALOOM_OUTPUTS": str(self.outputs), "PREFECT_WORKER_QUERY_SECONDS": "1"}
        return {**kept, "OMP_NUM_THREADS": "1", **ours, **self.variables}

    def processes(self) -> list[psutil.Process]:
        """Find all that belongs to it."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                is_ours = process.environ().get("PACALOOM_OUTPUTS") == str(self.outputs)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def find(self, target: Target) -> list[psutil.Process]:
        """Find the processes that a kill of a target hits; none when there is none now."""
        words: dict[Target, tuple[str, ...]] = {
            "flow": ("prefect.engine", "prefect.runner._workspace_supervisor"),
            "worker": ("worker start",),
            "server": ("server start",),
            "teacher": ("embedded.engine_child",),
            # The launcher has the name of what it starts among its arguments.
            "training": ("-u -m training.finetuning.distributed.worker",),
            "launcher": ("training.finetuning.distributed.launcher",),
            "everything": ("",),
        }
        found = [one for one in self.processes() if _has(one, words[target])]
        return found if target == "everything" else found[:1]

    def strangers(self) -> list[psutil.Process]:
        """Find what is neither worker nor server nor a child of the server's."""
        kept = {process.pid for process in self.find("worker")}
        for process in self.find("server"):
            kept |= {process.pid, *(one.pid for one in process.children(recursive=True))}
        return [process for process in self.processes() if process.pid not in kept]

    def await_no_strangers(self) -> int:
        """Give what ends by itself the time for it; return how many processes stayed."""
        deadline = time.monotonic() + _GONE_TIMEOUT_S
        while (left := self.strangers()) and time.monotonic() < deadline:
            time.sleep(0.5)
        return len(left)

    def start_run(
        self, deployment: str, params: Mapping[str, Any], environment: Mapping[str, str]
    ) -> str:
        """Create a run of a deployment with an environment of its own; return its id."""
        found = self.ask(f"/deployments/name/{deployment}")
        created = self.ask(
            f"/deployments/{found['id']}/create_flow_run",
            {
                "parameters": {"params": params},
                "job_variables": {"env": dict(environment)},
                "state": {"type": "SCHEDULED"},
            },
        )
        return created["id"]

    def continue_run(self, run_id: str) -> None:
        """Do what ``prefect flow-run retry`` does."""
        state = {"type": "SCHEDULED", "name": "Scheduled"}
        self.ask(f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})

    def is_up(self) -> bool:
        """Tell whether its server answers."""
        try:
            return bool(self.ask("/health"))
        except (urllib.error.URLError, OSError):
            return False

    def read_state(self, run_id: str) -> State:
        """Ask how a run stands; a server that is away answers nothing."""
        try:
            state = self.ask(f"/flow_runs/{run_id}")["state"]
        except (urllib.error.URLError, OSError):
            return State("UNKNOWN", "no server")
        return State(state["type"], state["message"] or "")

    def read_stage(self, run_id: str) -> str:
        """Name the task of a run that began last."""
        tasks = self._read_tasks(run_id)
        return max(tasks, key=lambda task: task["expected_start_time"])["name"] if tasks else ""

    def read_tasks(self, run_id: str) -> set[str]:
        """Name the states that a run's tasks are in."""
        return {task["state_type"] for task in self._read_tasks(run_id)}

    def await_end(self, run_id: str, longest_s: float) -> State:
        """Wait until a run has ended, however it does."""
        deadline = time.monotonic() + longest_s
        while (state := self.read_state(run_id)).type not in ENDED:
            if time.monotonic() > deadline:
                return state
            time.sleep(0.25)
        return state

    def _read_tasks(self, run_id: str) -> list[dict[str, Any]]:
        return self.ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})

    def ask(self, path: str, body: object = None, method: str = "") -> Any:  # noqa: ANN401 - JSON
        """Ask the server; with a body it is a POST, unless another method is named.

        One that is overloaded is asked again.
        """
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.api_url + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method or None,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(_PATIENCE):
            try:
                # On a busy machine its database is locked for seconds at a time.
                with opener.open(request, timeout=120) as answer:
                    content = answer.read()
                return json.loads(content) if content else None
            except urllib.error.HTTPError as error:
                if error.code != http.HTTPStatus.SERVICE_UNAVAILABLE:
                    raise
                time.sleep(1)
        raise RuntimeError(f"{self.api_url}{path} was overloaded for {_PATIENCE} s")


def find_free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kill(processes: list[psutil.Process]) -> None:
    """Kill all at once, as a machine that goes down does."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)


def _has(process: psutil.Process, words: tuple[str, ...]) -> bool:
    try:
        line = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return any(word in line for word in words)
