"""Readers' decisions are applied after all other stages, and overrule them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curation.reviewing import apply_decisions
from schemas.records import (
    Draft,
    InstructionRecord,
    Language,
    Provenance,
    Reason,
    Rejection,
    Stage,
    to_draft,
)
from schemas.review import ReviewDecision, ReviewedText, ReviewVerdict

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def make_record(
    instruction: str, language: Language = "en", derived_from: str = ""
) -> InstructionRecord:
    provenance = Provenance(
        strategy="structured",
        teacher="t",
        completion_id="c" * 16,
        position=3,
        seed_ids=("en-1",),
        derived_from=derived_from,
    )
    return InstructionRecord(
        instruction=instruction,
        output="개나리입니다." if language == "ko" else "Kiwi.",
        language=language,
        provenance=provenance,
    )


def make_rejection(
    draft: Draft | InstructionRecord, stage: Stage = "rules", reason: Reason = "refusal"
) -> Rejection:
    draft = to_draft(draft) if isinstance(draft, InstructionRecord) else draft
    return Rejection(draft=draft, stage=stage, reason=reason, detail="it declines")


def decide(
    record: InstructionRecord | Draft,
    verdict: ReviewVerdict,
    text: str | None = None,
    note: str = "",
) -> ReviewDecision:
    edited = None
    if text is not None:
        edited = ReviewedText(instruction=text, input=record.input, output=record.output)
    return ReviewDecision(
        record=record.id,
        verdict=verdict,
        edited=edited,
        note=note,
        author="김서연",
        time=NOON,
        dataset="fruits/0001-0123456789ab",
    )


APPLE = make_record("Name a fruit that grows in Daegu.")
PEAR = make_record("Name a fruit that grows in Naju.")
FLOWER = make_record("봄에 피는 꽃을 하나 말해 줘.", "ko")


def test_without_decisions_everything_stays_and_nothing_is_reported() -> None:
    rejection = make_rejection(PEAR)

    assert apply_decisions([APPLE], [rejection], []) == ([APPLE], [rejection], None)


@pytest.mark.parametrize(
    ("record", "note", "detail"),
    [
        pytest.param(FLOWER, "꽃 이름이\n틀렸다.", "꽃 이름이 틀렸다.", id="korean-note"),
        pytest.param(APPLE, "Daegu apples are gone.", "Daegu apples are gone.", id="english-note"),
        pytest.param(APPLE, "", "a reader rejected it and gave no reason", id="no-note"),
    ],
)
def test_rejected_record_is_dropped_with_the_readers_note_and_without_the_name(
    record: InstructionRecord, note: str, detail: str
) -> None:
    result = apply_decisions([PEAR, record], [], [decide(record, "reject", note=note)])

    assert result.kept == [PEAR]
    (rejection,) = result.dropped
    assert rejection.draft == to_draft(record)
    assert (rejection.stage, rejection.reason) == ("review", "rejected-by-reader")
    assert rejection.detail == detail


def test_accepted_rejection_comes_back_behind_what_was_kept() -> None:
    wrong, right = make_rejection(PEAR), make_rejection(FLOWER)

    result = apply_decisions(
        [APPLE], [wrong, right], [decide(FLOWER, "accept"), decide(APPLE, "accept")]
    )

    assert result.kept == [APPLE, FLOWER]
    assert result.dropped == [wrong]
    assert result.report is not None
    assert (result.report.accepted, result.report.restored) == (2, 1)


def test_draft_without_an_answer_stays_rejected_and_it_is_said() -> None:
    draft = Draft(instruction="봄꽃은?", language="ko", provenance=FLOWER.provenance)
    rejection = make_rejection(draft, "schema", "empty-output")

    result = apply_decisions([], [rejection], [decide(draft, "accept")])

    assert result.kept == []
    (left,) = result.dropped
    assert (left.stage, left.reason) == ("schema", "empty-output")
    assert left.detail.startswith("it declines; a reader accepted it, but it is no record: output:")
    assert result.report is not None
    assert (result.report.restored, result.report.unused) == (0, 0)


def test_draft_without_an_answer_comes_back_with_the_answer_of_a_reader() -> None:
    draft = Draft(
        instruction="봄꽃은?", language="ko", provenance=FLOWER.provenance, defect="truncated"
    )
    text = ReviewedText(instruction="봄꽃은?", output="개나리입니다.")
    decision = decide(draft, "accept").model_copy(update={"verdict": "edit", "edited": text})

    result = apply_decisions([], [make_rejection(draft, "schema", "truncated")], [decision])

    (record,) = result.kept
    assert record.output == "개나리입니다."
    assert record.provenance.edited
    assert result.report is not None
    assert (result.report.edited, result.report.accepted, result.report.restored) == (1, 0, 1)


def test_edited_record_keeps_its_place_and_where_it_came_from() -> None:
    result = apply_decisions([APPLE, PEAR], [], [decide(APPLE, "edit", "Name a fruit of Jeju.")])

    edited, other = result.kept
    assert other == PEAR
    assert edited.instruction == "Name a fruit of Jeju."
    assert edited.provenance == APPLE.provenance.model_copy(
        update={"edited": True, "derived_from": APPLE.id}
    )


def test_edited_record_stays_tied_to_the_document_that_it_was_made_from() -> None:
    record = make_record("제주에서 나는 과일은?", "ko", derived_from="wiki-7")

    (edited,) = apply_decisions([record], [], [decide(record, "edit", "제주 과일은?")]).kept

    assert edited.provenance.derived_from == "wiki-7"


def test_decision_about_an_edited_text_applies_to_it() -> None:
    first = decide(APPLE, "edit", "Name a fruit of Jeju.")
    (jeju,) = apply_decisions([APPLE], [], [first]).kept
    second = decide(jeju, "edit", "Name two fruits of Jeju.")
    (two,) = apply_decisions([APPLE], [], [first, second]).kept

    result = apply_decisions([APPLE], [], [first, second, decide(two, "reject")])

    assert two.instruction == "Name two fruits of Jeju."
    assert two.provenance.derived_from == APPLE.id
    assert [rejection.draft.id for rejection in result.dropped] == [two.id]
    assert result.report is not None
    assert result.report.unused == 0


def test_edits_that_undo_each_other_leave_the_record_as_it_was() -> None:
    there = decide(APPLE, "edit", PEAR.instruction)
    back = decide(PEAR, "edit", APPLE.instruction)

    assert apply_decisions([APPLE], [], [there, back]).kept == [APPLE]
    # The other way round the second edit makes a text that nobody decided upon since.
    assert [one.id for one in apply_decisions([APPLE], [], [back, there]).kept] == [PEAR.id]


def test_record_may_take_the_text_that_another_one_had_before_its_edit() -> None:
    decisions = [decide(PEAR, "edit", FLOWER.instruction), decide(APPLE, "edit", PEAR.instruction)]

    result = apply_decisions([APPLE, PEAR], [], decisions)

    assert [one.instruction for one in result.kept] == [PEAR.instruction, FLOWER.instruction]


def test_edit_that_says_what_another_record_says_is_a_duplicate_of_it() -> None:
    result = apply_decisions([APPLE, PEAR], [], [decide(APPLE, "edit", PEAR.instruction)])

    assert result.kept == [PEAR]
    (rejection,) = result.dropped
    assert (rejection.stage, rejection.reason) == ("review", "exact-duplicate")
    assert rejection.collides_with == PEAR.id
    # The reader finds the text that was edited, and can take the edit back.
    assert rejection.draft.id == APPLE.id


def test_of_two_edits_into_one_text_the_first_record_keeps_it() -> None:
    decisions = [decide(PEAR, "edit", "Name a nut."), decide(APPLE, "edit", "Name a nut.")]

    result = apply_decisions([APPLE, PEAR], [], decisions)

    assert [one.provenance.derived_from for one in result.kept] == [APPLE.id]
    assert [one.draft.id for one in result.dropped] == [PEAR.id]


def test_later_decision_takes_the_place_of_an_earlier_one() -> None:
    decisions = [decide(APPLE, "reject"), decide(APPLE, "accept")]

    assert apply_decisions([APPLE], [], decisions).kept == [APPLE]


def test_withdrawn_decision_lets_the_one_before_it_stand_again() -> None:
    rejected, accepted = decide(APPLE, "reject"), decide(APPLE, "accept")
    back = decide(APPLE, "withdraw")

    assert apply_decisions([APPLE], [], [rejected, accepted, back]).kept == []
    assert apply_decisions([APPLE], [], [rejected, accepted, back, back]).kept == [APPLE]
    assert apply_decisions([APPLE], [], [back, rejected]).kept == []


def test_rejecting_what_is_rejected_already_leaves_its_first_reason() -> None:
    rejection = make_rejection(PEAR)

    result = apply_decisions([], [rejection], [decide(PEAR, "reject")])

    assert result.dropped == [rejection]
    assert result.report is not None
    assert (result.report.rejected, result.report.unused) == (0, 0)


def test_twin_of_a_kept_record_stays_rejected_when_the_record_is_accepted() -> None:
    twin = make_rejection(APPLE, "duplicate", "exact-duplicate")

    result = apply_decisions([APPLE], [twin], [decide(APPLE, "accept")])

    assert result == ([APPLE], [twin], result.report)
    assert apply_decisions([APPLE], [twin], [decide(APPLE, "reject")]).kept == []


def test_only_the_first_of_equal_rejections_comes_back() -> None:
    first, second = make_rejection(APPLE), make_rejection(APPLE, "duplicate", "exact-duplicate")

    result = apply_decisions([], [first, second], [decide(APPLE, "accept")])

    assert result == ([APPLE], [second], result.report)


def test_decisions_about_records_that_are_not_there_are_counted() -> None:
    result = apply_decisions([APPLE], [], [decide(PEAR, "accept"), decide(FLOWER, "reject")])

    assert result.kept == [APPLE]
    assert result.report is not None
    assert result.report.unused == 2


TEXTS = [f"Name {number} fruits." for number in range(5)]
POOL = [make_record(text) for text in TEXTS]
VERDICTS: tuple[ReviewVerdict, ...] = ("accept", "reject", "edit", "withdraw")
decisions_of_any_kind = st.lists(
    st.builds(
        lambda record, verdict, text: decide(record, verdict, text if verdict == "edit" else None),
        st.sampled_from(POOL),
        st.sampled_from(VERDICTS),
        st.sampled_from(TEXTS),
    ),
    max_size=12,
)


@given(
    st.lists(st.sampled_from(POOL), unique_by=lambda one: one.id),
    st.lists(st.sampled_from(POOL)),
    decisions_of_any_kind,
)
def test_no_record_is_lost_or_made_whatever_readers_decide(
    kept: list[InstructionRecord],
    dropped: list[InstructionRecord],
    decisions: list[ReviewDecision],
) -> None:
    rejections = [make_rejection(record) for record in dropped]

    result = apply_decisions(kept, rejections, decisions)

    assert len(result.kept) + len(result.dropped) == len(kept) + len(dropped)
    assert len({record.id for record in result.kept}) == len(result.kept)
    if result.report is not None:
        by_readers = sum(one.reason == "rejected-by-reader" for one in result.dropped)
        assert result.report.rejected == by_readers
        assert result.report.edited == sum(one.provenance.edited for one in result.kept)
        assert result.report.restored <= result.report.accepted + result.report.edited
    # Untouched records stand in their old order.
    touched = {decision.record for decision in decisions}
    untouched = [record for record in kept if record.id not in touched]
    assert [record for record in result.kept if record in untouched] == untouched
