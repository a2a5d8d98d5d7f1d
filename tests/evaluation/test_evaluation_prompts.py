from collections import Counter
from typing import Literal

import pytest

from schemas.evaluation import Metric
from schemas.templates import INSTRUCTION
from training.evaluation.prompts import draw_shots, open_with, strip_answer
from training.evaluation.tasks.items import (
    EvaluationTask,
    TaskCard,
    TaskError,
    TaskItem,
    Wording,
)

ARROW = Wording(name="arrow", form="arrow")


@pytest.fixture(params=["english_task", "korean_task"])
def task(request: pytest.FixtureRequest) -> EvaluationTask:
    return request.getfixturevalue(request.param)


def make_task(metric: Metric, shots: int) -> EvaluationTask:
    """Make a task without labels that its items share."""

    def make(number: int, split: Literal["test", "shots"]) -> TaskItem:
        return TaskItem(
            id=f"{split}-{number}",
            split=split,
            text=f"{number}년의 수도는?",
            label="서울" if metric == "accuracy" else "",
            choices=("서울", f"부산 {number}") if metric == "accuracy" else (),
            references=() if metric == "accuracy" else ("서울",),
        )

    card = TaskCard(
        language="ko",
        family="other",
        metric=metric,
        wordings=(Wording(name="plain"),),
        licence="Apache-2.0",
        origin="these tests",
    )
    return EvaluationTask(
        name="수도",
        card=card,
        items=(make(0, "test"),),
        shots=tuple(make(number, "shots") for number in range(shots)),
    )


def test_zero_shot_prompt_is_the_training_text_of_the_record(task: EvaluationTask) -> None:
    wording, text = task.card.wordings[0], task.items[0].text

    assert open_with(task, wording).render_prompt(text) == INSTRUCTION.render_prompt(
        wording.instruction, text, task.language
    )


def test_text_is_the_instruction_where_the_wording_has_none() -> None:
    opened = open_with(make_task("exact_match", 1), Wording(name="plain"))

    assert opened.render_prompt("한국의 수도는?") == "### 질문: 한국의 수도는?\n\n### 답변:"


def test_worked_example_has_its_label_where_the_answer_belongs(korean_task: EvaluationTask) -> None:
    opened = open_with(korean_task, korean_task.card.wordings[0], korean_task.shots[:1])

    assert opened.render_prompt("좋네요.") == (
        "### 질문: 긍정, 부정, 중립?\n\n### 맥락: 처음부터 끝까지 즐거웠어요. 0\n\n"
        "### 답변: 긍정\n\n"
        "### 질문: 긍정, 부정, 중립?\n\n### 맥락: 좋네요.\n\n### 답변:"
    )


def test_english_example_ends_in_its_label_too(english_task: EvaluationTask) -> None:
    opened = open_with(english_task, english_task.card.wordings[0], english_task.shots[:1])

    prompt = opened.render_prompt("Fine.")

    assert "\n\n### Response:\npositive\n\nBelow is an instruction" in prompt
    assert prompt.endswith("### Input:\nFine.\n\n### Response:")


def test_worked_example_of_a_text_task_shows_its_first_reference() -> None:
    task = make_task("exact_match", 1)

    opened = open_with(task, task.card.wordings[0], task.shots)

    assert opened.render_prompt("?").startswith("### 질문: 0년의 수도는?\n\n### 답변: 서울\n\n###")


def test_answers_are_rendered_as_in_training(
    english_task: EvaluationTask, korean_task: EvaluationTask
) -> None:
    english = open_with(english_task, english_task.card.wordings[0])
    korean = open_with(korean_task, korean_task.card.wordings[0])

    assert english.render_answer("positive") == "\npositive"
    assert korean.render_answer("긍정") == " 긍정"


