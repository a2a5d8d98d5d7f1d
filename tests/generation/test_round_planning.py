"""How many prompts a round asks in which language."""

from pipeline.generation.planning import LanguagePlan, allot
from schemas.records import Language


def make_plan(language: Language, quota: int, records_asked: int = 1) -> LanguagePlan:
    return LanguagePlan(language, quota, records_asked, patience=10, min_yield=0.05)


def languages(plans: list[LanguagePlan], count: int) -> list[Language]:
    return [plan.language for plan in allot(plans, count)]


def test_equal_quotas_share_a_round_evenly() -> None:
    asked = languages([make_plan("en", 20), make_plan("ko", 20)], 8)

    assert (asked.count("en"), asked.count("ko")) == (4, 4)


def test_prompts_follow_what_is_missing() -> None:
    # 30 to 10: six of eight prompts.
    asked = languages([make_plan("en", 30), make_plan("ko", 10)], 8)

    assert (asked.count("en"), asked.count("ko")) == (6, 2)


def test_no_more_is_asked_than_is_missing() -> None:
    plan = make_plan("en", 3)
    assert languages([plan], 8) == ["en"] * 3

    plan.under_way = 2
    assert languages([plan], 8) == ["en"]


def test_list_strategy_asks_fewer_prompts() -> None:
    # 20 records at 16 a prompt.
    assert languages([make_plan("en", 20, records_asked=16)], 8) == ["en"] * 2


def test_poor_yield_asks_more_prompts() -> None:
    plan = make_plan("ko", 10)
    plan.under_way = 4
    for admitted in (True, False, False, False):
        plan.fold_prompt([admitted])

    # 1 of 4, and one record expected before: (1 + 1) / (4 + 1) a prompt for the 9 that are missing.
    assert plan.missing_prompts == 23


def test_full_language_asks_nothing() -> None:
    plan = make_plan("ko", 2)
    plan.under_way = 1
    plan.fold_prompt([True, True, True])

    assert plan.is_full
    assert languages([plan, make_plan("en", 5)], 3) == ["en"] * 3


def test_language_is_given_up_only_after_a_full_stretch_of_failures() -> None:
    plan = make_plan("ko", 5)
    for _ in range(9):
        plan.fold_prompt([False])
    plan.judge_yield()
    assert not plan.is_given_up

    plan.fold_prompt([False])
    plan.judge_yield()
    assert plan.is_given_up
    assert plan.describe() == (
        "ko: 0 of 5, given up because 0 of the latest 10 drafts were admitted"
    )


def test_one_success_in_the_stretch_keeps_a_language() -> None:
    plan = make_plan("ko", 5)
    for number in range(20):
        plan.fold_prompt([number == 15])
    plan.judge_yield()

    assert not plan.is_given_up
