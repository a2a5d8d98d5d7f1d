"""Which differences between figures are told, and which are taken for chance."""

import random

import pytest
from scipy import stats

from pipeline.publishing.statistics.drift import Shift, find_drift
from pipeline.publishing.statistics.figures import (
    Diversity,
    Histogram,
    LanguageFigures,
    Lengths,
    Phrase,
    VersionStatistics,
)
from pipeline.publishing.statistics.significance import (
    adjust_by_holm,
    compare_concentrations,
    compare_histograms,
    compare_shares,
    measure_concentration,
)
from schemas.records import Language


def _figures(
    task_types: dict[str, int], phrases: list[int] | None = None, lengths: list[int] | None = None
) -> LanguageFigures:
    records = sum(task_types.values())
    asked = tuple(
        Phrase(verb=f"verb{place}", noun="", count=count)
        for place, count in enumerate(phrases or [])
    )
    return LanguageFigures(
        records=records,
        lengths={"output": _lengths(lengths)} if lengths else {},
        task_types=task_types,
        strategies={"alpaca": records},
        diversity=Diversity(
            looked_at=records,
            parsed=sum(phrases or []),
            phrases=asked,
            distinct_1=0.5,
            distinct_2=0.9,
        ),
        similarity=None,
    )


def _lengths(counts: list[int]) -> Lengths:
    edges = tuple(float(2**step) for step in range(len(counts) + 1))
    place, below = 0, counts[0]
    while below < sum(counts) / 2:
        place += 1
        below += counts[place]
    return Lengths(
        filled=sum(counts),
        shortest=1,
        p5=1,
        median=2**place,
        p95=9,
        longest=9,
        histogram=Histogram(edges=edges, counts=tuple(counts)),
    )


def _version(language: Language, figures: LanguageFigures) -> VersionStatistics:
    return VersionStatistics(languages={language: figures}, rounds=())


def _told(older: LanguageFigures, newer: LanguageFigures) -> list[Shift]:
    return find_drift(_version("ko", older), _version("ko", newer))


def test_task_type_that_is_gone_is_a_gap_and_told_first() -> None:
    older = _figures({"code": 100, "translation": 100, "explanation": 100})
    newer = _figures({"code": 100, "explanation": 200})

    shifts = _told(older, newer)

    assert [(one.name, one.movement, one.is_gap) for one in shifts] == [
        ("translation", "gone", True),
        ("explanation", "rose", False),
    ]
    assert (shifts[0].before, shifts[0].after) == (pytest.approx(1 / 3), 0)


def test_rare_task_type_that_is_missing_by_chance_is_not_told() -> None:
    older = _figures({"code": 100, "translation": 2, "explanation": 100})
    newer = _figures({"code": 50, "explanation": 50})

    assert _told(older, newer) == []


def test_trifle_in_a_large_version_is_not_told() -> None:
    older = _figures({"code": 500_000, "explanation": 500_000})
    newer = _figures({"code": 505_000, "explanation": 495_000})

    assert compare_shares(500_000, 1_000_000, 505_000, 1_000_000) < 1e-6
    assert _told(older, newer) == []


def test_language_that_is_gone_is_told_as_that_language() -> None:
    figures = _figures({"code": 100})
    older = VersionStatistics(languages={"en": figures, "ko": figures}, rounds=())

    (shift,) = find_drift(older, _version("en", figures))

    assert (shift.subject, shift.name, shift.movement) == ("language", "ko", "gone")


def test_longer_outputs_are_told_by_their_medians() -> None:
    older = _figures({"code": 300}, lengths=[100, 100, 50, 50])
    newer = _figures({"code": 300}, lengths=[50, 50, 100, 100])

    (shift,) = _told(older, newer)

    assert (shift.subject, shift.name, shift.movement) == ("length", "output", "rose")
    assert (shift.before, shift.after) == (2, 4)


def test_less_varied_requests_are_told_as_repetition() -> None:
    (shift,) = _told(
        _figures({"code": 400}, phrases=[2] * 200),
        _figures({"code": 400}, phrases=[200, *[1] * 200]),
    )

    assert (shift.subject, shift.movement) == ("repetition", "rose")


def test_two_draws_from_one_source_seldom_differ() -> None:
    draw = random.Random(4)  # noqa: S311
    names = ["code", "translation", "explanation", "language", "arithmetic"]

    def make() -> LanguageFigures:
        drawn = draw.choices(names, weights=[8, 4, 2, 1, 1], k=400)
        phrases = draw.choices(range(300), weights=[1 / (place + 1) for place in range(300)], k=400)
        lengths = draw.choices(range(6), k=400)
        return _figures(
            {name: drawn.count(name) for name in names if name in drawn},
            [phrases.count(place) for place in set(phrases)],
            [lengths.count(place) for place in range(6)],
        )

    false = sum(bool(_told(make(), make())) for _ in range(150))

    assert false <= 13  # 5 % of 150 and two standard deviations


@pytest.mark.parametrize(
    ("one", "of_one", "two", "of_two"),
    [(3, 10, 9, 12), (0, 7, 4, 9), (1, 400, 6, 90), (99, 100, 20, 30)],
)
def test_few_are_compared_as_scipy_does_by_fisher(
    one: int, of_one: int, two: int, of_two: int
) -> None:
    table = [[one, of_one - one], [two, of_two - two]]

    assert compare_shares(one, of_one, two, of_two) == pytest.approx(
        stats.fisher_exact(table).pvalue  # pyright: ignore
    )


def test_many_are_compared_as_scipy_does_by_chi_squared() -> None:
    table = [[40, 60], [70, 80]]

    assert compare_shares(40, 100, 70, 150) == pytest.approx(
        stats.chi2_contingency(table, correction=False).pvalue  # pyright: ignore
    )


def test_histograms_are_compared_as_scipy_compares_their_values() -> None:
    one, two = [5, 9, 14, 2], [3, 4, 15, 9]
    values = [[place for place, n in enumerate(counts) for _ in range(n)] for counts in (one, two)]

    assert compare_histograms(one, two) == pytest.approx(
        stats.mannwhitneyu(*values, use_continuity=False, method="asymptotic").pvalue  # pyright: ignore
    )


def test_histograms_of_nothing_do_not_differ() -> None:
    assert compare_histograms([0, 0], [1, 2]) == 1.0
    assert compare_histograms([4, 0], [7, 0]) == 1.0


def test_concentration_equals_the_value_worked_out_by_hand() -> None:
    # Of 3 + 1 records 6 of the 12 ordered pairs are of one kind.
    assert measure_concentration([3, 1]) == pytest.approx(0.5)
    assert measure_concentration([1]) == 0.0


def test_concentration_varies_as_its_formula_says() -> None:
    draw = random.Random(3)  # noqa: S311
    shares = [0.4, 0.3, 0.2, 0.1]
    p_values: list[float] = []
    for _ in range(300):
        counts = [[draw.choices(range(4), shares, k=200).count(k) for k in range(4)] for _ in "12"]
        p_values.append(compare_concentrations(*counts))

    assert 4 <= sum(p_value < 0.05 for p_value in p_values) <= 27


def test_holm_equals_the_values_worked_out_by_hand() -> None:
    assert adjust_by_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
