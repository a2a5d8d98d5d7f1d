"""Serve the metrics to Prometheus, or write them out once.

Flow runs are short-lived processes, and counters in them would die with them. Everything here is
derived from what they leave on the disk, and from Prefect's server where there is one: it survives
restarts of everything, needs nothing from a run, and a run pays nothing for it. A push gateway
would keep the last figures of dead runs for ever; counters in the runs would need a port each.

One scrape at a time, and one part of it may fail alone: it says so in the exporter's own metrics,
and each complaint once in words.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector as PrometheusCollector

from flows.metrics.collector import Collector
from flows.metrics.disk import DiskCollector
from flows.metrics.drafts_and_datasets import DatasetCollector
from flows.metrics.prefect_queue import PrefectCollector
from flows.metrics.runs import RunCollector
from flows.metrics.series import Family, Series, make_histogram, make_metric
from flows.metrics.students import StudentCollector
from flows.metrics.teachers import TeacherCollector
from flows.settings import Settings
from schemas.errors import UserError

HOST = "127.0.0.1"
Say = Callable[[str], None]

_PART = ("part",)
SECONDS = Family("pacaloom_scrape_seconds", "gauge", _PART, "Time that a part of this scrape took.")
FAILED = Family(
    "pacaloom_scrape_failed", "gauge", _PART, "1 when a part of this scrape failed as a whole."
)
UNREADABLE = Family(
    "pacaloom_unreadable_files", "gauge", _PART, "Files that could not be read in this scrape."
)
LEFT_OUT = Family(
    "pacaloom_series_left_out", "gauge", (), "Series left out because a metric has too many."
)
OWN_FAMILIES = (SECONDS, FAILED, UNREADABLE, LEFT_OUT)


class PortTakenError(UserError):
    """Another program listens on the port, or it may not be used."""


class Served(NamedTuple):
    """A server that answers."""

    url: str
    wait: Callable[[], None]
    """Until the server ends."""
    stop: Callable[[], None]


class Exporter(PrometheusCollector):
    """All parts as one collector of the library."""

    def __init__(self, collectors: Sequence[Collector], say: Say) -> None:
        self._collectors = collectors
        self._say = say
        self._said: set[str] = set()
        self._turn = threading.Lock()

    def describe(self) -> Iterator[Metric]:
        """Name all metrics, so that the library refuses two of one name."""
        parts = (part.families for part in self._collectors)
        for family in (*chain.from_iterable(parts), *OWN_FAMILIES):
            yield make_histogram(family) if family.kind == "histogram" else make_metric(family)

    def collect(self) -> Iterator[Metric]:
        # Parts remember what they have read, and two Prometheus servers may ask at once.
        with self._turn:
            series = Series()
            problems = [one for part in self._collectors for one in self._collect(part, series)]
            series.add(LEFT_OUT, series.left_out)
            for problem in dict.fromkeys(problems):
                if problem not in self._said:
                    self._say(problem)
            # What comes back after it was gone is said again.
            self._said = set(problems)
        return series.metrics()

    def _collect(self, collector: Collector, series: Series) -> list[str]:
        began = time.perf_counter()
        try:
            problems, failed = collector.collect(series), False
        # Files of anybody's making, a database and a server: whatever one of them brings about, the
        # alert on the disk is not to go with it. It is told in words and as a figure.
        except Exception as error:  # noqa: BLE001
            problems, failed = [f"{type(error).__name__}: {error}"], True
        series.add(SECONDS, time.perf_counter() - began, collector.name)
        series.add(FAILED, failed, collector.name)
        series.add(UNREADABLE, 0 if failed else len(problems), collector.name)
        return problems


def make_collectors(settings: Settings) -> tuple[Collector, ...]:
    """Make the parts of a scrape."""
    outputs = settings.outputs
    return (
        TeacherCollector(outputs),
        DatasetCollector(outputs),
        StudentCollector(outputs),
        RunCollector(outputs),
        DiskCollector(outputs, settings.min_free_gb),
        PrefectCollector(settings),
    )


def make_registry(settings: Settings, say: Say) -> CollectorRegistry:
    """Make the registry of the library, with nothing of the exporter's own process in it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Exporter(make_collectors(settings), say))
    return registry


def write_once(settings: Settings, say: Say) -> str:
    """Return the metrics in Prometheus' text format."""
    return generate_latest(make_registry(settings, say)).decode()


def serve(settings: Settings, port: int, say: Say) -> Served:
    """Answer scrapes on 127.0.0.1; 0 takes a free port.

    The first scrape, which reads journals as a whole, is done before anybody can ask.

    Raises:
        PortTakenError: The port cannot be listened on.
    """
    registry = make_registry(settings, say)
    generate_latest(registry)
    try:
        server, thread = start_http_server(port, HOST, registry)
    except OSError as error:
        raise PortTakenError(
            f"Port {port} on {HOST} cannot be listened on: {error.strerror or error}. Stop what "
            "uses it, or choose another with --port; 0 takes a free one."
        ) from error

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return Served(f"http://{HOST}:{server.server_port}/metrics", thread.join, stop)
