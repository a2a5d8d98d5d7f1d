"""What is protected: the scored items of our tasks, and the texts of any set that is named."""

import json
from pathlib import Path

import pytest

from flows.evaluation_sets import EvaluationSetError, load_protected
from flows.resources import ResourceError
from flows.settings import Settings
from pipeline.curation.contamination.contamination import (
    ContaminationConfig,
    ProtectedItem,
    drop_contaminated,
)
from pipeline.curation.imported_rows import ImportedFileError
from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.tables import TableError
from schemas.records import InstructionRecord, Provenance
from schemas.storage import ManifestError
from tests.curation.making import make_record
from training.evaluation.tasks.loading import list_tasks, load_task, read_card

LONG_INPUT = "The meeting of the board was moved from Monday to Thursday afternoon."


@pytest.fixture
def room(tmp_path: Path) -> Settings:
    return Settings.model_validate({"outputs": tmp_path / "outputs"})


def write_set(path: Path, *rows: object) -> str:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    return str(path)


def test_own_tasks_give_their_scored_items_and_not_the_worked_examples(room: Settings) -> None:
    items = load_protected((), list_tasks(), room)

    tasks = [load_task(name) for name in list_tasks()]
    assert [item.id for item in items] == [one.id for task in tasks for one in task.items]
    protected = {text for item in items for text in item.texts}
    assert not protected & {one.text for task in tasks for one in task.shots}


def test_review_of_our_own_test_split_never_gets_into_a_dataset(room: Settings) -> None:
    items = load_protected((), list_tasks(), room)
    english, korean = (
        load_task(name).items[0] for name in ("movie-sentiment-en", "movie-sentiment-ko")
    )
    records = [
        make_record("Classify the review.", "en", input_text=english.text.upper()),
        make_record(f"다음 평은 긍정인가요? {korean.text}", "ko"),
        make_record("Classify the review.", "en", input_text="A warm little film about bees."),
    ]

    result = drop_contaminated(records, items, ContaminationConfig())

    assert [one.collides_with for one in result.dropped] == [english.id, korean.id]
    assert result.kept == records[2:]


@pytest.mark.parametrize(
    "column", ["instruction", "text", "prompt", "question", "sentence", "input"]
)
def test_any_usual_column_holds_the_text(column: str, tmp_path: Path, room: Settings) -> None:
    path = write_set(tmp_path / "set.jsonl", {"id": 7, column: "무엇을 먹을까요?", "label": 1})

    assert load_protected((path,), (), room) == [
        ProtectedItem("7", ("무엇을 먹을까요?",), "set.jsonl")
    ]


def test_item_without_an_id_is_named_by_its_line(tmp_path: Path, room: Settings) -> None:
    path = write_set(tmp_path / "set.jsonl", {"text": "A first one."}, {"text": "A second one."})

    assert [item.id for item in load_protected((path,), (), room)] == ["set.jsonl:1", "set.jsonl:2"]


def test_question_that_items_share_and_short_inputs_are_nobodys(
    tmp_path: Path, room: Settings
) -> None:
    path = write_set(
        tmp_path / "set.jsonl",
        {"instruction": "Translate the sentence.", "input": LONG_INPUT},
        {"instruction": "Translate the sentence.", "input": "Korea"},
        {"instruction": "Name the capital of the country.", "input": "Korea"},
    )

    assert [item.texts for item in load_protected((path,), (), room)] == [
        (f"Translate the sentence.\n{LONG_INPUT}", LONG_INPUT),
        ("Translate the sentence.\nKorea",),
        ("Name the capital of the country.\nKorea", "Name the capital of the country."),
    ]


def publish_version(records: list[InstructionRecord], outputs: Path) -> Path:
    return publish(
        Publication(
            name="exam",
            kept=records,
            rejected=[],
            seeds=(),
            curation={},
            judge=None,
            against=(),
            runs=(),
            licence="other",
            code_version="test",
        ),
        outputs / "datasets",
    )


def test_list_of_objects_with_a_byte_order_mark_is_a_set_too(
    tmp_path: Path, room: Settings
) -> None:
    path = tmp_path / "exam.json"
    path.write_text(json.dumps([{"id": 7, "question": "수도는?"}], indent=1), "utf-8-sig")

    assert load_protected((str(path),), (), room) == [ProtectedItem("7", ("수도는?",), "exam.json")]


def test_row_of_a_set_that_is_no_text_is_named_by_line(tmp_path: Path, room: Settings) -> None:
    path = write_set(tmp_path / "set.jsonl", {"text": "a"}, {"text": ["b"]})

    with pytest.raises(EvaluationSetError, match=r"set\.jsonl:2: text: "):
        load_protected((path,), (), room)


def test_damaged_records_of_a_version_are_an_error_and_not_fewer_items(room: Settings) -> None:
    folder = publish_version([make_record("List three fruits.", "en")], room.outputs)
    (folder / "data" / "train.parquet").unlink()

    with pytest.raises(TableError, match=r"train\.parquet cannot be read"):
        load_protected(("exam",), (), room)


def test_dataset_version_is_protected_with_its_lineage(room: Settings) -> None:
    record = make_record("바다를 한 문장으로 묘사해 주세요.", "ko")
    origin = record.provenance.model_copy(update={"derived_from": "doc-7"})
    record = record.model_copy(update={"provenance": origin})
    folder = publish_version([record], room.outputs)

    for reference in ("exam", f"exam/{folder.name}", str(folder)):
        assert load_protected((reference,), (), room) == [
            ProtectedItem(record.id, (record.instruction,), f"exam/{folder.name}", "doc-7")
        ]


def test_file_without_a_known_column_names_those_that_are(tmp_path: Path, room: Settings) -> None:
    path = write_set(tmp_path / "set.jsonl", {"query": "What is it?"})

    with pytest.raises(EvaluationSetError, match=r"set\.jsonl: wanted .* question or sentence"):
        load_protected((path,), (), room)


def test_what_is_no_set_is_said_to_be_none(tmp_path: Path, room: Settings) -> None:
    with pytest.raises(ResourceError, match="No dataset 'nowhere'"):
        load_protected(("nowhere",), (), room)
    with pytest.raises(ImportedFileError, match="no such file"):
        load_protected((str(tmp_path / "absent.jsonl"),), (), room)
    with pytest.raises(ImportedFileError, match=r"list\.jsonl: record 1: wanted an object"):
        load_protected((write_set(tmp_path / "list.jsonl", ["a"]),), (), room)
    with pytest.raises(ManifestError, match="not a dataset version"):
        load_protected((str(tmp_path),), (), room)


def test_seed_tasks_of_a_held_out_family_may_have_no_descendants(room: Settings) -> None:
    held_out = load_protected((), (), room, hold_out=("sentiment",))
    cards = [read_card(name) for name in ("movie-sentiment-en", "movie-sentiment-ko")]

    assert {item.id for item in held_out} == {seed for card in cards for seed in card.lineage}

    record = InstructionRecord(
        instruction="Is this review kind or unkind?",
        input="The plot was thin but I laughed.",
        output="kind",
        language="en",
        provenance=Provenance(
            strategy="structured", teacher="t", completion_id="c", seed_ids=(cards[0].lineage[0],)
        ),
    )
    result = drop_contaminated([record], held_out, ContaminationConfig())

    assert [one.reason for one in result.dropped] == ["contaminated-lineage"]
