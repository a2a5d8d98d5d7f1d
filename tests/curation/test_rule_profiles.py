"""Profiles choose rules by severity, switches correct the choice, and each rule has its cost."""

import pytest
from pydantic import ValidationError

from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import curate
from pipeline.curation.rules.catalogue import RULES, RulesConfig, find_broken_rules
from pipeline.curation.rules.cost import cost_in_yield
from pipeline.curation.rules.rule import Severity
from schemas.records import LANGUAGES, Language, Reason, Rejection
from tests.curation.making import make_draft, make_record


def asked(config: RulesConfig, language: Language) -> list[Reason]:
    return [rule.id for rule in config.asked[language]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_profile_asks_the_rules_of_its_severities_and_no_others(language: Language) -> None:
    def of(*severities: Severity) -> list[Reason]:
        return [
            rule.id for rule in RULES if rule.severity in severities and language in rule.languages
        ]

    assert asked(RulesConfig(profile="lenient"), language) == of("fatal")
    assert asked(RulesConfig(), language) == of("fatal", "serious")


def test_strict_asks_alpacas_filters_on_english_besides_ours() -> None:
    strict, standard = RulesConfig(profile="strict"), RulesConfig()

    added = [reason for reason in asked(strict, "en") if reason not in asked(standard, "en")]
    assert added == [
        "unsuitable-keyword", "write-a-program", "leading-punctuation", "leading-non-ascii",
    ]  # fmt: skip
    assert asked(strict, "ko") == asked(standard, "ko")


def test_alpaca_profile_asks_korean_records_what_the_standard_one_asks() -> None:
    assert asked(RulesConfig(profile="alpaca"), "ko") == asked(RulesConfig(), "ko")


def test_rule_that_is_off_is_not_asked() -> None:
    record = make_record("Name a red fruit.", "en", output="N/A")

    assert find_broken_rules(record, RulesConfig())
    assert not find_broken_rules(record, RulesConfig(off=("not-an-answer",)))


def test_rule_that_is_on_is_asked_besides_those_of_the_profile() -> None:
    record = make_record("Explain the plot of Hamlet.", "en")

    (broken,) = find_broken_rules(record, RulesConfig(on=("unsuitable-keyword",)))

    assert broken.rule.id == "unsuitable-keyword"


def test_rule_that_is_on_adds_nothing_where_the_profile_has_it() -> None:
    config = RulesConfig(profile="alpaca", on=("instruction-too-short",))

    assert asked(config, "en").count("instruction-too-short") == 1


@pytest.mark.parametrize(
    ("off", "on", "problem"),
    [
        (("repeat",), (), "'repeat' is no rule; there are:"),
        ((), ("low-score",), "'low-score' is no rule"),
        (("refusal",), ("refusal",), "'refusal' is both on and off"),
    ],
)
def test_switch_that_means_nothing_is_refused(
    off: tuple[Reason, ...], on: tuple[Reason, ...], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        RulesConfig(off=off, on=on)


def test_first_broken_rule_names_the_reason_and_the_others_are_kept_beside_it() -> None:
    draft = make_draft(
        "Name a red fruit.", "en", output="I'm sorry, I can't help with that. It is like the"
    )

    (rejection,) = curate([draft], [], CurationConfig(stage=("rules",))).dropped

    assert rejection.reason == "refusal"
    assert rejection.also == ("unfinished-output",)


def test_cost_of_a_rule_counts_the_records_that_it_alone_rejected() -> None:
    draft = make_draft("Name a red fruit.", "en")

    def reject(reason: Reason, *also: Reason) -> Rejection:
        return Rejection(draft=draft, stage="rules", reason=reason, detail="found", also=also)

    rejections = [
        reject("refusal"),
        reject("not-an-answer"),
        reject("refusal"),
        reject("placeholder", "refusal"),
        Rejection(draft=draft, stage="novelty", reason="repeat", detail="0.9"),
    ]

    assert cost_in_yield(rejections) == {"refusal": 2, "not-an-answer": 1}
