"""Marks summed up by cluster: all that means, tests and intervals follow from.

Items that hang together, and the answers to one item in several wordings and draws, are no
independent evidence, so they are summed up first. Clusters that came out alike are counted, not
kept: a bootstrap or a test then costs by the number of different outcomes, of which choice tasks
have a handful.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from schemas.evaluation import ClusterDifference, Comparison

FULL_MARKS = 100
"""Of one answer."""


class Alike(NamedTuple):
    """So many clusters with the same marks for the same number of answers."""

    marks: int
    answers: int
    clusters: int


Marks = Sequence[Sequence[int]]
"""By variant, then by item: 0 to 100, or differences of such."""


class Paired(NamedTuple):
    """Two models on the same items; the marks are the challenger's minus the baseline's."""

    alike: tuple[Alike, ...]
    item_count: int

    @property
    def difference(self) -> float:
        """Mean marks of the challenger minus those of the baseline, in [-1, 1]."""
        return mean_of(self.alike)

    @property
    def cluster_count(self) -> int:
        """Independent pieces of evidence."""
        return sum(one.clusters for one in self.alike)

    @property
    def wins(self) -> int:
        """Clusters in which the challenger got more marks."""
        return sum(one.clusters for one in self.alike if one.marks > 0)

    @property
    def losses(self) -> int:
        """Clusters in which the baseline did."""
        return sum(one.clusters for one in self.alike if one.marks < 0)

    @property
    def rows(self) -> tuple[ClusterDifference, ...]:
        """As a report keeps them."""
        return tuple(
            ClusterDifference(marks=one.marks, answers=one.answers, clusters=one.clusters)
            for one in self.alike
        )


def mean_of(alike: Sequence[Alike]) -> float:
    """Return the mean marks of an answer, as a fraction."""
    marks = sum(one.marks * one.clusters for one in alike)
    return marks / (FULL_MARKS * sum(one.answers * one.clusters for one in alike))


def sum_up(clusters: Sequence[str], marks: Marks) -> tuple[Alike, ...]:
    """Sum up the marks of each cluster and count those that came out alike.

    Args:
        clusters: What each item belongs to.
        marks: Of each variant, by item in the same order.
    """
    sums: dict[str, list[int]] = {}
    for place, cluster in enumerate(clusters):
        total = sums.setdefault(cluster, [0, 0])
        total[0] += sum(variant[place] for variant in marks)
        total[1] += len(marks)
    counted = Counter((total, answers) for total, answers in sums.values())
    return tuple(Alike(*outcome, count) for outcome, count in sorted(counted.items()))


def pair_up(clusters: Sequence[str], challenger: Marks, baseline: Marks) -> Paired:
    """Hold two models' marks for the same items against each other.

    Each may have answered in another number of variants; an item's mean over them is what counts,
    kept whole by the least common multiple.
    """
    whole = math.lcm(len(challenger), len(baseline))
    mine = _item_marks(challenger, whole)
    theirs = _item_marks(baseline, whole)
    differences = [own - other for own, other in zip(mine, theirs, strict=True)]
    alike = sum_up(clusters, [differences])
    return Paired(
        tuple(one._replace(answers=one.answers * whole) for one in alike), len(differences)
    )


def _item_marks(marks: Marks, whole: int) -> list[int]:
    weight = whole // len(marks)
    return [weight * sum(variants) for variants in zip(*marks, strict=True)]


def pair_of(comparison: Comparison) -> Paired:
    """Take a comparison's clusters from a report."""
    alike = tuple(Alike(one.marks, one.answers, one.clusters) for one in comparison.pairs)
    return Paired(alike, comparison.item_count)


def pool(cells: Sequence[Paired]) -> Paired:
    """Join cells of different items; each item weighs the same, in however many variants asked."""
    variants = [
        sum(a.answers * a.clusters for a in cell.alike) // cell.item_count for cell in cells
    ]
    whole = math.lcm(*variants)
    counted: Counter[tuple[int, int]] = Counter()
    for cell, own in zip(cells, variants, strict=True):
        weight = whole // own
        for marks, answers, clusters in cell.alike:
            counted[marks * weight, answers * weight] += clusters
    alike = tuple(Alike(*outcome, count) for outcome, count in sorted(counted.items()))
    return Paired(alike, sum(cell.item_count for cell in cells))
