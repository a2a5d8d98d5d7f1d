"""Tests of whether two samples differ by more than chance, on counts alone."""

from collections.abc import Sequence
from math import erfc, exp, lgamma, sqrt

_FEW = 5
"""Expected counts below which the normal approximation is not used."""
_ROUNDING = 1 + 1e-9
"""Tables as probable as the one found count too, however their floats round."""


def compare_shares(one: int, of_one: int, two: int, of_two: int) -> float:
    """Return the two-sided p-value that ``one / of_one`` and ``two / of_two`` are of one share."""
    both, total = one + two, of_one + of_two
    rare = min(both, total - both)
    if not rare:
        return 1.0
    if rare * min(of_one, of_two) / total < _FEW:
        return _fisher(one if both == rare else of_one - one, rare, of_one, total)
    share = both / total
    error = sqrt(share * (1 - share) * (1 / of_one + 1 / of_two))
    return _two_sided((one / of_one - two / of_two) / error)


def _fisher(found: int, rare: int, of_one: int, total: int) -> float:
    """Sum the chances of all tables that are no likelier than that found (hypergeometric)."""
    chances = [
        exp(
            _log_choose(of_one, here)
            + _log_choose(total - of_one, rare - here)
            - _log_choose(total, rare)
        )
        for here in range(max(0, rare - total + of_one), min(rare, of_one) + 1)
    ]
    limit = chances[found - max(0, rare - total + of_one)] * _ROUNDING
    return min(1.0, sum(chance for chance in chances if chance <= limit))


def _log_choose(of: int, some: int) -> float:
    return lgamma(of + 1) - lgamma(some + 1) - lgamma(of - some + 1)


def compare_histograms(one: Sequence[int], two: Sequence[int]) -> float:
    """Return the two-sided p-value that the bins of both were drawn alike (Mann–Whitney).

    Values in one bin count as ties; without any in one of the samples, 1.
    """
    first, second = sum(one), sum(two)
    total = first + second
    if not first or not second:
        return 1.0
    below, wins, ties = 0, 0.0, 0
    for here, other in zip(one, two, strict=True):
        wins += here * (below + other / 2)
        below += other
        ties += (here + other) ** 3 - (here + other)
    spread = first * second / 12 * (total + 1 - ties / (total * (total - 1)))
    return _two_sided((wins - first * second / 2) / sqrt(spread)) if spread > 0 else 1.0


def measure_concentration(counts: Sequence[int]) -> float:
    """Return Simpson's index: the chance that two drawn without replacement are of one kind."""
    total = sum(counts)
    if total < 2:
        return 0.0
    return sum(count * (count - 1) for count in counts) / (total * (total - 1))


def compare_concentrations(one: Sequence[int], two: Sequence[int]) -> float:
    """Return the two-sided p-value that both samples have the same Simpson's index."""
    spread = _spread(one) + _spread(two)
    if spread <= 0:
        return 1.0
    return _two_sided((measure_concentration(one) - measure_concentration(two)) / sqrt(spread))


def _spread(counts: Sequence[int]) -> float:
    """Estimate the sampling variance of Simpson's index, by his formula."""
    total = sum(counts)
    if total < 2:
        return 0.0
    squares = sum((count / total) ** 2 for count in counts)
    cubes = sum((count / total) ** 3 for count in counts)
    return (4 * (total - 2) * cubes + 2 * squares - 2 * (2 * total - 3) * squares**2) / (
        total * (total - 1)
    )


def adjust_by_holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979), in their order."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def _two_sided(deviations: float) -> float:
    return erfc(abs(deviations) / sqrt(2))
