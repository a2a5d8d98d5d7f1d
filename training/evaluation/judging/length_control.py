"""The win rate that answers of equal length would have had.

Judges favour long answers. Dubois et al. 2024 (arXiv:2404.04475, section 3) predict each verdict by
a logistic regression on who the models are and how much longer one answer is, and then read off
what is predicted for no difference in length: ``logit P(win) = quality + slope * tanh(difference /
its standard deviation)``, so the controlled rate is ``logistic(quality)``. Their third term, how
hard a question is, is fitted over many models and left out where there are two. A tie counts as
half a win. Both coefficients have a weak Gaussian prior, without which a judge that only ever
prefers the longer answer, or the same model, would send them to infinity.

Cost: twenty Newton steps of two unknowns, for all resamples at once: 0.5 s for 400 questions and
2,000 resamples.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 2_000
_TAIL = 0.025
_STEPS = 20
_LARGEST_STEP = 2.0
_PRIOR = np.array([0.05, 0.2])
"""Inverse variances of quality and slope: standard deviations of 4.5 and 2.2 logits. A quality of
4.5 is a win rate of 99 %."""
_DRAWN_AT_ONCE = 2_000_000


class Outcome(NamedTuple):
    """One question's verdict."""

    score: float
    """1 for a win, 0.5 for a tie, 0 for a loss."""
    longer_by: int
    """Characters of the challenger's answer minus those of the baseline's."""


class Controlled(NamedTuple):
    """The controlled win rate with its 95 % bootstrap interval over questions."""

    rate: float
    low: float
    high: float


def control_length(outcomes: Sequence[Outcome], seed: int) -> Controlled:
    """Estimate the win rate at equal length.

    Args:
        outcomes: One a question; at least one.
        seed: Of the resamples.
    """
    scores = np.array([one.score for one in outcomes])
    features = _measure(np.array([float(one.longer_by) for one in outcomes]))
    whole = np.ones((1, len(outcomes)))
    generator = np.random.default_rng(seed)
    rates: list[float] = []
    while len(rates) < RESAMPLES:
        size = min(RESAMPLES - len(rates), max(1, _DRAWN_AT_ONCE // len(outcomes)))
        even = np.full(len(outcomes), 1 / len(outcomes))
        weights = generator.multinomial(len(outcomes), even, size).astype(np.float64)
        rates.extend(_fit(scores, features, weights).tolist())
    low, high = np.quantile(rates, [_TAIL, 1 - _TAIL])
    return Controlled(float(_fit(scores, features, whole)[0]), float(low), float(high))


def _measure(differences: Floats) -> Floats:
    deviation = differences.std()
    return np.tanh(differences / deviation) if deviation > 0 else np.zeros_like(differences)


def _fit(scores: Floats, features: Floats, weights: Floats) -> Floats:
    """Return ``logistic(quality)`` of each regression.

    Args:
        scores: ``(questions,)``
        features: ``(questions,)``
        weights: ``(regressions, questions)``: how often each question counts.
    """
    quality = np.zeros(len(weights))
    slope = np.zeros(len(weights))
    for _ in range(_STEPS):
        predicted = _logistic(quality[:, None] + slope[:, None] * features)
        error = weights * (scores - predicted)
        bend = weights * predicted * (1 - predicted)
        gradient = np.stack([error.sum(1), error @ features], -1)
        gradient -= _PRIOR * np.stack([quality, slope], -1)
        first, mixed = bend.sum(1) + _PRIOR[0], bend @ features
        second = bend @ features**2 + _PRIOR[1]
        scale = first * second - mixed**2
        # The inverse of two by two, written out; a step is bounded so that it never overshoots.
        by_quality = (second * gradient[:, 0] - mixed * gradient[:, 1]) / scale
        by_slope = (first * gradient[:, 1] - mixed * gradient[:, 0]) / scale
        quality += np.clip(by_quality, -_LARGEST_STEP, _LARGEST_STEP)
        slope += np.clip(by_slope, -_LARGEST_STEP, _LARGEST_STEP)
    return _logistic(quality)


def _logistic(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-values))
