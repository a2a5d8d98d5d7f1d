"""How many items a question needs, and what so many items can show.

Connor's sample size for paired outcomes (1987, Biometrics 43:207), with clusters in place of items
and their mean squared difference in place of the share of items on which exactly one model is
right. All constant time.
"""

import math
from statistics import NormalDist

from training.evaluation.statistics.clusters import Paired
from training.evaluation.statistics.intervals import Spread, spread_of

POWER = 0.8
"""How often a true difference should be found by the number of items that is asked for."""

DISCORDANCE = 0.25
"""Share of items on which exactly one of two models is right, guessed before anything is measured:
a base model and its tuned student differ on a fifth to a third of theirs."""


def items_needed(paired: Paired, difference: float, alpha: float) -> int:
    """Count the items at which the sign-flip test finds a difference with 80 % power.

    Args:
        paired: What was seen so far: how much clusters differ, and how many items one has.
        difference: Of mean marks, as a fraction; its sign does not matter. Not 0.
        alpha: Two-sided level.
    """
    size = abs(difference)
    spread = spread_of(paired)
    # Differences of one magnitude cannot be rarer than their mean is large.
    moment = max(spread.second_moment, size * min(1.0, max(size, spread.magnitude)))
    normal = NormalDist()
    root = normal.inv_cdf(1 - alpha / 2) * math.sqrt(moment)
    root += normal.inv_cdf(POWER) * math.sqrt(moment - size**2)
    clusters = max(math.ceil((root / size) ** 2), _fewest_clusters(alpha))
    return _items_of(clusters, paired)


def items_to_bound(paired: Paired, margin: float, alpha: float) -> int | None:
    """Count the items at which the bound of the observed difference would clear ``-margin``.

    Returns:
        None when the difference itself is beyond the margin: more items would not help.
    """
    room = paired.difference + margin
    if room <= 0:
        return None
    variance = max(spread_of(paired).second_moment - paired.difference**2, 0.0)
    needed = math.ceil((NormalDist().inv_cdf(1 - alpha) / room) ** 2 * variance)
    return max(_items_of(needed, paired), paired.item_count + 1)


def smallest_detectable_difference(paired: Paired, alpha: float) -> float:
    """Invert :func:`items_needed`: the difference that so many items show with 80 % power."""
    return _smallest(paired.cluster_count, spread_of(paired), alpha)


def smallest_detectable_before(
    item_count: int, discordance: float = DISCORDANCE, alpha: float = 0.05
) -> float:
    """Foretell the difference that so many items will show with 80 % power.

    Args:
        item_count: Items that stand alone, of one task.
        discordance: Guess of the share on which exactly one of the two models will be right.
        alpha: Two-sided level.

    Returns:
        A fraction, at most ``discordance``: no more can be won or lost.
    """
    return _smallest(item_count, Spread(discordance, 1.0), alpha)


def _smallest(clusters: int, spread: Spread, alpha: float) -> float:
    # Connor's formula solved for the difference: a quadratic equation.
    level = NormalDist().inv_cdf(1 - alpha / 2)
    power = NormalDist().inv_cdf(POWER)
    most = spread.second_moment / spread.magnitude
    if clusters < _fewest_clusters(alpha):
        return most
    roots = level * math.sqrt(clusters) + power * math.sqrt(clusters - level**2 + power**2)
    return min(most, math.sqrt(spread.second_moment) * roots / (clusters + power**2))


def _fewest_clusters(alpha: float) -> int:
    """Count the clusters that can be significant at all: when every one is won."""
    return 1 + math.ceil(math.log2(1 / alpha))


def _items_of(clusters: int, paired: Paired) -> int:
    return math.ceil(clusters * paired.item_count / paired.cluster_count)
