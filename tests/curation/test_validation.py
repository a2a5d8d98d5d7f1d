import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curation.validation import ValidationConfig, validate
from schemas.records import Defect, Draft, InstructionRecord, Reason, Rejection
from tests.curation.making import PROVENANCE, make_draft

CONFIG = ValidationConfig()
KO = "과일 세 가지를 말해 줘."


def reason_of(draft: Draft, config: ValidationConfig = CONFIG) -> Reason | None:
    verdict = validate(draft, config)
    return verdict.reason if isinstance(verdict, Rejection) else None


@pytest.mark.parametrize(
    "draft",
    [
        pytest.param(make_draft("List three fruits.", "en"), id="english"),
        pytest.param(make_draft(KO, "ko"), id="korean"),
        pytest.param(make_draft("Explain:\n\tx = 1", "en"), id="line-feed-and-tab"),
        pytest.param(make_draft("Describe 👨\u200d👩\u200d👧 and ❤️.", "en"), id="joined-emoji"),
        pytest.param(make_draft("이모지 👍🏽 👩\u200d💻의 뜻은?", "ko"), id="joined-emoji-korean"),
    ],
)
def test_good_draft_becomes_a_record(draft: Draft) -> None:
    record = validate(draft, CONFIG)

    assert isinstance(record, InstructionRecord)
    assert (record.instruction, record.language) == (draft.instruction, draft.language)


def test_record_is_composed_and_has_one_kind_of_line_end() -> None:
    decomposed = unicodedata.normalize("NFD", KO)
    draft = make_draft(f"  {decomposed}\r\n둘째 줄\r셋째\u2028넷째 ", "ko")

    record = validate(draft, CONFIG)

    assert isinstance(record, InstructionRecord)
    assert record.instruction == f"{KO}\n둘째 줄\n셋째\n넷째"


@pytest.mark.parametrize("defect", ["unparseable", "truncated", "wrong-type"])
def test_defect_of_the_parser_is_the_reason(defect: Defect) -> None:
    draft = make_draft("List three fruits.", "en").model_copy(update={"defect": defect})

    assert reason_of(draft) == defect


@pytest.mark.parametrize("blank", ["", " \n\t ", "\r\n"])
def test_empty_fields_are_told_apart(blank: str) -> None:
    assert reason_of(make_draft(blank, "en")) == "empty-instruction"
    assert reason_of(make_draft(KO, "ko", output=blank)) == "empty-output"


@pytest.mark.parametrize("letter", ["a", "가"])
def test_limits_count_characters_and_allow_their_own_value(letter: str) -> None:
    config = ValidationConfig(
        max_instruction_characters=5, max_input_characters=4, max_output_characters=6
    )

    def reason(instruction: int, input_text: int, output: int) -> Reason | None:
        draft = make_draft(
            letter * instruction, "ko", input_text=letter * input_text, output=letter * output
        )
        return reason_of(draft, config)

    assert reason(5, 4, 6) is None
    assert [reason(6, 4, 6), reason(5, 5, 6), reason(5, 4, 7)] == ["too-long"] * 3


@pytest.mark.parametrize(
    ("character", "named"),
    [
        ("\ud800", "surrogate"),
        ("\x00", "control"),
        ("\x1b", "control"),
        ("\x85", "control"),
        ("\ufffd", "failed decoding"),
        ("\u200b", "invisible"),
        ("\ufeff", "invisible"),
        ("\u3164", "invisible"),
        ("\u200d", "joiner"),
        ("\u202e", "direction"),
        ("\ue000", "private use"),
        ("\ufffe", "no character"),
    ],
)
def test_broken_text_is_named_with_field_code_point_and_place(character: str, named: str) -> None:
    for part in ("instruction", "input", "output"):
        draft = make_draft(KO, "ko").model_copy(update={part: f"가나{character}다"})

        verdict = validate(draft, CONFIG)

        assert isinstance(verdict, Rejection)
        assert verdict.reason == "broken-text"
        for word in (part, named, f"U+{ord(character):04X}", "character 3"):
            assert word in verdict.detail


def test_rejection_of_a_lone_surrogate_can_be_stored() -> None:
    verdict = validate(make_draft("a\ud800b", "en"), CONFIG)

    assert isinstance(verdict, Rejection)
    assert "a\ufffdb" in verdict.model_dump_json()


def test_rejection_keeps_the_draft_as_it_came() -> None:
    draft = make_draft("  zero\u200bwidth\r\n", "en")

    verdict = validate(draft, CONFIG)

    assert isinstance(verdict, Rejection)
    assert verdict.draft == draft


anything = st.text(st.characters(), max_size=20)


@given(instruction=anything, input_text=anything, output=anything)
def test_any_text_ends_as_record_or_rejection_that_can_be_stored(
    instruction: str, input_text: str, output: str
) -> None:
    draft = Draft(
        instruction=instruction,
        input=input_text,
        output=output,
        language="ko",
        provenance=PROVENANCE,
    )

    verdict = validate(draft, CONFIG)

    assert verdict.model_dump_json()
    if isinstance(verdict, InstructionRecord):
        assert verdict.instruction
        assert verdict.output
        assert unicodedata.is_normalized("NFC", verdict.instruction)
