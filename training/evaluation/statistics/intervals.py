"""How far a mean or a difference could be off: the cluster bootstrap, and a bound without it.

Resampling clusters with replacement needs no clusters: how often each outcome occurs in a resample
is multinomial. Drawing those counts is the percentile bootstrap of the ratio of sums exactly (Efron
& Tibshirani 1993, chapter 13), at a cost of resamples times different outcomes: a hundredth of a
second for a choice task of any size, a quarter of one for 500 different outcomes.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from training.evaluation.statistics.clusters import FULL_MARKS, Alike, Paired

RESAMPLES = 10_000
"""Moves the ends of an interval by about 0.1 standard errors less than 2,000 would."""
_TAIL = 0.025
_DRAWN_AT_ONCE = 4_000_000
"""Counts held in memory: 32 MB."""


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


class Spread(NamedTuple):
    """How much clusters differ from each other, as further ones would show it."""

    second_moment: float
    """Mean square of a cluster's difference, in units of a whole cluster: with one answer of 0 or
    100 marks each, the share of items on which exactly one model is right."""
    magnitude: float
    """Root mean square of those that differ; 1 when none does."""


def bootstrap(alike: Sequence[Alike], seed: int) -> Interval:
    """Bootstrap mean marks, or their difference, over clusters."""
    import numpy as np

    counts = np.array([one.clusters for one in alike], dtype=np.float64)
    marks = np.array([one.marks for one in alike], dtype=np.float64) / FULL_MARKS
    answers = np.array([one.answers for one in alike], dtype=np.float64)
    generator = np.random.default_rng(seed)
    means: list[float] = []
    while len(means) < RESAMPLES:
        size = min(RESAMPLES - len(means), max(1, _DRAWN_AT_ONCE // len(alike)))
        drawn = generator.multinomial(int(counts.sum()), counts / counts.sum(), size)
        means.extend((drawn @ marks / (drawn @ answers)).tolist())
    low, high = np.quantile(means, [_TAIL, 1 - _TAIL])
    return Interval(float(low), float(high))


def spread_of(paired: Paired) -> Spread:
    """Estimate the spread with half a cluster won and half a one lost added.

    With single answers that is Laplace's estimate of the discordant share, so a few items without
    any do not promise that none will come.
    """
    squares, magnitude = _squares(paired)
    return Spread((squares + magnitude**2) / (paired.cluster_count + 2), magnitude)


def lower_bound(paired: Paired, alpha: float) -> float:
    """Bound the difference from below at one-sided level ``alpha``, without resampling.

    Wald's bound for a ratio of sums with half a cluster added to a win, a loss and each of two
    ties (Agresti & Min 2005), which keeps its level at few differences, where the plain one is far
    too narrow. A win is as large as the clusters that differ are on average.
    """
    _, magnitude = _squares(paired)
    size = _mean_answers(paired)
    count = paired.cluster_count + 2
    centre = paired.difference * paired.cluster_count / count
    squares = magnitude**2 + 2 * centre**2
    for marks, answers, clusters in paired.alike:
        squares += clusters * (marks / FULL_MARKS - centre * answers) ** 2 / size**2
    return centre - NormalDist().inv_cdf(1 - alpha) * math.sqrt(squares) / count


def _squares(paired: Paired) -> tuple[float, float]:
    """Sum the squared differences, and find the size of those that are none."""
    unit = FULL_MARKS * _mean_answers(paired)
    squares = sum(one.clusters * (one.marks / unit) ** 2 for one in paired.alike)
    differing = paired.wins + paired.losses
    return squares, math.sqrt(squares / differing) if differing else 1.0


def _mean_answers(paired: Paired) -> float:
    return sum(one.answers * one.clusters for one in paired.alike) / paired.cluster_count
