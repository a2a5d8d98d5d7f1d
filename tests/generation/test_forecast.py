"""What a pilot foretells, on numbers worked out by hand and on simulated runs."""

from collections.abc import Mapping

import numpy as np
import pytest

from pipeline.generation.budget.forecast import (
    Forecast,
    Observation,
    Range,
    Totals,
    compare,
    describe,
    forecast,
)
from pipeline.generation.config import Price, StrategyName
from schemas.records import Language
from tests.generation.simulated_run import draw_habits, simulate, take_pilot

PRICE = Price(input=1.0, output=10.0)


def observe(
    count: int, admitted: int, language: Language = "en", strategy: StrategyName = "structured"
) -> list[Observation]:
    """Conversations of 100 + 400 tokens and 2 seconds that all bring the same."""
    return [Observation(language, strategy, 5, admitted, 1, 100, 400, 2.0)] * count


def foretell(
    observations: list[Observation],
    remaining: Mapping[Language, int],
    mix: Mapping[StrategyName, float] | None = None,
) -> Forecast:
    made = forecast(observations, remaining, mix or {"structured": 1.0}, PRICE, concurrency=2)
    assert made is not None
    return made


def test_an_even_pilot_is_multiplied_by_the_records_still_wanted() -> None:
    made = foretell(observe(10, admitted=2), {"en": 180})

    # 10 conversations brought 20 records, so 180 more take 90: 100 in all.
    assert made.conversations.expected == pytest.approx(100)
    assert made.requests.expected == pytest.approx(100)
    assert made.tokens.expected == pytest.approx(50_000)
    # A million tokens cost $1 and $10: 100 of one and 400 of the other, a hundred times.
    assert made.usd is not None
    assert made.usd.expected == pytest.approx(0.41)
    # 200 seconds of answering, two at a time.
    assert made.minutes is not None
    assert made.minutes.expected == pytest.approx(100 / 60)
    assert made.kept["en"].low == 200


def test_nothing_is_foretold_of_a_pilot_that_kept_nothing() -> None:
    assert forecast(observe(10, admitted=0), {"en": 5}, {"structured": 1.0}, PRICE, 2) is None
    assert forecast([], {"en": 5}, {"structured": 1.0}, PRICE, 2) is None


def test_a_full_run_is_foretold_as_it_stands() -> None:
    made = foretell(observe(10, admitted=2), {"en": 0})

    assert made.tokens == Range(low=5000, expected=5000, high=5000)
    assert made.kept["en"] == Range(low=20, expected=20, high=20)


def test_languages_and_strategies_are_foretold_by_their_own_yields() -> None:
    pilot = [
        *observe(200, 4, "en", "structured"),
        *observe(200, 1, "en", "evolve"),
        *observe(200, 1, "ko", "structured"),
        *observe(200, 1, "ko", "evolve"),
    ]

    made = foretell(pilot, {"en": 3000, "ko": 400}, {"structured": 1.0, "evolve": 1.0})

    # English: 4,000 in all, half from each: 1,200 more at 4 and 1,800 more at 1 a conversation.
    # Korean: 200 and 200 more at 1. The credit of one average conversation moves it by under 1 %.
    assert made.conversations.expected == pytest.approx(800 + 300 + 1800 + 400, rel=0.01)


def test_the_share_of_a_strategy_that_is_no_longer_asked_falls_to_the_others() -> None:
    pilot = [*observe(50, 2, "en", "structured"), *observe(50, 0, "en", "evolve")]

    made = foretell(pilot, {"en": 100}, {"structured": 1.0})

    assert made.conversations.expected == pytest.approx(150, rel=0.02)


def test_minutes_are_unknown_where_nobody_waited_and_cost_where_no_price_is_known() -> None:
    pilot = [one._replace(seconds=None) for one in observe(10, admitted=2)]

    made = forecast(pilot, {"en": 10}, {"structured": 1.0}, None, 2)

    assert made is not None
    assert made.minutes is None
    assert made.usd is None


def test_the_slow_first_answers_do_not_count_for_those_to_come() -> None:
    pilot = observe(12, admitted=1)
    cold = [one._replace(seconds=62.0) for one in pilot[:2]]

    made = foretell([*cold, *pilot[2:]], {"en": 108})

    # 120 seconds lost once, 120 conversations of 2 seconds, two at a time.
    assert made.minutes is not None
    assert made.minutes.expected == pytest.approx((120 + 240) / 2 / 60)


def test_a_larger_pilot_gives_a_narrower_interval() -> None:
    mixed = [*observe(1, admitted=0), *observe(1, admitted=2)]

    small, large = foretell(mixed * 5, {"en": 990}), foretell(mixed * 50, {"en": 900})

    assert small.tokens.expected == pytest.approx(large.tokens.expected)
    assert small.tokens.low < large.tokens.low < large.tokens.expected
    assert large.tokens.expected < large.tokens.high < small.tokens.high


@pytest.mark.parametrize(
    ("mix", "asked", "records"),
    [
        pytest.param({"structured": 1.0}, 1, 2000, id="one-record-a-conversation"),
        pytest.param({"alpaca": 0.7, "evolve": 0.3}, 10, 4000, id="ten-records-a-conversation"),
    ],
)
def test_nine_of_ten_runs_are_foretold_within_15_percent_by_a_pilot_of_5_percent(
    mix: dict[StrategyName, float], asked: int, records: int
) -> None:
    close, held, runs = 0, 0, 100
    for seed in range(runs):
        random = np.random.default_rng(seed)
        quota: dict[Language, int] = {"en": records * 3 // 5, "ko": records * 2 // 5}
        run = simulate(random, quota, mix, draw_habits(random, mix, asked))
        pilot = take_pilot(run, records // 20)
        left: dict[Language, int] = {
            language: wanted - sum(one.admitted for one in pilot if one.language == language)
            for language, wanted in quota.items()
        }
        tokens = sum(one.prompt_tokens + one.completion_tokens for one in run)

        foretold = foretell(pilot, left, mix).tokens

        close += abs(foretold.expected / tokens - 1) <= 0.15
        held += foretold.low <= tokens <= foretold.high
    assert close >= 90
    # 95 are foretold to; 90 is 2.3 standard deviations of a hundred runs below.
    assert held >= 90


def test_people_read_each_measure_with_its_interval_and_what_became_of_it() -> None:
    made = foretell(observe(10, admitted=2), {"en": 180})
    actual = Totals(110, 121, 52_000, 0.43, 1.5, {"en": 201})

    assert describe(made)[0] == "Forecast from 10 conversations (95 % interval):"
    assert describe(made)[1].startswith("conversations: 100 (")
    told = compare(made, actual)
    assert told[1].startswith("conversations: 110, foretold 100 (")
    assert told[1].endswith(", -9%")
    assert [line.split(":")[0] for line in told[1:]] == [
        "conversations",
        "requests",
        "tokens",
        "US dollars",
        "minutes",
        "en records kept",
    ]
