"""A record is explained from what its version holds."""

import json
import unicodedata

import pytest

from flows.compositions import curate
from flows.engine import PlainEngine
from flows.explanation import UnknownRecordError, explain
from flows.parameters import CurateParams
from flows.settings import Settings
from pipeline.curation.contamination.contamination import ContaminationConfig

ROWS = [
    {"instruction": "List three fruits that grow in Jeju.", "output": "Kiwi, orange and lemon."},
    {"instruction": "List three fruits that grow in Jeju!", "output": "Kiwi."},
    {"instruction": "List three fruits that grow in Busan.", "output": "Pear, grape and plum."},
    {"instruction": "서울의 봄 날씨를 설명해 줘.", "output": "죄송하지만 도와드릴 수 없습니다."},
    {"instruction": "봄에 피는 꽃을 하나 말해 줘.", "output": "개나리입니다."},
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    outputs = tmp_path_factory.mktemp("outputs")
    source = outputs / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), "utf-8")
    nothing = {"base_url": None, "api_key": None, "prefect_api_url": None}
    settings = Settings.model_validate({**nothing, "outputs": outputs})
    params = CurateParams(name="fruits", input=source, seeds=("none",), processes=1)
    curate(params, settings, PlainEngine())
    return settings


def test_repeat_is_shown_beside_what_it_repeats(settings: Settings) -> None:
    explanation = explain("busan", "fruits", settings)

    assert explanation.rejection is not None
    assert explanation.rejection.reason == "repeat"
    (collision,) = explanation.collisions
    assert collision.text is not None
    assert collision.text.instruction == ROWS[0]["instruction"]
    assert explanation.stages["rules"] == "passed"
    assert explanation.stages["novelty"] == "dropped"
    assert explanation.stages["near-duplicate"] == "not asked"


def test_record_is_found_by_the_start_of_its_id_and_by_korean_words(settings: Settings) -> None:
    by_text = explain("봄에 피는", "fruits", settings)
    by_id = explain(by_text.text.id[:6], "fruits", settings)

    assert by_id.text == by_text.text
    assert by_text.rejection is None
    assert set(by_text.stages.values()) <= {"passed", "switched off"}


def test_draft_that_came_in_other_characters_is_found_by_its_words(settings: Settings) -> None:
    source = settings.outputs / "decomposed.jsonl"
    text = unicodedata.normalize("NFD", "가을에 피는 꽃을\u200b 하나 말해 줘.")
    source.write_text(json.dumps({"instruction": text, "output": "국화입니다."}), "utf-8")
    params = CurateParams(name="decomposed", input=source, seeds=("none",), processes=1)
    curate(params, settings, PlainEngine())

    explanation = explain("가을에 피는", "decomposed", settings)

    assert explanation.rejection is not None
    assert explanation.rejection.reason == "broken-text"
    assert explanation.stages["judge"] == "switched off"


def test_rejection_without_collision_names_its_rule(settings: Settings) -> None:
    explanation = explain("서울의 봄 날씨", "fruits", settings)

    assert explanation.rejection is not None
    assert explanation.rejection.reason == "refusal"
    assert explanation.collisions == []


def test_words_of_several_records_ask_for_one_id(settings: Settings) -> None:
    with pytest.raises(UnknownRecordError, match=r"3 records .* Give one id"):
        explain("three fruits", "fruits", settings)


def test_unknown_words_say_where_ids_are(settings: Settings) -> None:
    with pytest.raises(UnknownRecordError, match=r"rejected\.parquet"):
        explain("zzz", "fruits", settings)


def test_collisions_outside_the_version_are_found_too(settings: Settings) -> None:
    item = "Maren's film moves slowly, but its last half hour is the finest of the whole year."
    tasks = settings.outputs / "exam.jsonl"
    tasks.write_text(json.dumps({"id": "exam-1", "text": item}), "utf-8")
    rows = [
        {"instruction": "List three fruits that grow in Mokpo.", "output": "Fig, pear and plum."},
        {"instruction": f"Who says this? {item}", "output": "A critic who liked the ending."},
    ]
    source = settings.outputs / "later.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    params = CurateParams(
        name="later",
        input=source,
        seeds=("none",),
        against=("fruits",),
        contamination=ContaminationConfig(sets=(str(tasks),)),
        processes=1,
    )
    curate(params, settings, PlainEngine())

    (earlier,) = explain("Mokpo", "later", settings).collisions
    (protected,) = explain("Who says this", "later", settings).collisions

    assert earlier.text is not None
    assert earlier.text.instruction == ROWS[0]["instruction"]
    assert earlier.what.startswith("a record of fruits/0001")
    assert protected.text is not None
    assert protected.text.instruction == item
