"""Metric families, and the series that a scrape puts into them: bounded in length and number.

Label values come from files that a machine, an importer or another user may have written. The
library escapes them; here they are made printable and cut, and series that then bear the same
labels become one, because Prometheus refuses a whole scrape in which a series stands twice.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

MOST_SERIES = 500
"""Of one family. Prometheus keeps each series in memory for hours after it was last seen."""
_MOST_CHARACTERS = 80


class Family(NamedTuple):
    """A metric as Prometheus knows it."""

    name: str
    """With ``_total`` when it is a counter."""
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str


class Histogram(NamedTuple):
    """How many values fell below each bound, and their sum."""

    bounds: tuple[float, ...]
    """Upper ends, ascending; values above the last one are in ``counts`` too."""
    counts: Sequence[int]
    """Values by bucket, not cumulated: one more than there are bounds."""
    sum: float


class Series:
    """The series of one scrape, by family."""

    def __init__(self) -> None:
        self._numbers: dict[Family, dict[tuple[str, ...], float]] = {}
        self._histograms: dict[Family, dict[tuple[str, ...], Histogram]] = {}
        self.left_out = 0
        """Series beyond the most that a family may have."""

    def add(self, family: Family, value: float, *labels: str) -> None:
        """Put a number in; counters of the same labels are added up, of gauges the last counts."""
        series = self._numbers.setdefault(family, {})
        key = tuple(map(_bound, labels))
        if not self._has_room(series, key):
            return
        earlier = series.get(key, 0.0) if family.kind == "counter" else 0.0
        series[key] = earlier + value

    def add_histogram(self, family: Family, value: Histogram, *labels: str) -> None:
        """Put a histogram in; those with the same labels are added up."""
        series = self._histograms.setdefault(family, {})
        key = tuple(map(_bound, labels))
        if not self._has_room(series, key):
            return
        if earlier := series.get(key):
            counts = [one + other for one, other in zip(earlier.counts, value.counts, strict=True)]
            value = Histogram(value.bounds, counts, earlier.sum + value.sum)
        series[key] = value

    def metrics(self) -> Iterator[Metric]:
        """Hand everything to the library, in the order in which families came."""
        for family, numbers in self._numbers.items():
            metric = make_metric(family)
            for labels, value in numbers.items():
                metric.add_metric(labels, value)
            yield metric
        for family, histograms in self._histograms.items():
            metric = make_histogram(family)
            for labels, histogram in histograms.items():
                metric.add_metric(labels, list(_cumulate(histogram)), histogram.sum)
            yield metric

    def _has_room(
        self,
        series: "dict[tuple[str, ...], float] | dict[tuple[str, ...], Histogram]",
        key: tuple[str, ...],
    ) -> bool:
        if key in series or len(series) < MOST_SERIES:
            return True
        self.left_out += 1
        return False


def make_metric(family: Family) -> CounterMetricFamily | GaugeMetricFamily:
    """Make the library's form of a counter or gauge, still without series."""
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    return kind(family.name, family.help, labels=family.labels)


def make_histogram(family: Family) -> HistogramMetricFamily:
    """Make the library's form of a histogram, still without series."""
    return HistogramMetricFamily(family.name, family.help, labels=family.labels)


def _bound(text: str) -> str:
    seen = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return seen if len(seen) <= _MOST_CHARACTERS else seen[: _MOST_CHARACTERS - 1] + "…"


def _cumulate(histogram: Histogram) -> Iterator[tuple[str, float]]:
    total = 0
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        total += count
        yield ("+Inf" if bound == float("inf") else repr(bound)), total
