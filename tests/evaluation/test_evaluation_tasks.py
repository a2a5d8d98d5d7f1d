import json
from pathlib import Path

import pytest

from schemas.records import Language
from schemas.storage import RecordFileError
from training.evaluation.tasks.items import EvaluationTask, TaskError, TaskItem
from training.evaluation.tasks.loading import (
    balanced_prefix,
    list_tasks,
    load_task,
    load_tasks,
)

Line = tuple[str, str, str]
"""Split, text and label."""


def _write(path: Path, lines: list[Line], same_id: bool = False) -> Path:
    rows = [
        {"id": "one" if same_id else str(number), "split": split, "text": text, "label": label}
        for number, (split, text, label) in enumerate(lines)
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    return path


@pytest.mark.parametrize("name", list_tasks())
def test_every_task_of_ours_has_a_card_a_balanced_pool_and_its_labels_in_every_wording(
    name: str,
) -> None:
    task = load_task(name)

    assert len(task.items) >= (300 if task.is_choice else 150)
    assert name.endswith(f"-{task.language}")
    assert task.card.licence == "Apache-2.0"
    labels = task.card.labels
    for label in labels:
        assert sum(shot.label == label for shot in task.shots) * len(labels) == len(task.shots)
        for wording in task.card.wordings:
            # The arrow form shows the labels by its worked examples.
            assert wording.form == "arrow" or label in wording.instruction


def test_unknown_name_lists_ours() -> None:
    with pytest.raises(TaskError, match=r"'nsmc'.*movie-sentiment-en, movie-sentiment-ko"):
        load_task("nsmc")


def test_a_family_stands_for_its_tasks_in_both_languages() -> None:
    names = [task.name for task in load_tasks(["sentiment"])]

    assert names == ["movie-sentiment-en", "movie-sentiment-ko"]


def test_all_stands_for_every_task_of_ours() -> None:
    assert tuple(task.name for task in load_tasks(["all"])) == list_tasks()


def test_a_task_that_is_named_twice_is_refused() -> None:
    with pytest.raises(TaskError, match="each once, found 'movie-sentiment-en' twice"):
        load_tasks(["sentiment", "movie-sentiment-en"])


def _write_items(path: Path, *items: TaskItem) -> str:
    path.write_text("\n".join(item.model_dump_json() for item in items))
    return str(path)


def test_items_with_references_are_a_task_of_written_answers(tmp_path: Path) -> None:
    item = TaskItem(id="1", split="test", text="이름을 쓰세요: 김하늘", references=("김하늘",))

    task = load_task(_write_items(tmp_path / "t.jsonl", item))

    assert (task.is_choice, task.card.metric, task.language) == (False, "exact_match", "ko")


def test_items_with_choices_of_their_own_need_no_labels(tmp_path: Path) -> None:
    item = TaskItem(id="1", split="test", text="2 + 2?", label="four", choices=("three", "four"))

    task = load_task(_write_items(tmp_path / "t.jsonl", item))

    assert task.is_choice
    assert task.card.labels == ()
    assert task.answers_of(task.items[0]) == ("three", "four")


def test_card_beside_a_file_counts(tmp_path: Path) -> None:
    item = TaskItem(id="1", split="test", text="좋다", label="긍정")
    card = {
        "language": "ko", "family": "sentiment", "labels": ["부정", "긍정"], "licence": "cc0-1.0",
        "origin": "mine", "wordings": [{"name": "mine", "instruction": "긍정인가 부정인가?"}],
    }  # fmt: skip
    (tmp_path / "t.card.json").write_text(json.dumps(card))

    task = load_task(_write_items(tmp_path / "t.jsonl", item))

    assert task.card.labels == ("부정", "긍정")
    assert task.card.wordings[0].instruction == "긍정인가 부정인가?"


def test_card_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.card.json").write_text('{"language": "fr"}')
    item = TaskItem(id="1", split="test", text="a", label="x")

    with pytest.raises(TaskError, match=r"t\.card\.json is no task card: language"):
        load_task(_write_items(tmp_path / "t.jsonl", item))


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        pytest.param(("It rained.", "It was dry."), "en", id="english"),
        pytest.param(("비가 왔다.", "날이 갰다."), "ko", id="korean"),
        pytest.param(("API 응답이 느리다.", "GPU 메모리가 모자란다."), "ko", id="latin-terms"),
        pytest.param(("I watched 기생충 twice.", "The poster said 괴물."), "en", id="korean-title"),
    ],
)
def test_file_of_the_user_is_a_task_in_the_language_of_its_texts(
    tmp_path: Path, texts: tuple[str, str], language: Language
) -> None:
    path = _write(tmp_path / "mine.jsonl", [("test", texts[0], "yes"), ("shots", texts[1], "no")])

    task = load_task(str(path))

    assert (task.name, task.language, task.card.labels) == ("mine", language, ("no", "yes"))
    question = task.card.wordings[0].instruction
    assert "no, yes" in question
    assert ("가운데 하나로" in question) == (language == "ko")


def test_language_that_is_given_wins_over_the_texts(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.jsonl", [("test", "좋다", "good"), ("test", "나쁘다", "bad")])

    assert load_task(str(path), language="en").card.wordings[0].instruction.startswith("Read")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        pytest.param(("good", "good enough"), "'good' is a prefix of label 'good enough'", id="en"),
        pytest.param(("긍정적", "긍정"), "'긍정' is a prefix of label '긍정적'", id="ko"),
        pytest.param(("good", "good"), "at least two different labels, found 'good'", id="one"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, labels: tuple[str, str], message: str
) -> None:
    path = _write(tmp_path / "t.jsonl", [("test", "a", labels[0]), ("test", "b", labels[1])])

    with pytest.raises(TaskError, match=message):
        load_task(str(path))


def test_label_that_is_missing_is_named_by_item(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = [("1", '"x"'), ("2", '"y"')]
    rows = [
        f'{{"id": "{n}", "split": "test", "text": "a", "label": {label}}}' for n, label in lines
    ]
    path.write_text("\n".join([*rows, '{"id": "3", "split": "test", "text": "b"}']))

    with pytest.raises(TaskError, match=r"item '3' has no label, wanted one of x, y"):
        load_task(str(path))


def test_line_that_is_no_item_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": "1", "split": "exam", "text": "a", "label": "x"}')

    with pytest.raises(RecordFileError, match=r"t\.jsonl:1: split"):
        load_task(str(path))


def test_id_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.jsonl", [("test", "a", "x"), ("shots", "b", "y")], same_id=True)

    with pytest.raises(TaskError, match="id 'one' occurs twice"):
        load_task(str(path))


def test_file_without_test_items_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.jsonl", [("shots", "a", "x"), ("shots", "b", "y")])

    with pytest.raises(TaskError, match="split 'test', found none"):
        load_task(str(path))


def test_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordFileError, match=r"gone\.jsonl: no such file"):
        load_task(str(tmp_path / "gone.jsonl"))


def test_limit_keeps_labels_even_and_a_smaller_one_is_contained(
    korean_task: EvaluationTask,
) -> None:
    three, eight = balanced_prefix(korean_task, 3), balanced_prefix(korean_task, 8)

    assert {item.label for item in three} == set(korean_task.card.labels)
    assert sorted(sum(i.label == label for i in eight) for label in korean_task.card.labels) == [
        2,
        3,
        3,
    ]
    assert set(three) < set(eight)
    assert (
        balanced_prefix(korean_task, None) == balanced_prefix(korean_task, 99) == korean_task.items
    )
