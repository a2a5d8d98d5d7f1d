"""What readers decide about one version is in the next one."""

import json
import unicodedata
from pathlib import Path

import pytest

from flows.compositions import curate
from flows.engine import PlainEngine
from flows.explanation import explain
from flows.parameters import CurateParams
from flows.paths import reviews_path
from flows.reviewing import ReviewError, check_edit, open_review, read_decisions
from flows.settings import Settings
from pipeline.publishing.opening import load_edition
from pipeline.publishing.versions import DatasetVersionError, open_version
from schemas.records import Language
from schemas.review import ReviewDecision, ReviewedText, ReviewVerdict

ROWS = [
    {"instruction": "List three fruits that grow in Jeju.", "output": "Kiwi, orange and lemon."},
    {"instruction": "Describe the sea near Busan in winter.", "output": "It is grey and rough."},
    {"instruction": "서울의 봄 날씨를 설명해 줘.", "output": "죄송하지만 도와드릴 수 없습니다."},
    {"instruction": "봄에 피는 꽃을 하나 말해 줘.", "output": "국화입니다."},
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    nothing = {"base_url": None, "api_key": None, "prefect_api_url": None}
    settings = Settings.model_validate({**nothing, "outputs": tmp_path / "outputs"})
    settings.outputs.mkdir()
    lines = (json.dumps(row, ensure_ascii=False) for row in ROWS)
    (settings.outputs / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    return settings


def publish(settings: Settings) -> Path:
    source = settings.outputs / "rows.jsonl"
    params = CurateParams(name="fruits", input=source, seeds=("none",), processes=1)
    return curate(params, settings, PlainEngine()).dataset


def decide(
    folder: Path,
    settings: Settings,
    place: int,
    verdict: ReviewVerdict,
    *,
    edited: ReviewedText | None = None,
    note: str = "",
) -> None:
    """Decide about the record that a row of the input became in a version."""
    session = open_review(str(folder), "김서연", settings, PlainEngine()).session
    edition = load_edition(folder)
    drafts = [*edition.kept, *(one.draft for one in edition.rejected)]
    (id_,) = (one.id for one in drafts if one.instruction == ROWS[place]["instruction"])
    decision = ReviewDecision(
        record=id_,
        verdict=verdict,
        edited=edited,
        note=note,
        author=session.author,
        time=session.now(),
        dataset=session.dataset,
    )
    found = [one.place for one in session.log.look() if one.decision.record == id_]
    session.log.append(decision, found[0] if found else None)


def test_next_version_keeps_drops_and_brings_back_what_readers_decided(settings: Settings) -> None:
    first = publish(settings)
    assert open_version(first).review is None
    answer = ReviewedText(instruction=ROWS[3]["instruction"], output="개나리입니다.")
    decide(first, settings, 0, "accept")
    decide(first, settings, 1, "reject", note="겨울 바다는 잿빛이 아니다.")
    decide(first, settings, 2, "accept")
    decide(first, settings, 3, "edit", edited=answer)

    second = publish(settings)

    edition = load_edition(second)
    outputs = {record.instruction: record.output for record in edition.kept}
    assert outputs == {
        ROWS[0]["instruction"]: ROWS[0]["output"],
        ROWS[2]["instruction"]: ROWS[2]["output"],
        ROWS[3]["instruction"]: "개나리입니다.",
    }
    (rejection,) = edition.rejected
    assert (rejection.reason, rejection.detail) == (
        "rejected-by-reader",
        "겨울 바다는 잿빛이 아니다.",
    )
    report = edition.manifest.review
    assert report is not None
    assert report.model_dump() == {
        "accepted": 2,
        "edited": 1,
        "rejected": 1,
        "restored": 1,
        "unused": 0,
    }
    assert edition.manifest.generated == edition.manifest.kept + len(edition.rejected)
    assert list(edition.decisions) == read_decisions("fruits", settings, PlainEngine())


def test_decisions_about_the_next_version_are_applied_over_the_earlier_ones(
    settings: Settings,
) -> None:
    answer = ReviewedText(instruction=ROWS[3]["instruction"], output="개나리입니다.")
    decide(publish(settings), settings, 3, "edit", edited=answer)
    better = answer.model_copy(update={"output": "개나리나 진달래입니다."})
    decide(publish(settings), settings, 3, "edit", edited=better)

    third = publish(settings)

    outputs = [record.output for record in load_edition(third).kept]
    assert "개나리나 진달래입니다." in outputs
    assert "개나리입니다." not in outputs


def test_decision_that_is_taken_back_leaves_no_trace_in_the_records(settings: Settings) -> None:
    first = publish(settings)
    decide(first, settings, 0, "reject")
    assert publish(settings).name[5:] != first.name[5:]

    decide(first, settings, 0, "withdraw")

    assert publish(settings).name[5:] == first.name[5:]


def test_review_shows_what_was_decided_before(settings: Settings) -> None:
    decide(publish(settings), settings, 0, "reject", note="낡은 답")

    page = open_review("fruits", "lee", settings, PlainEngine()).session.page.decode()

    assert "낡은 답" in page


def test_line_that_a_crash_cut_is_told_and_counts_for_nothing(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = reviews_path(settings.outputs, "fruits")
    path.parent.mkdir()
    path.write_text('{"record":"00000000')

    assert read_decisions("fruits", settings, PlainEngine()) == []
    assert "fruits.jsonl was cut short by a crash" in capsys.readouterr().err


@pytest.mark.parametrize("author", ["", " kim", "a\nb", "k" * 101, "\x1b[31mkim"])
def test_author_without_a_usable_name_is_asked_for_one(settings: Settings, author: str) -> None:
    with pytest.raises(ReviewError, match="--author"):
        open_review("fruits", author, settings, PlainEngine())


def test_name_in_a_foreign_manifest_makes_no_path(settings: Settings) -> None:
    folder = publish(settings)
    manifest = open_version(folder).model_copy(update={"name": "../../elsewhere"})
    (folder / "manifest.json").write_text(manifest.model_dump_json())

    with pytest.raises(DatasetVersionError, match="A dataset name is"):
        open_review(str(folder), "kim", settings, PlainEngine())


@pytest.mark.parametrize(
    ("language", "given", "kept"),
    [
        pytest.param("en", "Kiwi.\r\nLemon. ", "Kiwi.\nLemon.", id="line-ends"),
        pytest.param("ko", unicodedata.normalize("NFD", "개나리"), "개나리", id="decomposed-jamo"),
        pytest.param("ko", "👨‍👩‍👧 가족", "👨‍👩‍👧 가족", id="joined-emoji"),
        pytest.param("en", "word " * 9000, ("word " * 9000).strip(), id="longer-than-a-teachers"),
    ],
)
def test_edited_text_is_put_into_the_form_of_records(
    language: Language, given: str, kept: str
) -> None:
    text = ReviewedText(instruction="꽃 이름은?", output=given)

    assert check_edit(text, language).output == kept


@pytest.mark.parametrize(
    ("language", "output", "fault"),
    [
        pytest.param("ko", "개\u200b나리", "U\\+200B", id="zero-width-space"),
        pytest.param("en", "Ki\x07wi", "control character", id="bell"),
        pytest.param("en", "\u202ekiwi", "text direction", id="override"),
    ],
)
def test_edited_text_with_what_nobody_sees_is_refused(
    language: Language, output: str, fault: str
) -> None:
    with pytest.raises(ReviewError, match=fault):
        check_edit(ReviewedText(instruction="Name a fruit.", output=output), language)


def test_record_that_a_reader_brought_back_is_not_said_to_have_passed(settings: Settings) -> None:
    first = publish(settings)
    decide(first, settings, 2, "accept", note="사과가 아니라 답이다.")

    explanation = explain("서울의 봄", str(publish(settings)), settings)

    assert explanation.rejection is None
    assert explanation.stages["language"] == "passed"
    assert explanation.stages["rules"] == "overruled"
    assert explanation.stages["novelty"] == "not asked"
    assert explanation.stages["review"] == "passed"
    assert explanation.readers.overruled is not None
    assert explanation.readers.overruled.reason == "refusal"
    assert [one.note for one in explanation.readers.decisions] == ["사과가 아니라 답이다."]


def test_draft_that_was_edited_and_accepted_tells_of_both_readers(settings: Settings) -> None:
    first = publish(settings)
    text = ReviewedText(instruction=ROWS[2]["instruction"], output="포근하고 비가 적습니다.")
    decide(first, settings, 2, "edit", edited=text)
    second = publish(settings)
    decide(second, settings, 2, "accept")

    explanation = explain("서울의 봄", str(publish(settings)), settings)

    assert [one.verdict for one in explanation.readers.decisions] == ["edit", "accept"]
    assert explanation.readers.overruled is not None
    assert explanation.stages["rules"] == "overruled"


def test_record_that_nobody_read_was_not_asked_about_by_the_review(settings: Settings) -> None:
    first = publish(settings)
    assert explain("Jeju", str(first), settings).stages["review"] == "switched off"
    decide(first, settings, 1, "reject")
    second = str(publish(settings))

    unread, rejected = explain("Jeju", second, settings), explain("Busan", second, settings)

    assert unread.stages["review"] == "not asked"
    assert unread.readers.decisions == ()
    assert rejected.stages["review"] == "dropped"
    assert [one.verdict for one in rejected.readers.decisions] == ["reject"]
