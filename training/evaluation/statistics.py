"""What per-item outcomes say about a model, and what they cannot say.

Accuracy is a mean of right and wrong, so resampling items with replacement needs no items: the
number of right answers in a resample is binomial, wins, losses and ties of a pair multinomial.
Drawing those counts is the percentile bootstrap exactly (Efron & Tibshirani 1993, chapter 13), at
a cost that does not grow with the number of items.

Pairs are compared by McNemar's test in its exact form: of the items that only one of two models
gets right, each is a fair coin when the models are equally good. Sample sizes follow Connor (1987,
Biometrics 43:207) with the share of such items as observed.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

RESAMPLES = 10_000
"""Moves the ends of an interval by about 0.1 standard errors less than 2,000 would."""
_TAIL = 0.025

POWER = 0.8
"""How often a true difference should be found by the number of items that is asked for."""


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


class Pairs(NamedTuple):
    """Two models on the same items; what both get right or wrong says nothing on who is better."""

    wins: int
    """Items that only the challenger gets right."""
    losses: int
    """Items that only the baseline gets right."""
    item_count: int

    @property
    def difference(self) -> float:
        """Accuracy of the challenger minus that of the baseline."""
        return (self.wins - self.losses) / self.item_count

    @property
    def discordance(self) -> float:
        """Share of items on which exactly one is right, as further items would show it.

        Laplace's estimate, so that a few items without any do not promise that none will come.
        """
        return (self.wins + self.losses + 1) / (self.item_count + 2)


def count_pairs(challenger: Sequence[bool], baseline: Sequence[bool]) -> Pairs:
    """Count wins and losses over items in the same order."""
    pairs = list(zip(challenger, baseline, strict=True))
    return Pairs(
        wins=sum(mine and not theirs for mine, theirs in pairs),
        losses=sum(theirs and not mine for mine, theirs in pairs),
        item_count=len(pairs),
    )


def pool(cells: Sequence[Pairs]) -> Pairs:
    """Add up cells of different items; under equality the coin is fair in each, so in all."""
    return Pairs(
        sum(cell.wins for cell in cells),
        sum(cell.losses for cell in cells),
        sum(cell.item_count for cell in cells),
    )


def accuracy_interval(right: int, item_count: int, seed: int) -> Interval:
    """Bootstrap the accuracy over items."""
    import numpy as np

    draws = np.random.default_rng(seed).binomial(item_count, right / item_count, RESAMPLES)
    low, high = np.quantile(draws / item_count, [_TAIL, 1 - _TAIL])
    return Interval(float(low), float(high))


def difference_interval(pairs: Pairs, seed: int) -> Interval:
    """Bootstrap the difference of two accuracies over items that both models answered."""
    import numpy as np

    wins, losses, count = pairs
    shares = [wins / count, losses / count, (count - wins - losses) / count]
    draws = np.random.default_rng(seed).multinomial(count, shares, RESAMPLES)
    low, high = np.quantile((draws[:, 0] - draws[:, 1]) / count, [_TAIL, 1 - _TAIL])
    return Interval(float(low), float(high))


def mcnemar(pairs: Pairs) -> float:
    """Return the exact two-sided p-value that the models are equally good."""
    discordant = pairs.wins + pairs.losses
    smaller = min(pairs.wins, pairs.losses)
    # Integers of any size: the tail stays exact where floats would underflow.
    tail = sum(math.comb(discordant, count) for count in range(smaller + 1))
    return min(1.0, 2 * tail / 2**discordant)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that one below alpha is an error in at most alpha of all families.

    Step-down: the smallest is multiplied by the number of tests, the next by one less, and no
    adjusted value falls below an earlier one (Holm 1979).
    """
    adjusted = [1.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def lower_bound(pairs: Pairs, alpha: float) -> float:
    """Bound the difference from below at one-sided level ``alpha``, without resampling.

    Wald's bound with half an item added to each of the four outcomes (Agresti & Min 2005), which
    keeps its level at few discordant items, where the plain one is far too narrow.
    """
    wins, losses, count = pairs.wins + 0.5, pairs.losses + 0.5, pairs.item_count + 2
    difference = (wins - losses) / count
    variance = ((wins + losses) / count - difference**2) / count
    return difference - NormalDist().inv_cdf(1 - alpha) * math.sqrt(variance)


def items_needed(difference: float, discordance: float, alpha: float) -> int:
    """Count the items at which McNemar's test finds a difference with 80 % power.

    Args:
        difference: Between two accuracies; its sign does not matter. Not 0.
        discordance: Share of items on which exactly one model is right, at least the difference.
        alpha: Two-sided level.
    """
    size = abs(difference)
    share = max(discordance, size)
    normal = NormalDist()
    spread = normal.inv_cdf(1 - alpha / 2) * math.sqrt(share)
    spread += normal.inv_cdf(POWER) * math.sqrt(share - size**2)
    return math.ceil((spread / size) ** 2)


def items_to_bound(pairs: Pairs, margin: float, alpha: float) -> int | None:
    """Count the items at which the bound of the observed difference would clear ``-margin``.

    Returns:
        None when the difference itself is beyond the margin: more items would not help.
    """
    room = pairs.difference + margin
    if room <= 0:
        return None
    spread = math.sqrt(pairs.discordance - pairs.difference**2)
    needed = (NormalDist().inv_cdf(1 - alpha) * spread / room) ** 2
    return max(math.ceil(needed), pairs.item_count + 1)


def smallest_detectable_difference(item_count: int, discordance: float, alpha: float) -> float:
    """Invert :func:`items_needed`: the difference that so many items show with 80 % power.

    Returns:
        A fraction to three decimals, at most ``discordance``: no more can be won or lost.
    """
    steps = range(1, math.ceil(discordance * 1000) + 1)
    found = (
        step / 1000 for step in steps if _is_shown(step / 1000, item_count, discordance, alpha)
    )
    return next(found, discordance)


def _is_shown(difference: float, item_count: int, discordance: float, alpha: float) -> bool:
    return items_needed(difference, discordance, alpha) <= item_count
