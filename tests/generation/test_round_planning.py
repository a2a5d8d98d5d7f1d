"""What a round asks: which language, which strategy, how often, and what is given up."""

from collections import Counter

import pytest

from pipeline.generation.config import GenerationConfig, StrategyName
from pipeline.generation.planning import LanguagePlan, choose_next, make_plans, round_size
from schemas.records import Language, Reason

ASKED: dict[StrategyName, int] = {"structured": 1, "evolve": 1, "topics": 1, "alpaca": 16}


def make(
    quota: dict[Language, int], mix: dict[StrategyName, float] | None = None
) -> list[LanguagePlan]:
    config = GenerationConfig(
        quota=quota, mix=mix or {"structured": 1.0}, patience=10, min_yield=0.05
    )
    return make_plans(config, ASKED)


def ask(plans: list[LanguagePlan], count: int) -> list[tuple[Language, StrategyName]]:
    given: Counter[Language] = Counter()
    asked: list[tuple[Language, StrategyName]] = []
    while len(asked) < count and (place := choose_next(plans, given)) is not None:
        given[place.language.language] += 1
        place.strategy.under_way += 1
        asked.append((place.language.language, place.strategy.strategy))
    return asked


def fold(plan: LanguagePlan, *verdicts: Reason | None) -> None:
    strategy = plan.strategies[0]
    strategy.under_way += 1
    strategy.fold(verdicts)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        pytest.param({"en": 20, "ko": 20}, {"en": 4, "ko": 4}, id="equal quotas"),
        # 30 to 10: six of eight conversations.
        pytest.param({"en": 30, "ko": 10}, {"en": 6, "ko": 2}, id="unequal quotas"),
        pytest.param({"ko": 3, "en": 0}, {"ko": 3}, id="no more than is missing"),
    ],
)
def test_round_is_shared_by_what_is_missing(
    quota: dict[Language, int], expected: dict[Language, int]
) -> None:
    asked = ask(make(quota), 8)

    assert Counter(language for language, _ in asked) == expected


def test_conversations_under_way_count_as_records_to_come() -> None:
    [plan] = plans = make({"en": 3})
    plan.strategies[0].under_way = 2

    assert len(ask(plans, 8)) == 1


def test_list_strategy_asks_less_often() -> None:
    # 20 records at 16 a conversation.
    assert len(ask(make({"en": 20}, {"alpaca": 1.0}), 8)) == 2


def test_poor_yield_asks_more() -> None:
    [plan] = plans = make({"ko": 10})
    fold(plan, None)
    for _ in range(3):
        fold(plan, "repeat")

    # 1 of 4, and one record expected before: (1 + 1) / (4 + 1) a conversation for 9 that miss.
    assert len(ask(plans, 100)) == 23


def test_full_language_asks_nothing() -> None:
    plans = make({"ko": 2, "en": 5})
    korean = plans[1]
    fold(korean, None, None, None)

    assert korean.is_full
    assert {language for language, _ in ask(plans, 3)} == {"en"}


def test_mixture_follows_its_weights() -> None:
    plans = make({"en": 100}, {"structured": 5, "evolve": 3, "topics": 2})

    asked = Counter(strategy for _, strategy in ask(plans, 100))

    assert asked == {"structured": 50, "evolve": 30, "topics": 20}


def test_weights_count_kept_records_so_a_poor_strategy_is_asked_more_often() -> None:
    [plan] = plans = make({"en": 1000}, {"structured": 1, "evolve": 1})
    evolve, structured = plan.strategies
    for _ in range(50):
        evolve.under_way += 1
        evolve.fold([None])
        structured.under_way += 1
        structured.fold([None if _ % 5 == 0 else "repeat"])

    asked = Counter(strategy for _, strategy in ask(plans, 300))

    # 10 of 50 against 50 of 50 kept: it first makes up leeway, then is asked some five times.
    assert asked["structured"] > 4 * asked["evolve"]


def test_strategy_is_given_up_only_after_a_full_stretch_of_failures() -> None:
    [plan] = make({"ko": 5})
    for _ in range(9):
        fold(plan, "wrong-language-output")
    plan.strategies[0].judge_yield()
    assert plan.is_active

    fold(plan, "repeat")
    plan.strategies[0].judge_yield()

    assert not plan.is_active
    assert plan.describe() == (
        "ko: 0 of 5 (structured was given up because 0 of its latest 10 drafts were admitted, "
        "9 were rejected as wrong-language-output)"
    )


def test_one_success_in_the_stretch_keeps_a_strategy() -> None:
    [plan] = make({"ko": 5})
    for number in range(20):
        fold(plan, None if number == 15 else "repeat")
    plan.strategies[0].judge_yield()

    assert plan.is_active


def test_others_take_the_share_of_a_strategy_that_is_used_up() -> None:
    [plan] = plans = make({"en": 50}, {"structured": 1, "evolve": 9})
    plan.strategies[0].is_used_up = True  # evolve: they are in alphabetical order

    assert {strategy for _, strategy in ask(plans, 20)} == {"structured"}
    assert plan.is_active


@pytest.mark.parametrize(
    ("drawn", "size"), [(0, 8), (64, 8), (80, 10), (800, 100), (8_192, 1_024), (100_000, 1_024)]
)
def test_rounds_grow_with_the_run(drawn: int, size: int) -> None:
    assert round_size(GenerationConfig(), drawn) == size


def test_rounds_are_as_large_as_the_run_says() -> None:
    assert round_size(GenerationConfig(prompts_per_round=5), 1000) == 5


def test_strategy_that_never_brings_anything_does_not_starve_the_others() -> None:
    config = GenerationConfig(quota={"en": 50}, mix={"structured": 0.1, "evolve": 0.9}, min_yield=0)
    [plan] = plans = make_plans(config, ASKED)
    asked: Counter[str] = Counter()
    while not plan.is_full and asked.total() < 5000:
        place = choose_next(plans, Counter())
        assert place is not None
        place.strategy.under_way += 1
        place.strategy.fold([None if place.strategy.strategy == "structured" else "repeat"])
        asked[place.strategy.strategy] += 1

    # Each of 50 kept records of weight 0.1 lets 8 × 0.9 / 0.1 = 72 of the other one be asked.
    assert plan.is_full
    assert asked["evolve"] <= 50 * 72 + 72
