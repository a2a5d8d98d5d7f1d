"""Each rule fires on its defect in both languages and lets the near miss pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curation.rules.alpaca import ALPACA_RULES
from pipeline.curation.rules.catalogue import RULES, RulesConfig, find_broken_rules
from pipeline.curation.rules.rule import Example, Rule
from pipeline.curation.rules.view import RecordView
from schemas.records import LANGUAGES, InstructionRecord, Language
from tests.curation.making import make_record
from tests.curation.rule_cases import FIRES, PASSES, Case

OURS = RulesConfig()
CARRIED = [
    pytest.param(rule, example, example in rule.examples, id=f"{rule.id}-{example.language}")
    for rule in (*RULES, *ALPACA_RULES)
    for example in (*rule.examples, *rule.near_misses)
]


def to_record(example: Example) -> InstructionRecord:
    return make_record(
        example.instruction, example.language, input_text=example.input, output=example.output
    )


def find_evidence(case: Case) -> dict[str, str]:
    _, language, instruction, input_text, output = case
    record = make_record(instruction, language, input_text=input_text, output=output)
    return {broken.rule.id: broken.evidence for broken in find_broken_rules(record, OURS)}


@pytest.mark.parametrize(("rule", "example", "fires"), CARRIED)
def test_rule_decides_on_the_examples_that_it_carries(
    rule: Rule, example: Example, fires: bool
) -> None:
    evidence = rule.find(RecordView(to_record(example)))

    assert (evidence is not None) == fires
    assert not evidence or "\n" not in evidence


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_near_misses_of_a_rule_break_no_other(rule: Rule) -> None:
    broken = [find_broken_rules(to_record(example), OURS) for example in rule.near_misses]

    assert not any(broken)


@pytest.mark.parametrize("rule", [*RULES, *ALPACA_RULES], ids=lambda rule: rule.id)
def test_rule_carries_examples_and_near_misses_in_each_of_its_languages(rule: Rule) -> None:
    assert {example.language for example in rule.examples} == {*rule.languages}
    assert {example.language for example in rule.near_misses} == {*rule.languages}


@pytest.mark.parametrize("case", FIRES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_rule_fires_with_evidence(case: Case) -> None:
    evidence = find_evidence(case).get(case[0])

    assert evidence
    assert "\n" not in evidence


@pytest.mark.parametrize("case", PASSES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_near_miss_passes_all_rules(case: Case) -> None:
    assert find_evidence(case) == {}


def test_evidence_of_personal_data_is_masked() -> None:
    record = make_record("짧은 쪽지를 쓰세요.", "ko", output="010-2847-3915로 연락해 주세요.")

    (broken,) = find_broken_rules(record, RulesConfig())

    assert "2847" not in broken.evidence
    assert "3915" not in broken.evidence


@given(
    st.text(max_size=80), st.text(max_size=40), st.text(max_size=80), st.sampled_from(["en", "ko"])
)
def test_no_text_makes_a_rule_fail(
    instruction: str, input_text: str, output: str, language: Language
) -> None:
    record = make_record(f"x{instruction}", language, input_text=input_text, output=f"x{output}")
    view = RecordView(record)

    for rule in (*RULES, *ALPACA_RULES):
        rule.find(view)


@pytest.mark.parametrize(
    "piece",
    ["a", "가", "ㄱ", "1", " ", "\n", "(", "[", "`", '"', "- ", "1. ", "a b ", "것을 ",
     "the image ", "!?", "a, ", "I can't ", "해 줘. ", "{", "//", "| ", "한글\n", "x.y",
     "ab" * 9 + " "],
)  # fmt: skip
@pytest.mark.parametrize("language", LANGUAGES)
def test_adversarial_text_of_any_length_is_judged_in_bearable_time(
    piece: str, language: Language
) -> None:
    # A pattern that tries every start against every end would run for hours on these.
    text = f"x{piece * (60_000 // len(piece))}x"

    view = RecordView(make_record(text[:2_000], language, input_text=text[:8_000], output=text))

    for rule in (*RULES, *ALPACA_RULES):
        rule.find(view)
