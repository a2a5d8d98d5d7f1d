import itertools
import random

import pytest

from training.evaluation.ranking import auc


def _count_pairs(scores: list[list[float]], right: list[int], label: int) -> float:
    """Count, pair by pair, how often a right one is above a wrong one."""
    values = [row[label] - max(v for at, v in enumerate(row) if at != label) for row in scores]
    mine = [v for v, one in zip(values, right, strict=True) if one == label]
    others = [v for v, one in zip(values, right, strict=True) if one != label]
    pairs = [(a > b) + (a == b) / 2 for a, b in itertools.product(mine, others)]
    return sum(pairs) / len(pairs)


def test_order_counts_and_not_where_the_line_is_drawn() -> None:
    # Label 0 wins everywhere, so accuracy is half; yet its lead is larger where it is right.
    assert auc([[-1.0, -5.0], [-1.0, -4.0], [-1.0, -2.0], [-1.0, -1.5]], [0, 0, 1, 1]) == 1.0


def test_ties_count_half() -> None:
    assert auc([[-1.0, -2.0]] * 4, [0, 1, 0, 1]) == 0.5


def test_area_is_the_share_of_ordered_pairs() -> None:
    generator = random.Random(0)  # noqa: S311 - a reproducible draw
    right = [generator.randrange(2) for _ in range(60)]
    scores = [[float(generator.randrange(-9, 0)), -4.0] for _ in right]

    # With two labels the lead of one is what is ranked, and both labels rank alike.
    assert auc(scores, right) == pytest.approx(_count_pairs(scores, right, 0))
    assert auc(scores, right) == pytest.approx(_count_pairs(scores, right, 1))


def test_nearly_certain_answers_keep_their_order() -> None:
    # Shares of 1 - 1e-20 and 1 - 1e-22 are the same double; the leads of 46 and 51 nats are not.
    assert auc([[0.0, -51.0], [0.0, -46.0]], [0, 1]) == 1.0


def test_single_label_ranks_nothing() -> None:
    assert auc([[-1.0, -2.0], [-2.0, -1.0]], [0, 0]) is None
