import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from training.evaluation.statistics import (
    Pairs,
    accuracy_interval,
    count_pairs,
    difference_interval,
    holm,
    items_needed,
    items_to_bound,
    lower_bound,
    mcnemar,
    pool,
    smallest_detectable_difference,
)


def test_pairs_count_who_alone_is_right() -> None:
    pairs = count_pairs([True, True, False, False, True], [True, False, True, False, False])

    assert pairs == Pairs(wins=2, losses=1, item_count=5)
    assert pairs.difference == pytest.approx(0.2)
    assert pool([pairs, pairs]) == Pairs(4, 2, 10)


@pytest.mark.parametrize(
    ("wins", "losses", "expected"),
    [
        pytest.param(0, 0, 1.0, id="no-difference"),
        # Both tails of five fair coins that all fall alike: 2 / 32.
        pytest.param(5, 0, 0.0625, id="five-to-none"),
        # 2 * (1 + 10) / 1024
        pytest.param(1, 9, 0.021484375, id="nine-to-one"),
        # Twice the tail exceeds 1 when the two are equal.
        pytest.param(3, 3, 1.0, id="three-all"),
    ],
)
def test_mcnemar_equals_the_binomial_worked_out_by_hand(
    wins: int, losses: int, expected: float
) -> None:
    assert mcnemar(Pairs(wins, losses, 100)) == expected


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_equals_the_exact_binomial_test(wins: int, losses: int) -> None:
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0

    assert mcnemar(Pairs(wins, losses, 1000)) == pytest.approx(expected, rel=1e-6)


def test_holm_equals_the_steps_worked_out_by_hand() -> None:
    # Sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04; none may fall below the one before.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.7, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_accuracy_interval_is_the_bootstrap_over_items() -> None:
    outcomes = np.array([1.0] * 130 + [0.0] * 70)
    drawn = np.random.default_rng(1).choice(outcomes, size=(20_000, 200)).mean(axis=1)

    found = accuracy_interval(130, 200, seed=0)

    assert found == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.006)
    assert found == accuracy_interval(130, 200, seed=0)


def test_difference_interval_is_the_bootstrap_over_pairs() -> None:
    outcomes = np.array([1.0] * 40 + [-1.0] * 20 + [0.0] * 140)
    drawn = np.random.default_rng(1).choice(outcomes, size=(20_000, 200)).mean(axis=1)

    found = difference_interval(Pairs(40, 20, 200), seed=0)

    assert found == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.006)
    assert found.low < 0.1 < found.high


@pytest.mark.parametrize("right", [0, 50])
def test_interval_of_all_right_or_all_wrong_is_a_point(right: int) -> None:
    assert accuracy_interval(right, 50, seed=0) == (right / 50, right / 50)


def test_lower_bound_equals_the_formula_worked_out_by_hand() -> None:
    # (20.5 - 10.5) / 102 = .09804; (31 / 102 - .09804 ** 2) / 102 = .0028854, its root .053716;
    # .09804 - 1.644854 * .053716 = .009684
    assert lower_bound(Pairs(20, 10, 100), alpha=0.05) == pytest.approx(0.009684, abs=2e-6)


def test_lower_bound_keeps_its_level_where_models_are_equal() -> None:
    draws = np.random.default_rng(0).multinomial(200, [0.08, 0.08, 0.84], size=4000)

    above = [lower_bound(Pairs(int(w), int(lost), 200), 0.05) > 0 for w, lost, _ in draws]

    assert np.mean(above) < 0.06


def test_items_needed_find_the_difference_in_four_of_five_runs() -> None:
    needed = items_needed(0.08, discordance=0.2, alpha=0.05)
    draws = np.random.default_rng(0).multinomial(needed, [0.14, 0.06, 0.8], size=2000)

    found = [mcnemar(Pairs(int(w), int(lost), needed)) <= 0.05 for w, lost, _ in draws]

    # Connor's formula is for the approximate test; the exact one finds a little less.
    assert 0.72 < np.mean(found) < 0.83


def test_smallest_detectable_difference_is_what_the_items_needed_for_it_are() -> None:
    smallest = smallest_detectable_difference(400, discordance=0.2, alpha=0.05)

    assert items_needed(smallest, 0.2, 0.05) <= 400 < items_needed(smallest - 0.001, 0.2, 0.05)
    assert smallest_detectable_difference(3, discordance=0.2, alpha=0.05) == 0.2


def test_items_to_bound_reach_the_margin_and_give_up_beyond_it() -> None:
    observed = Pairs(20, 20, 200)
    needed = items_to_bound(observed, margin=0.05, alpha=0.05)

    assert needed is not None
    grown = Pairs(needed // 10, needed // 10, needed)
    assert lower_bound(observed, 0.05) < -0.05 <= lower_bound(grown, 0.05) + 0.002
    assert items_to_bound(Pairs(0, 20, 200), margin=0.05, alpha=0.05) is None
