"""Each rule fires on its defect in both languages and lets the near miss pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curation.rules.catalogue import RULES, RulesConfig, find_broken_rule
from schemas.records import Language, Reason
from tests.curation.making import make_record
from tests.curation.rule_cases import FIRES, PASSES, Case

CONFIG = RulesConfig()


def broken_by(case: Case) -> tuple[Reason, str] | None:
    _, language, instruction, input_text, output = case
    record = make_record(instruction, language, input_text=input_text, output=output)
    broken = find_broken_rule(record, CONFIG)
    return (broken.rule.id, broken.evidence) if broken else None


@pytest.mark.parametrize("case", FIRES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_rule_fires_with_evidence(case: Case) -> None:
    found = broken_by(case)

    assert found is not None
    assert found[0] == case[0]
    assert found[1]
    assert "\n" not in found[1]


@pytest.mark.parametrize("case", PASSES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_near_miss_passes_all_rules(case: Case) -> None:
    assert broken_by(case) is None


def test_every_rule_has_firing_and_passing_cases_in_each_of_its_languages() -> None:
    wanted = {(rule.id, language) for rule in RULES for language in rule.languages}
    arithmetic: set[tuple[Reason, Language]] = {
        ("wrong-arithmetic", "en"),
        ("wrong-arithmetic", "ko"),
    }  # its near misses are in test_arithmetic.py

    assert {(case[0], case[1]) for case in FIRES} == wanted
    assert {(case[0], case[1]) for case in PASSES} | arithmetic == wanted


def test_rule_that_is_off_is_not_asked() -> None:
    record = make_record("Name a red fruit.", "en", output="N/A")

    assert find_broken_rule(record, RulesConfig(off=("not-an-answer",))) is None


def test_evidence_of_personal_data_is_masked() -> None:
    record = make_record("짧은 쪽지를 쓰세요.", "ko", output="010-2847-3915로 연락해 주세요.")

    broken = find_broken_rule(record, CONFIG)

    assert broken is not None
    assert "2847" not in broken.evidence
    assert "3915" not in broken.evidence


@given(
    st.text(max_size=80), st.text(max_size=40), st.text(max_size=80), st.sampled_from(["en", "ko"])
)
def test_no_text_makes_a_rule_fail(
    instruction: str, input_text: str, output: str, language: Language
) -> None:
    record = make_record(f"x{instruction}", language, input_text=input_text, output=f"x{output}")

    for rule in RULES:
        rule.find(record)
