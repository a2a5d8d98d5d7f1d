"""Hold the versions of one name together: did the cells that got more quota gain more?

A cell is a language and a family of tasks. The answer is a plain comparison of means, and no proof:
weak cells were chosen because they were weak, so part of what they gain is the swing back of
chance (regression to the mean), which the page says beside the figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from schemas.evaluation import EvaluationReport, Family
from schemas.records import LANGUAGES, Language

CellKey = tuple[Language, Family]


class Cycle(NamedTuple):
    """One version of a name, as its evaluation found it."""

    version: str
    verdict: str
    """The gate's word, or empty."""
    scores: Mapping[CellKey, tuple[float, float, float]]
    """Mean marks and the ends of their 95 % interval, 0 to 1."""
    steered: Mapping[CellKey, float]
    """Share of the extra quota that the version's own generation got, as the one before was weak
    there."""


def cycle_of(report: EvaluationReport, version: str, steered: Mapping[CellKey, float]) -> Cycle:
    """Take a version's zero-shot scores from its report; of several tasks of a family the first."""
    scores: dict[CellKey, tuple[float, float, float]] = {}
    for row in report.matrix:
        if row.model == report.challenger and row.shots == 0:
            scores.setdefault((row.language, row.family), (row.accuracy, row.low, row.high))
    return Cycle(version, report.verdict.verdict if report.verdict else "", scores, steered)


class Gain(NamedTuple):
    """What a version changed against the one before it, on average over cells."""

    version: str
    steered: float | None
    """Of cells with extra quota, weighted by their share of it; None where there were none."""
    others: float | None
    """Of all other cells."""


class Trend(NamedTuple):
    """What the page draws."""

    versions: tuple[str, ...]
    verdicts: tuple[str, ...]
    cells: tuple[CellKey, ...]
    scores: tuple[tuple[tuple[float, float, float] | None, ...], ...]
    """By cell, then by version; None where it was not measured."""
    steered: tuple[tuple[float, ...], ...]
    """Likewise; 0 where it got none."""
    gains: tuple[Gain, ...]
    """From the second version on."""


def describe_trend(cycles: Sequence[Cycle]) -> Trend:
    """Lay out the versions of a name, in order, cell by cell."""
    found = dict.fromkeys(key for cycle in cycles for key in cycle.scores)
    # Cells as the matrix has them: a language at a time, families as they first occur.
    cells = tuple(sorted(found, key=lambda key: LANGUAGES.index(key[0])))
    return Trend(
        tuple(cycle.version for cycle in cycles),
        tuple(cycle.verdict for cycle in cycles),
        cells,
        tuple(tuple(cycle.scores.get(cell) for cycle in cycles) for cell in cells),
        tuple(tuple(cycle.steered.get(cell, 0.0) for cycle in cycles) for cell in cells),
        tuple(_measure(old, new) for old, new in pairwise(cycles)),
    )


def _measure(old: Cycle, new: Cycle) -> Gain:
    both = [cell for cell in new.scores if cell in old.scores]
    changes = {cell: new.scores[cell][0] - old.scores[cell][0] for cell in both}
    shares = {cell: new.steered.get(cell, 0.0) for cell in both}
    return Gain(
        new.version,
        _mean((changes[cell], shares[cell]) for cell in both if shares[cell] > 0),
        _mean((changes[cell], 1.0) for cell in both if shares[cell] <= 0),
    )


def _mean(weighted: Iterable[tuple[float, float]]) -> float | None:
    pairs = list(weighted)
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else None
