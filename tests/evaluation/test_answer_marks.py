"""Marks of written answers, and the description of a cell's answers."""

import pytest

from schemas.evaluation import Metric
from schemas.records import Language
from training.evaluation.answers.marks import describe_quality, mark_text
from training.evaluation.tasks.constraints import Keyword, Sentences
from training.evaluation.tasks.items import TaskItem


def _make_item(*references: str) -> TaskItem:
    return TaskItem(id="1", split="test", text="?", references=references)


@pytest.mark.parametrize(
    ("metric", "answer", "reference", "language", "marks"),
    [
        ("exact_match", "The answer is 12.", "12", "en", 100),
        ("exact_match", "13", "12", "en", 0),
        ("exact_match", "서울입니다", "서울", "ko", 100),
        ("rouge_l", "a b c d", "a c d e", "en", 75),
        ("rouge_l", "나는 갔다", "나는 학교에 갔다", "ko", 73),
        ("chrf", "The cat sat on the mat.", "The cat is on the mat.", "en", 67),
        ("chrf", "나는 학교에 갔다.", "나는 어제 학교에 갔습니다.", "ko", 26),
    ],
)
def test_answer_gets_whole_marks(
    metric: Metric, answer: str, reference: str, language: Language, marks: int
) -> None:
    assert mark_text(_make_item(reference), metric, answer, language) == marks


def test_item_is_met_when_all_of_its_constraints_are() -> None:
    item = TaskItem(
        id="1",
        split="test",
        text="바다를 한 문장으로.",
        constraints=(Keyword(text="바다", at_least=1), Sentences(at_most=1)),
    )

    assert mark_text(item, "constraints", "바다는 넓다.", "ko") == 100
    assert mark_text(item, "constraints", "바다는 넓다. 깊다.", "ko") == 0
    assert mark_text(item, "constraints", "", "ko") == 0


@pytest.mark.parametrize(
    ("task", "keyword", "answer"),
    [
        ('Use the word "moon" in one sentence.', "moon", "The moon is up."),
        ("'달빛'을 넣어 한 문장을 쓰세요.", "달빛", "달빛이 밝다."),
    ],
)
def test_repeated_instruction_is_no_answer_and_spoils_none(
    task: str, keyword: str, answer: str
) -> None:
    constraints = (Keyword(text=keyword, at_least=1), Sentences(at_most=1))
    item = TaskItem(id="1", split="test", text=task, constraints=constraints)

    assert mark_text(item, "constraints", f" {task}\n", "ko") == 0
    assert mark_text(item, "constraints", f"{task}\n{answer}", "ko") == 100


def test_accuracy_is_not_about_written_answers() -> None:
    with pytest.raises(ValueError, match="given answers"):
        mark_text(_make_item("a"), "accuracy", "a", "en")


def test_quality_is_described_over_answers_and_similarity_over_those_with_references() -> None:
    items = [_make_item("a c d e"), _make_item(), _make_item("red"), _make_item()]
    texts = ["a b c d", "같은 말을 자꾸 합니다. " * 6, "", "Fine."]

    quality = describe_quality(items, texts, [True, False, True, True], "en")

    assert quality.ended == 0.75
    assert quality.repetitive == 0.25
    assert quality.in_language == 0.5
    assert quality.rouge_l == pytest.approx(0.375)
    assert quality.chrf is not None
    assert quality.chrf < 0.5


def test_quality_without_references_has_no_similarity() -> None:
    quality = describe_quality([_make_item()], ["좋아요"], [True], "ko")

    assert quality.rouge_l is None
    assert quality.chrf is None
