"""Items that a model was tuned on are found, and named, excluded or refused."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from flows.overlaps import OverlapError, find_overlaps, leave_out
from pipeline.publishing.tables import write_records
from schemas.manifest import DatasetManifest
from schemas.records import InstructionRecord, Language, Provenance
from schemas.storage import ManifestError
from tests.curation.making import make_record
from training.evaluation.tasks.items import EvaluationTask, TaskCard, TaskItem, Wording

TEXTS: dict[Language, tuple[str, ...]] = {
    "en": (
        "The second act drags so badly that I checked my watch four times before the end.",
        "A tender and surprising film about two sisters who inherit a failing bakery.",
        "It runs for two hours and was filmed in three different countries last autumn.",
    ),
    "ko": (
        "중반부터 이야기가 너무 늘어져서 끝나기 전까지 시계를 네 번이나 봤어요.",
        "망해 가는 빵집을 물려받은 두 자매의 이야기를 다정하게 그려 낸 영화입니다.",
        "지난가을 세 나라를 오가며 촬영했고 상영 시간은 두 시간이라고 합니다.",
    ),
}
QUESTIONS: dict[Language, str] = {
    "en": "Is this review positive?",
    "ko": "다음 평은 긍정인가요?",
}


def make_task(language: Language, name: str = "") -> EvaluationTask:
    return EvaluationTask(
        name=name or f"reviews-{language}",
        card=TaskCard(
            language=language,
            family="sentiment",
            labels=("x", "y"),
            wordings=(Wording(name="plain"),),
            licence="CC0-1.0",
            origin="made for this test",
        ),
        items=tuple(
            TaskItem(id=f"r{number}", split="test", text=text, label="x", lineage=f"doc-{number}")
            for number, text in enumerate(TEXTS[language])
        ),
        shots=(TaskItem(id="shot", split="shots", text="Worked example, seen by all.", label="y"),),
    )


def publish_records(
    tmp_path: Path,
    train: Sequence[InstructionRecord],
    validation: Sequence[InstructionRecord] = (),
) -> Path:
    """Write a dataset version as the publishing room does, as far as it is read here."""
    folder = tmp_path / "tuned" / "0001-0123456789ab"
    (folder / "data").mkdir(parents=True)
    write_records(folder / "data" / "train.parquet", train)
    write_records(folder / "data" / "validation.parquet", validation)
    kept = len(train) + len(validation)
    manifest = DatasetManifest(
        licence="other",
        name="tuned",
        version=folder.name,
        content_hash="0" * 64,
        generated=kept,
        kept=kept,
        rejected={},
        kept_by_language={},
        rejected_by_language={},
        splits={"train": len(train), "validation": len(validation)},
        teachers={},
        strategies={},
        curation={},
        seeds=(),
        files=(),
        code_version="test",
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return folder


def fill(language: Language, *texts: str) -> list[InstructionRecord]:
    """Make records that hold the texts, among others that do not."""
    others = [make_record(f"{QUESTIONS[language]} {number}", language) for number in range(30)]
    return [*(make_record(QUESTIONS[language], language, input_text=one) for one in texts), *others]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_items_in_the_training_records_are_named_by_task_and_id(
    tmp_path: Path, language: Language
) -> None:
    first, second, _ = TEXTS[language]
    # One record holds two items: each is an overlap.
    dataset = publish_records(tmp_path, fill(language, f"{first.upper()}\n{second} !!"))

    (overlap,) = find_overlaps([make_task(language)], dataset, "named")

    assert (overlap.task, overlap.items, overlap.excluded) == (
        f"reviews-{language}",
        ("r0", "r1"),
        False,
    )


def test_other_records_the_worked_examples_and_the_question_are_no_overlap(tmp_path: Path) -> None:
    dataset = publish_records(
        tmp_path, [*fill("en", "Worked example, seen by all."), *fill("ko", "처음 보는 평이에요.")]
    )

    assert find_overlaps([make_task("en"), make_task("ko")], dataset, "refused") == []


def test_the_same_id_in_two_tasks_is_told_apart(tmp_path: Path) -> None:
    dataset = publish_records(tmp_path, fill("ko", TEXTS["ko"][2]))

    overlaps = find_overlaps([make_task("en"), make_task("ko")], dataset, "named")

    assert [(one.task, one.items) for one in overlaps] == [("reviews-ko", ("r2",))]


def test_the_same_item_in_two_tasks_is_an_overlap_of_both(tmp_path: Path) -> None:
    dataset = publish_records(tmp_path, fill("en", TEXTS["en"][0]))

    overlaps = find_overlaps([make_task("en", "one"), make_task("en", "two")], dataset, "named")

    assert [one.task for one in overlaps] == ["one", "two"]


def test_excluded_items_are_left_out_and_the_shots_stay(tmp_path: Path) -> None:
    dataset = publish_records(tmp_path, fill("ko", TEXTS["ko"][0]))
    tasks = [make_task("en"), make_task("ko")]

    overlaps = find_overlaps(tasks, dataset, "excluded")
    english, korean = leave_out(tasks, overlaps)

    assert overlaps[0].excluded
    assert english == tasks[0]
    assert [item.id for item in korean.items] == ["r1", "r2"]
    assert korean.shots == tasks[1].shots


def test_named_items_are_not_left_out(tmp_path: Path) -> None:
    dataset = publish_records(tmp_path, fill("en", TEXTS["en"][0]))
    tasks = [make_task("en")]

    assert leave_out(tasks, find_overlaps(tasks, dataset, "named")) == tasks


def test_a_task_of_which_nothing_is_left_is_one_line(tmp_path: Path) -> None:
    dataset = publish_records(tmp_path, fill("en", *TEXTS["en"]))
    tasks = [make_task("en")]

    with pytest.raises(OverlapError, match="reviews-en: all 3 items stand in the training data"):
        leave_out(tasks, find_overlaps(tasks, dataset, "excluded"))


def test_refused_overlap_names_task_count_ids_and_the_way_out(tmp_path: Path) -> None:
    dataset = publish_records(
        tmp_path, [*fill("en", *TEXTS["en"][:2]), *fill("ko", TEXTS["ko"][1])]
    )

    with pytest.raises(OverlapError) as caught:
        find_overlaps([make_task("en"), make_task("ko")], dataset, "refused")

    message = str(caught.value)
    assert "Task reviews-en: 2 items" in message
    assert f"tuned/{dataset.name}: r0, r1." in message
    assert "So do items of reviews-ko." in message
    assert "--overlap excluded" in message
    assert "\n" not in message


def test_only_what_was_trained_on_counts(tmp_path: Path) -> None:
    trained, held_out, _ = TEXTS["ko"]
    dataset = publish_records(tmp_path, fill("ko", trained), fill("ko", held_out))

    (overlap,) = find_overlaps([make_task("ko")], dataset, "named")

    assert overlap.items == ("r0",)


def test_a_record_made_from_the_same_document_is_overlap(tmp_path: Path) -> None:
    origin = Provenance(strategy="t", teacher="t", completion_id="t:1", derived_from="doc-2")
    record = make_record("무엇에 관한 글인가요?", "ko").model_copy(update={"provenance": origin})
    dataset = publish_records(tmp_path, [record])

    (overlap,) = find_overlaps([make_task("ko")], dataset, "named")

    assert overlap.items == ("r2",)


def test_a_folder_that_is_no_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="a dataset version"):
        find_overlaps([make_task("en")], tmp_path, "named")
