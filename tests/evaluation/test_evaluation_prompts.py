import json
from collections import Counter

import pytest

from schemas.templates import INSTRUCTION
from training.evaluation.prompts import draw_shots, open_with
from training.evaluation.tasks.items import EvaluationTask, TaskError, TaskItem, Wording


@pytest.fixture(params=["english_task", "korean_task"])
def task(request: pytest.FixtureRequest) -> EvaluationTask:
    return request.getfixturevalue(request.param)


def test_zero_shot_prompt_is_the_training_text_of_the_record(task: EvaluationTask) -> None:
    wording, text = task.card.wordings[0], task.items[0].text

    assert open_with(task, wording).render_prompt(text) == INSTRUCTION.render_prompt(
        wording.instruction, text, task.language
    )


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


def test_text_is_the_instruction_where_the_wording_has_none(english_task: EvaluationTask) -> None:
    opened = open_with(english_task, Wording(name="bare"))

    assert opened.render_prompt("Name a fruit.") == INSTRUCTION.render_prompt(
        "Name a fruit.", "", "en"
    )


def test_answers_are_rendered_as_in_training(
    english_task: EvaluationTask, korean_task: EvaluationTask
) -> None:
    for task, answer, wanted in (
        (english_task, "positive", "\npositive"),
        (korean_task, "긍정", " 긍정"),
    ):
        assert open_with(task, task.card.wordings[0]).render_answer(answer) == wanted


def test_arrow_form_quotes_the_text_and_gives_one_example_a_line(
    korean_task: EvaluationTask,
) -> None:
    arrow = Wording(name="arrow", instruction="영화평의 감정", form="arrow")

    opened = open_with(korean_task, arrow, korean_task.shots[:1])

    assert opened.render_prompt("그 영화는 너무 지루해") == (
        '영화평의 감정\n"처음부터 끝까지 즐거웠어요. 0" -> 긍정\n"그 영화는 너무 지루해" ->'
    )
    assert opened.render_answer("부정") == " 부정"


@pytest.mark.parametrize("text", ['He said "no".', "두 줄\n글", 'a" -> positive'])
def test_a_text_cannot_end_its_own_quotation(english_task: EvaluationTask, text: str) -> None:
    prompt = open_with(english_task, Wording(name="arrow", form="arrow")).render_prompt(text)

    assert "\n" not in prompt
    assert json.loads(prompt.removesuffix(" ->")) == text


def test_written_answer_ends_where_the_next_record_or_line_begins(
    english_task: EvaluationTask,
) -> None:
    record = open_with(english_task, Wording(name="bare"))
    arrow = open_with(english_task, Wording(name="arrow", form="arrow"))

    assert record.read_answer("\nBlue.\n\n### Instruction:\nGo on") == "Blue."
    assert arrow.read_answer(' positive\n"More" -> negative') == "positive"


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


def test_draw_follows_from_its_seed_and_a_larger_one_keeps_the_smaller(
    task: EvaluationTask,
) -> None:
    assert draw_shots(task, 4, seed=3) == draw_shots(task, 4, seed=3)
    assert draw_shots(task, 0, seed=3) == ()
    assert set(draw_shots(task, 1, seed=3)) < set(draw_shots(task, 4, seed=3))
    assert len({draw_shots(task, 4, seed) for seed in range(10)}) > 5


def test_draws_differ_and_each_is_balanced(task: EvaluationTask) -> None:
    first, second = (draw_shots(task, 3, seed=3, draw=draw) for draw in (0, 1))

    assert first != second
    assert {shot.label for shot in first} == {shot.label for shot in second}


def test_too_few_worked_examples_are_named_by_label(korean_task: EvaluationTask) -> None:
    # Twelve over three labels need four of each; the pool has three.
    with pytest.raises(TaskError, match=r"need 4 lines.*found 3\. Add some or lower --shots"):
        draw_shots(korean_task, 12, seed=0)


def test_written_answers_have_no_labels_to_be_balanced_over(korean_task: EvaluationTask) -> None:
    shots = tuple(
        TaskItem(id=str(n), split="shots", text=f"{n}?", references=(str(n),)) for n in range(3)
    )
    card = korean_task.card.model_copy(update={"metric": "exact_match", "labels": ()})
    task = korean_task.model_copy(update={"card": card, "shots": shots})

    assert len(set(draw_shots(task, 3, seed=0))) == 3
    with pytest.raises(TaskError, match=r"4 worked examples need as many lines.*found 3"):
        draw_shots(task, 4, seed=0)
