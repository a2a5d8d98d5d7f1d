"""What became of each record between two versions."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.publishing.difference import Difference, Versioned, compare_versions
from pipeline.publishing.statistics.figures import VersionStatistics
from schemas.records import InstructionRecord, Language, Provenance, Rejection, to_draft

_NO_FIGURES = VersionStatistics(languages={}, rounds=())


def _record(
    instruction: str, output: str = "Yes.", language: Language = "en", edited_from: str = ""
) -> InstructionRecord:
    origin = Provenance(
        strategy="import",
        teacher="test",
        completion_id="test:1",
        edited=bool(edited_from),
        derived_from=edited_from,
    )
    return InstructionRecord(
        instruction=instruction, output=output, language=language, provenance=origin
    )


def _compare(
    older: list[InstructionRecord],
    newer: list[InstructionRecord],
    rejected_before: list[Rejection] | None = None,
    rejected_now: list[Rejection] | None = None,
) -> Difference:
    return compare_versions(
        Versioned("a/1", older, rejected_before or [], _NO_FIGURES),
        Versioned("a/2", newer, rejected_now or [], _NO_FIGURES),
    )


def _reject(record: InstructionRecord) -> Rejection:
    return Rejection(
        draft=to_draft(record), stage="rules", reason="refusal", detail="says that it cannot"
    )


def test_record_of_both_versions_is_unchanged_and_no_more_is_said_of_it() -> None:
    fruits = _record("List three fruits.")

    difference = _compare([fruits], [fruits])

    assert difference.unchanged == 1
    assert not difference.added
    assert not difference.lost


def test_lost_record_has_the_reason_for_which_the_newer_version_rejects_it() -> None:
    refused, vanished = (
        _record("과일 세 가지를 말해 줘.", "안 돼요.", "ko"),
        _record("Name a town."),
    )

    difference = _compare([refused, vanished], [], rejected_now=[_reject(refused)])

    assert [(loss.record, loss.reason) for loss in difference.lost] == [
        (refused, "refusal"),
        (vanished, None),
    ]
    assert difference.lost[0].detail == "says that it cannot"


def test_other_answer_to_the_same_task_is_a_change() -> None:
    before, after = _record("Name a town.", "Ulm."), _record("Name a town.", "Gent.")

    difference = _compare([before], [after])

    assert [tuple(change) for change in difference.changed] == [(before, after)]
    assert not difference.added
    assert not difference.lost


def test_same_words_in_another_language_are_no_change() -> None:
    assert not _compare([_record("OK?")], [_record("OK?", language="ko")]).changed


def test_record_that_a_reader_edited_is_a_change() -> None:
    before = _record("시를 써 줘.", "봄이 왔다.", "ko")
    after = _record("짧은 시를 써 줘.", "봄이 왔네.", "ko", edited_from=before.id)

    assert [tuple(one) for one in _compare([before], [after]).changed] == [(before, after)]


def test_edit_of_an_edit_is_a_change_where_a_version_has_seen_the_first_edit() -> None:
    first = _record("Name a town.")
    second = _record("Name one town.", edited_from=first.id)
    third = _record("Name one small town.", edited_from=second.id)

    difference = _compare([first], [third], rejected_now=[_reject(second)])

    assert [tuple(change) for change in difference.changed] == [(first, third)]


def test_edit_goes_before_another_answer() -> None:
    before = _record("Name a town.", "Ulm.")
    other = _record("Name a town.", "Gent.")
    edited = _record("Name a big town.", "Ulm.", edited_from=before.id)

    difference = _compare([before], [other, edited])

    assert [tuple(change) for change in difference.changed] == [(before, edited)]
    assert difference.added == [other]


def test_record_that_the_older_version_rejected_is_regained_and_added() -> None:
    back, mended = _record("Name a town."), _record("Name a river.")
    edited = _record("Name one river.", edited_from=mended.id)

    difference = _compare([], [back, edited], rejected_before=[_reject(back), _reject(mended)])

    assert difference.regained == difference.added == [back, edited]


def test_edits_that_name_each_other_come_to_an_end() -> None:
    one = _record("Name a town.", edited_from="0" * 16)
    looped = one.model_copy(
        update={"provenance": one.provenance.model_copy(update={"derived_from": one.id})}
    )

    assert _compare([], [looped]).added == [looped]


def _read_from(
    place: int, instruction: str, made_from: str = "", *, is_edited: bool = False
) -> InstructionRecord:
    origin = Provenance(
        strategy="evolve",
        teacher="test",
        completion_id="c1",
        position=place,
        derived_from=made_from,
        edited=is_edited,
    )
    return InstructionRecord(
        instruction=instruction, output="네.", language="ko", provenance=origin
    )


def test_second_edit_is_a_change_though_both_name_the_first_text() -> None:
    original = _read_from(0, "도시를 말해 줘.")
    once = _read_from(0, "도시 하나를 말해 줘.", original.id, is_edited=True)
    twice = _read_from(0, "작은 도시 하나를 말해 줘.", original.id, is_edited=True)
    line = _record("Name a town.")
    line_once = _record("Name one town.", edited_from=line.id)
    line_twice = _record("Name one small town.", edited_from=line.id)

    difference = _compare([once, line_once], [line_twice, twice])

    assert [tuple(one) for one in difference.changed] == [(line_once, line_twice), (once, twice)]


def test_edit_of_a_record_made_from_another_is_no_change_of_that_other() -> None:
    parent = _read_from(0, "도시를 말해 줘.")
    child = _read_from(1, "바다에 가까운 도시를 말해 줘.", parent.id)
    edited = _read_from(1, "바닷가 도시를 말해 줘.", parent.id, is_edited=True)

    difference = _compare([parent, child], [edited])

    assert [tuple(one) for one in difference.changed] == [(child, edited)]
    assert [loss.record for loss in difference.lost] == [parent]


def test_edit_that_is_taken_back_is_a_change() -> None:
    before = _record("Name a town.")
    edited = _record("Name one town.", edited_from=before.id)

    assert [tuple(one) for one in _compare([edited], [before]).changed] == [(edited, before)]


def test_record_that_a_reader_edited_and_then_rejected_is_lost_for_that() -> None:
    before = _read_from(0, "도시를 말해 줘.")
    edited = _read_from(0, "도시 하나를 말해 줘.", before.id, is_edited=True)
    rejection = Rejection(
        draft=to_draft(edited), stage="review", reason="rejected-by-reader", detail="too short"
    )

    difference = _compare([before], [], rejected_now=[rejection])

    assert [(loss.reason, loss.detail) for loss in difference.lost] == [
        ("rejected-by-reader", "too short")
    ]


def test_rejected_draft_that_was_made_from_a_record_is_regained_when_it_is_edited() -> None:
    dropped = _read_from(1, "바다에 가까운 도시를 말해 줘.", "0" * 16)
    edited = _read_from(1, "바닷가 도시를 말해 줘.", "0" * 16, is_edited=True)

    assert _compare([], [edited], rejected_before=[_reject(dropped)]).regained == [edited]


_VERSIONS = st.lists(
    st.builds(
        _record,
        st.sampled_from(["Name a town.", "Name a river.", "산 이름을 말해 줘."]),
        st.sampled_from(["Ulm.", "Gent.", "한라산."]),
        st.sampled_from(["en", "ko"]),
        st.sampled_from(["", _record("Name a town.", "Ulm.").id, _record("Name a river.").id]),
    ),
    max_size=8,
)


@given(older=_VERSIONS, newer=_VERSIONS, rejected=_VERSIONS)
@settings(max_examples=150, deadline=None)
def test_each_record_is_in_one_list_only(
    older: list[InstructionRecord],
    newer: list[InstructionRecord],
    rejected: list[InstructionRecord],
) -> None:
    difference = _compare(older, newer, rejected_now=[_reject(one) for one in rejected])

    before = Counter(one.id for one in older)
    after = Counter(one.id for one in newer)
    lost = Counter(loss.record.id for loss in difference.lost)
    added = Counter(one.id for one in difference.added)
    changed_from = Counter(change.before.id for change in difference.changed)
    changed_to = Counter(change.after.id for change in difference.changed)
    unchanged = before & after
    assert unchanged.total() == difference.unchanged
    assert unchanged + changed_from + lost == before
    assert unchanged + changed_to + added == after
