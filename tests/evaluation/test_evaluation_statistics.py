import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from training.evaluation.statistics.clusters import (
    Alike,
    Paired,
    mean_of,
    pair_up,
    pool,
    sum_up,
)
from training.evaluation.statistics.intervals import bootstrap, lower_bound, spread_of
from training.evaluation.statistics.planning import (
    items_needed,
    items_to_bound,
    smallest_detectable_before,
    smallest_detectable_difference,
)
from training.evaluation.statistics.significance import holm, sign_flip


def single(wins: int, losses: int, item_count: int) -> Paired:
    """Make pairs of single answers that are right or wrong."""
    outcomes = ((-100, losses), (0, item_count - wins - losses), (100, wins))
    return Paired(tuple(Alike(marks, 1, n) for marks, n in outcomes if n), item_count)


def of_marks(differences: Sequence[int]) -> Paired:
    """Make items that stand alone, with these differences in marks."""
    return Paired(
        sum_up([str(n) for n in range(len(differences))], [differences]), len(differences)
    )


def test_clusters_are_summed_over_items_and_variants() -> None:
    # "a" holds two items of two variants each: 100 + 0 + 100 + 100 over four answers.
    alike = sum_up(["a", "b", "a", "c"], [[100, 0, 100, 0], [0, 0, 100, 0]])

    assert alike == (Alike(0, 2, 2), Alike(300, 4, 1))
    assert mean_of(alike) == pytest.approx(300 / 800)


def test_models_with_different_numbers_of_variants_are_compared_by_their_means() -> None:
    # The first item: (100 + 0) / 2 against (100 + 100 + 40) / 3 is 50 - 80 = -30, sixfold -180.
    paired = pair_up(["a", "b"], [[100, 50], [0, 50]], [[100, 50], [100, 50], [40, 50]])

    assert paired.alike == (Alike(-180, 6, 1), Alike(0, 6, 1))
    assert paired.difference == pytest.approx(-0.15)
    assert (paired.wins, paired.losses, paired.cluster_count) == (0, 1, 2)


def test_pooled_items_weigh_the_same_in_however_many_variants_asked() -> None:
    once = of_marks([100, 0, 0, 0])
    thrice = Paired((Alike(-300, 3, 2), Alike(0, 3, 2)), 4)

    joined = pool([once, thrice])

    assert joined.difference == pytest.approx((1 - 2) / 8)
    assert (joined.item_count, joined.cluster_count) == (8, 8)


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
def test_sign_flip_of_single_answers_equals_the_binomial_worked_out_by_hand(
    wins: int, losses: int, expected: float
) -> None:
    assert sign_flip(single(wins, losses, 100)) == expected


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 4))
def test_sign_flip_of_single_answers_is_the_exact_mcnemar_test(
    wins: int, losses: int, variants: int
) -> None:
    paired = single(wins, losses, 1000)
    alike = tuple(Alike(a.marks * variants, variants, a.clusters) for a in paired.alike)
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0

    assert sign_flip(paired._replace(alike=alike)) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=10))
def test_sign_flip_is_the_share_of_all_patterns_of_signs_that_are_as_extreme(
    differences: list[int],
) -> None:
    patterns = itertools.product((1, -1), repeat=len(differences))
    sums = [
        abs(sum(sign * d for sign, d in zip(signs, differences, strict=True))) for signs in patterns
    ]
    expected = sum(one >= abs(sum(differences)) for one in sums) / len(sums)

    assert sign_flip(of_marks(differences)) == pytest.approx(expected, rel=1e-12)


def test_sign_flip_is_exact_far_below_what_a_float_could_subtract() -> None:
    # All of 300 fair coins fall alike: 2 ** -299, where 1 minus anything would be 0.
    assert sign_flip(single(300, 0, 300)) == pytest.approx(2.0**-299)


def test_normal_distribution_stands_in_for_many_clusters_of_many_marks() -> None:
    generator = np.random.default_rng(0)
    fine = generator.integers(-1200, 1250, 4000)
    # In steps of ten the exact test is cheap enough, and the sum hardly moves.
    coarse = of_marks([10 * round(d / 10) for d in fine.tolist()])

    assert sign_flip(of_marks(fine.tolist())) == pytest.approx(sign_flip(coarse), abs=0.01)


def test_sign_flip_keeps_its_level_where_answers_hang_together() -> None:
    # Passages of five questions each; what a model makes of a passage is common to all five.
    generator = np.random.default_rng(0)
    found = 0
    for _ in range(400):
        passage = generator.normal(0, 0.4, (40, 2, 1))
        right = generator.random((40, 2, 5)) < np.clip(0.5 + passage, 0, 1)
        difference = 100 * (right[:, 0].sum(axis=1) - right[:, 1].sum(axis=1))
        found += sign_flip(of_marks(difference.tolist())) <= 0.05

    assert found / 400 <= 0.075


def test_holm_equals_the_steps_worked_out_by_hand() -> None:
    # Sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04; none may fall below the one before.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.7, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_interval_is_the_bootstrap_over_items_that_stand_alone() -> None:
    outcomes = np.array([1.0] * 40 + [-1.0] * 20 + [0.0] * 140)
    drawn = np.random.default_rng(1).choice(outcomes, size=(20_000, 200)).mean(axis=1)

    found = bootstrap(single(40, 20, 200).alike, seed=0)

    assert found == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.006)
    assert found == bootstrap(single(40, 20, 200).alike, seed=0)