def test_arrow_form_is_quoted_text_and_answer_a_line(
    english_task: EvaluationTask, korean_task: EvaluationTask
) -> None:
    korean = open_with(korean_task, ARROW, korean_task.shots[:2])
    told = ARROW.model_copy(update={"instruction": "Which sentiment?"})
    english = open_with(english_task, told, english_task.shots[:1])

    assert korean.render_prompt("그 영화는 너무 지루해") == (
        '"처음부터 끝까지 즐거웠어요. 0" -> 긍정\n'
        '"지루하고 너무 길었다. 0" -> 부정\n'
        '"그 영화는 너무 지루해" ->'
    )
    assert english.render_prompt("Dull.") == (
        'Which sentiment?\n"A delight from start to finish. 0" -> positive\n"Dull." ->'
    )
    assert korean.render_answer("부정적") == " 부정적"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        pytest.param(
            '그는 "최고" -> 긍정이라 했다', r'"그는 \"최고\" -> 긍정이라 했다"', id="quotes"
        ),
        pytest.param("Dull.\nToo long.", r'"Dull.\nToo long."', id="line-break"),
        pytest.param("C:\\영화", r'"C:\\영화"', id="backslash"),
    ],
)
def test_what_a_text_contains_ends_neither_its_quotation_nor_its_line(
    korean_task: EvaluationTask, text: str, quoted: str
) -> None:
    assert open_with(korean_task, ARROW).render_prompt(text) == f"{quoted} ->"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_shots_are_as_even_over_the_labels_as_their_number_allows(
    task: EvaluationTask, count: int
) -> None:
    shots = draw_shots(task, count, seed=5)

    found = Counter(shot.label for shot in shots)
    assert len(set(shots)) == count
    assert max(found.values()) - min(found[label] for label in task.card.labels) <= 1


def test_every_label_gets_to_be_the_single_example(task: EvaluationTask) -> None:
    single = {draw_shots(task, 1, seed)[0].label for seed in range(40)}

    assert single == set(task.card.labels)


def test_draw_follows_from_seed_and_draw_and_a_larger_one_keeps_the_smaller(
    task: EvaluationTask,
) -> None:
    assert draw_shots(task, 4, seed=3) == draw_shots(task, 4, seed=3)
    assert draw_shots(task, 0, seed=3) == ()
    assert set(draw_shots(task, 1, seed=3)) < set(draw_shots(task, 4, seed=3))
    assert len({draw_shots(task, 4, seed) for seed in range(10)}) > 5
    assert len({draw_shots(task, 4, 3, draw) for draw in range(10)}) > 5


@pytest.mark.parametrize("metric", ["accuracy", "exact_match"])
def test_draw_without_shared_labels_takes_any_examples(metric: Metric) -> None:
    task = make_task(metric, 5)

    shots = draw_shots(task, 4, seed=1)

    assert len(set(shots)) == 4
    assert set(draw_shots(task, 2, seed=1)) < set(shots)


def test_pool_smaller_than_the_number_of_examples_is_named(korean_task: EvaluationTask) -> None:
    with pytest.raises(TaskError, match=r"reviews-ko: 10 balanced .* need 4 .*label '.*', found 3"):
        draw_shots(korean_task, 10, seed=0)
    with pytest.raises(TaskError, match=r"수도: 6 worked examples .*found 5.*--shots"):
        draw_shots(make_task("exact_match", 5), 6, seed=0)


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        pytest.param(" 서울\n\n### 질문: 다음은?\n\n### 답변: 부산", "서울", id="korean"),
        pytest.param("\nSeoul\n\n### Instruction:\nNext", "Seoul", id="english"),
        pytest.param("\n# 제목\n\n### 소제목\n내용 ", "# 제목\n\n### 소제목\n내용", id="markdown"),
    ],
)
def test_written_answer_ends_where_a_next_record_begins(written: str, answer: str) -> None:
    assert strip_answer(written, INSTRUCTION) == answer


def test_written_answer_of_the_arrow_form_is_a_line(korean_task: EvaluationTask) -> None:
    assert open_with(korean_task, ARROW).read_answer(' 긍정\n"다음" -> 부정') == "긍정"
