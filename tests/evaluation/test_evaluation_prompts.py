from collections import Counter

import pytest

from schemas.templates import INSTRUCTION
from training.evaluation.prompts import draw_shots, label_completions, open_with
from training.evaluation.tasks.items import EvaluationTask


@pytest.fixture(params=["english_task", "korean_task"])
def task(request: pytest.FixtureRequest) -> EvaluationTask:
    return request.getfixturevalue(request.param)


def test_zero_shot_prompt_is_the_training_text_of_the_record(task: EvaluationTask) -> None:
    text = task.items[0].text

    assert open_with(task, ()).render_prompt(
        task.question, text, task.language
    ) == INSTRUCTION.render_prompt(task.question, text, task.language)


def test_worked_example_has_its_label_where_the_answer_belongs(korean_task: EvaluationTask) -> None:
    shot = korean_task.shots[0]

    opened = open_with(korean_task, [shot])

    assert opened.render_prompt(korean_task.question, "좋네요.", "ko") == (
        "### 질문: 긍정, 부정, 중립?\n\n### 맥락: 처음부터 끝까지 즐거웠어요. 0\n\n"
        "### 답변: 긍정\n\n"
        "### 질문: 긍정, 부정, 중립?\n\n### 맥락: 좋네요.\n\n### 답변:"
    )


def test_english_example_ends_in_its_label_too(english_task: EvaluationTask) -> None:
    opened = open_with(english_task, [english_task.shots[0]])

    prompt = opened.render_prompt(english_task.question, "Fine.", "en")

    assert "\n\n### Response:\npositive\n\nBelow is an instruction" in prompt
    assert prompt.endswith("### Input:\nFine.\n\n### Response:")


def test_answers_are_rendered_as_in_training(
    english_task: EvaluationTask, korean_task: EvaluationTask
) -> None:
    assert label_completions(english_task) == ("\npositive", "\nnegative", "\nneutral")
    assert label_completions(korean_task) == (" 긍정", " 부정", " 중립")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_shots_are_as_even_over_the_labels_as_their_number_allows(
    task: EvaluationTask, count: int
) -> None:
    shots = draw_shots(task, count, seed=5)

    found = Counter(shot.label for shot in shots)
    assert len(set(shots)) == count
    assert max(found.values()) - min(found[label] for label in task.labels) <= 1


def test_every_label_gets_to_be_the_single_example(task: EvaluationTask) -> None:
    single = {draw_shots(task, 1, seed)[0].label for seed in range(40)}

    assert single == set(task.labels)


def test_draw_follows_from_its_seed_and_a_larger_one_keeps_the_smaller(
    task: EvaluationTask,
) -> None:
    assert draw_shots(task, 4, seed=3) == draw_shots(task, 4, seed=3)
    assert draw_shots(task, 0, seed=3) == ()
    assert set(draw_shots(task, 1, seed=3)) < set(draw_shots(task, 4, seed=3))
    assert len({draw_shots(task, 4, seed) for seed in range(10)}) > 5