def test_interval_is_the_bootstrap_over_clusters_of_unequal_size() -> None:
    generator = np.random.default_rng(5)
    sizes = generator.integers(1, 9, 60)
    marks = [generator.binomial(size, generator.random()) for size in sizes.tolist()]
    alike = sum_up(
        [str(n) for n, size in enumerate(sizes.tolist()) for _ in range(size)],
        [
            [
                100 * (k < m)
                for m, size in zip(marks, sizes.tolist(), strict=True)
                for k in range(size)
            ]
        ],
    )
    picks = generator.integers(0, 60, (20_000, 60))
    drawn = np.array(marks)[picks].sum(axis=1) / sizes[picks].sum(axis=1)

    found = bootstrap(alike, seed=0)

    assert found == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.008)


@pytest.mark.parametrize("marks", [0, 100])
def test_interval_of_all_right_or_all_wrong_is_a_point(marks: int) -> None:
    assert bootstrap([Alike(marks, 1, 50)], seed=0) == (marks / 100, marks / 100)


def test_lower_bound_equals_the_formula_worked_out_by_hand() -> None:
    # (20.5 - 10.5) / 102 = .09804; (31 / 102 - .09804 ** 2) / 102 = .0028854, its root .053716;
    # .09804 - 1.644854 * .053716 = .009684
    assert lower_bound(single(20, 10, 100), alpha=0.05) == pytest.approx(0.009684, abs=2e-6)


def test_lower_bound_is_nearer_where_variants_of_an_item_average_out() -> None:
    one = single(30, 30, 100)
    # Each item in four wordings, of which one is won or lost: the mean is a quarter of that.
    four = Paired((Alike(-100, 4, 30), Alike(0, 4, 40), Alike(100, 4, 30)), 100)

    assert lower_bound(four, 0.05) == pytest.approx(lower_bound(one, 0.05) / 4)
    assert spread_of(four).second_moment == pytest.approx(spread_of(one).second_moment / 16)


@pytest.mark.parametrize("questions", [1, 5])
def test_lower_bound_keeps_its_level_where_models_are_equal(questions: int) -> None:
    generator = np.random.default_rng(0)
    marks = generator.multinomial(questions, [0.08, 0.08, 0.84], size=(2000, 100))

    above = [
        lower_bound(of_marks((100 * (run[:, 0] - run[:, 1])).tolist()), 0.05) > 0 for run in marks
    ]

    assert np.mean(above) < 0.065


def test_items_needed_find_the_difference_in_four_of_five_runs() -> None:
    observed = single(140, 60, 999)
    needed = items_needed(observed, 0.08, alpha=0.05)
    draws = np.random.default_rng(0).multinomial(needed, [0.14, 0.06, 0.8], size=2000)

    found = [sign_flip(single(int(w), int(lost), needed)) <= 0.05 for w, lost, _ in draws]

    # Connor's formula is for the approximate test; the exact one finds a little less.
    assert 0.72 < np.mean(found) < 0.83


def test_grouped_items_are_needed_by_the_group() -> None:
    # The same sums per cluster, once of one answer each and once of five items' answers.
    alone = of_marks([100, 0, 0, 0, -100, 0, 0, 0, 0, 0] * 10)
    grouped = Paired(tuple(a._replace(answers=5, marks=5 * a.marks) for a in alone.alike), 500)

    assert items_needed(grouped, 0.05, 0.05) == 5 * items_needed(alone, 0.05, 0.05)


def test_smallest_detectable_difference_is_what_the_items_needed_for_it_are() -> None:
    observed = single(50, 50, 500)
    smallest = smallest_detectable_difference(observed, alpha=0.05)

    assert items_needed(observed, smallest, 0.05) == pytest.approx(500, abs=2)


def test_difference_is_foretold_from_a_guess_of_the_discordance() -> None:
    smallest = smallest_detectable_before(400, discordance=0.2)
    as_if = single(40, 40, 400)

    # (1.96 * sqrt(.2) + .8416 * sqrt(.2 - .0624 ** 2)) / sqrt(400) = .0624
    assert smallest == pytest.approx(0.0624, abs=1e-4)
    assert smallest_detectable_difference(as_if, 0.05) == pytest.approx(smallest, abs=1e-3)
    assert smallest_detectable_before(3, discordance=0.2) == pytest.approx(0.2)


def test_items_to_bound_reach_the_margin_and_give_up_beyond_it() -> None:
    observed = single(20, 20, 200)
    needed = items_to_bound(observed, margin=0.05, alpha=0.05)

    assert needed is not None
    grown = single(needed // 10, needed // 10, needed)
    assert lower_bound(observed, 0.05) < -0.05 <= lower_bound(grown, 0.05) + 0.002
    assert items_to_bound(single(0, 20, 200), margin=0.05, alpha=0.05) is None


def test_fewest_items_are_those_of_which_winning_all_is_significant() -> None:
    # Five to none is p = .0625, six to none .03125.
    assert items_needed(single(50, 0, 50), 0.99, 0.05) == 6
    assert math.isclose(sign_flip(single(6, 0, 6)), 0.03125)
