"""What Prefect's server has scheduled, runs and has run, by deployment.

All is a gauge, since runs may be deleted from the server; what is told of the past follows from the
200 runs that ended last. A server that does not answer within a second is down in this scrape.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from flows.metrics.prefect_server import (
    ENDINGS,
    FAILURES,
    TIMEOUT_S,
    PrefectAnswerError,
    Queue,
    Run,
    ask_server,
)
from flows.metrics.series import Family, Series
from flows.services.notes import find_server
from flows.settings import Settings

UP = Family("pacaloom_prefect_up", "gauge", (), "1 when Prefect's server has answered.")
RUNS = Family(
    "pacaloom_prefect_runs",
    "gauge",
    ("deployment", "state"),
    "Flow runs that have not ended, by state as Prefect names it.",
)
NEXT = Family(
    "pacaloom_prefect_next_run_timestamp_seconds",
    "gauge",
    ("deployment",),
    "When the next flow run is to start.",
)
ENDED = Family(
    "pacaloom_prefect_runs_ended_last_day",
    "gauge",
    ("deployment", "state"),
    "Flow runs that ended within the last 24 hours.",
)
LAST_FAILED = Family(
    "pacaloom_prefect_last_run_failed",
    "gauge",
    ("deployment",),
    "1 when the flow run that ended last has failed or crashed.",
)
LAST_END = Family(
    "pacaloom_prefect_last_run_end_timestamp_seconds",
    "gauge",
    ("deployment",),
    "When the latest flow run ended.",
)
LAST_SECONDS = Family(
    "pacaloom_prefect_last_run_seconds",
    "gauge",
    ("deployment",),
    "Time that the latest flow run ran.",
)
READY = Family(
    "pacaloom_prefect_deployment_ready",
    "gauge",
    ("deployment",),
    "1 while a worker asks for the deployment's runs.",
)

_DAY_S = 86_400.0
_ALWAYS_SHOWN = ("Scheduled", "Late", "Running")
"""With 0 as well, so that an alert on them has something to look at."""
_NO_DEPLOYMENT = "(none)"


class PrefectCollector:
    """The server of ``PREFECT_API_URL``, or the one that ``up`` has started; silent without."""

    name = "prefect"
    families = (UP, RUNS, NEXT, ENDED, LAST_FAILED, LAST_END, LAST_SECONDS, READY)

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._asking: threading.Thread | None = None

    def collect(self, series: Series) -> list[str]:
        address = find_server(self._settings)
        if address is None:
            return []
        try:
            queue = self._ask_in_time(address)
        except PrefectAnswerError as error:
            series.add(UP, 0)
            return [str(error)]
        series.add(UP, 1)
        _add_queue(series, queue, self._clock())
        return []

    def _ask_in_time(self, address: str) -> Queue:
        """Ask in a thread of its own: looking a name up has no time-out."""
        if self._asking is not None and self._asking.is_alive():
            raise PrefectAnswerError("Prefect's server has not answered the last scrape yet.")
        answers: list[Queue | PrefectAnswerError] = []
        auth = self._settings.prefect_auth
        password = auth.get_secret_value() if auth else ""
        self._asking = threading.Thread(
            target=lambda: answers.append(ask_server(address, password)), daemon=True
        )
        self._asking.start()
        self._asking.join(TIMEOUT_S)
        answer = answers[0] if answers else None
        if isinstance(answer, Queue):
            return answer
        raise answer or PrefectAnswerError(
            f"Prefect's server gave no answer within {TIMEOUT_S:g} s."
        )


def _add_queue(series: Series, queue: Queue, now: float) -> None:
    flows = {flow.id: flow.name for flow in queue.flows}
    names: dict[UUID | None, str] = {}
    for deployment in queue.deployments:
        name = f"{flows.get(deployment.flow_id, '?')}/{deployment.name}"
        names[deployment.id] = name
        series.add(READY, deployment.status == "READY", name)
    _add_waiting(series, queue.waiting, names)
    _add_ended(series, queue.ended, names, now)


def _add_waiting(series: Series, runs: Sequence[Run], names: Mapping[UUID | None, str]) -> None:
    counts = Counter({(name, state): 0 for name in names.values() for state in _ALWAYS_SHOWN})
    next_starts: dict[str, float] = {}
    for run in runs:
        name = names.get(run.deployment_id, _NO_DEPLOYMENT)
        counts[name, run.state_name or "?"] += 1
        if run.state_type == "SCHEDULED" and run.next_scheduled_start_time is not None:
            # Soonest first, as they were asked for.
            next_starts.setdefault(name, run.next_scheduled_start_time.timestamp())
    for (name, state), count in counts.items():
        series.add(RUNS, count, name, state)
    for name, at in next_starts.items():
        series.add(NEXT, at, name)


def _add_ended(
    series: Series, runs: Sequence[Run], names: Mapping[UUID | None, str], now: float
) -> None:
    counts = Counter({(name, state): 0 for name in names.values() for state in ENDINGS})
    seen: set[str] = set()
    for run in runs:
        if run.end_time is None:
            continue
        name = names.get(run.deployment_id, _NO_DEPLOYMENT)
        ended_at = run.end_time.timestamp()
        if now - ended_at <= _DAY_S:
            counts[name, run.state_type or "?"] += 1
        if name not in seen:
            # Latest first.
            seen.add(name)
            series.add(LAST_FAILED, run.state_type in FAILURES, name)
            series.add(LAST_END, ended_at, name)
            series.add(LAST_SECONDS, run.total_run_time, name)
    for (name, state), count in counts.items():
        series.add(ENDED, count, name, state.lower())
