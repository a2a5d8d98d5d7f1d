import json
from pathlib import Path

import pytest

from schemas.records import Language
from schemas.storage import RecordFileError
from training.evaluation.prompts import draw_shots
from training.evaluation.tasks import (
    BUILT_IN_TASKS,
    EvaluationTask,
    TaskError,
    balanced_prefix,
    load_task,
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


@pytest.mark.parametrize(
    ("name", "language", "labels"),
    [
        ("movie-sentiment-en", "en", ("positive", "negative", "neutral")),
        ("movie-sentiment-ko", "ko", ("긍정", "부정", "중립")),
    ],
)
def test_built_in_task_has_200_items_and_a_balanced_pool_of_shots(
    name: str, language: Language, labels: tuple[str, ...]
) -> None:
    task = load_task(name)

    assert (task.language, task.labels) == (language, labels)
    assert (len(task.items), len(task.shots)) == (200, 24)
    assert {label: sum(s.label == label for s in task.shots) for label in labels} == dict.fromkeys(
        labels, 8
    )
    assert all(label in task.question for label in labels)


def test_unknown_name_lists_the_built_in_ones() -> None:
    with pytest.raises(TaskError, match=r"'nsmc'.*movie-sentiment-en, movie-sentiment-ko"):
        load_task("nsmc")
    assert len(BUILT_IN_TASKS) == 2


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

    assert (task.name, task.language, task.labels) == ("mine", language, ("no", "yes"))
    assert "no, yes" in task.question
    assert ("가운데 하나로" in task.question) == (language == "ko")


def test_language_that_is_given_wins_over_the_texts(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.jsonl", [("test", "좋다", "good"), ("test", "나쁘다", "bad")])

    assert load_task(str(path), language="en").question.startswith("Read the text")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        pytest.param(("good", "good enough"), "'good' is a prefix of label 'good enough'", id="en"),
        pytest.param(("긍정적", "긍정"), "'긍정' is a prefix of label '긍정적'", id="ko"),
        pytest.param(("good", "good"), "at least two different labels, found 1", id="one"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, labels: tuple[str, str], message: str
) -> None:
    path = _write(tmp_path / "t.jsonl", [("test", "a", labels[0]), ("test", "b", labels[1])])

    with pytest.raises(TaskError, match=message):
        load_task(str(path))


def test_label_that_is_missing_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"id":"1","split":"test","text":"a","label":"x"}\n{"id":"2","split":"test","text":"b"}'
    )

    with pytest.raises(RecordFileError, match=r"t\.jsonl:2: label: Field required"):
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

    assert {item.label for item in three} == set(korean_task.labels)
    assert sorted(sum(i.label == label for i in eight) for label in korean_task.labels) == [2, 3, 3]
    assert set(three) < set(eight)
    assert (
        balanced_prefix(korean_task, None) == balanced_prefix(korean_task, 99) == korean_task.items
    )


def test_too_few_worked_examples_are_named_by_label(korean_task: EvaluationTask) -> None:
    # Twelve over three labels need four of each; the pool has three.
    with pytest.raises(TaskError, match=r"need 4 lines.*found 3\. Add some or lower --shots"):
        draw_shots(korean_task, 12, seed=0)
