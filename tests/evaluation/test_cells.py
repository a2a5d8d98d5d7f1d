"""Cells are asked once; what is asked and how answers win is checked with a scripted model."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.progress import Progress, no_progress
from schemas.templates import Template
from training.base_model import Precision
from training.evaluation.answerers import LocalModel, Written
from training.evaluation.cells import Answered, Cell, answer_cells, plan_cells
from training.evaluation.kept_cells import name_model
from training.evaluation.tasks.items import (
    EvaluationTask,
    TaskCard,
    TaskError,
    TaskItem,
    Wording,
)

LIKES = {"긍정": -1.0, "부정": -2.0, "중립": -6.0}


class Scripted:
    """Likes answers by a table, whatever the prompt; counts how often it is asked."""

    fingerprint = "scripted"

    def __init__(self, table: dict[str, float], after_nothing: dict[str, float]) -> None:
        self.table = table
        self.after_nothing = after_nothing
        self.prompts: list[str] = []

    def score(
        self,
        prompts: Sequence[str],
        answers: Sequence[Sequence[str]],
        template: Template,
        progress: Progress = no_progress,
    ) -> list[list[float]]:
        self.prompts += prompts
        progress(len(prompts), len(prompts))
        return [
            [self._score(prompt, answer.strip()) for answer in given]
            for prompt, given in zip(prompts, answers, strict=True)
        ]

    def _score(self, prompt: str, answer: str) -> float:
        for text, share in self.after_nothing.items():
            if f"{text}\n\n### 답변:" in prompt:
                return math.log(share) if answer == "긍정" else math.log((1 - share) / 2)
        return self.table[answer]

    def write(
        self,
        prompts: Sequence[str],
        limit_tokens: int,
        template: Template,
        progress: Progress = no_progress,
    ) -> list[Written]:
        self.prompts += prompts
        return [Written(f" 서울\n\n### 질문: {limit_tokens}", ended=False) for _ in prompts]


def make_items_task(*, own_choices: bool) -> EvaluationTask:
    card = TaskCard(
        language="ko",
        family="other",
        metric="accuracy" if own_choices else "exact_match",
        wordings=(Wording(name="plain"),),
        answer_tokens=7,
        licence="Apache-2.0",
        origin="these tests",
    )
    texts = ("한국의 수도는?", "한국의 항구는?")
    items = tuple(
        TaskItem(
            id=str(number),
            split="test",
            text=text,
            label=("서울", "인천항구")[number] if own_choices else "",
            choices=(("서울", "평양"), ("인천항구", "서울"))[number] if own_choices else (),
            references=() if own_choices else ("서울",),
        )
        for number, text in enumerate(texts)
    )
    return EvaluationTask(name=f"수도-{card.metric}", card=card, items=items, shots=())


def _plan(task: EvaluationTask, shots: Sequence[int] = (0,)) -> list[Cell]:
    return plan_cells([task], shots, wordings=1, draws=1, limit=None, seed=0)


def test_every_wording_and_draw_is_a_cell_but_zero_shot_has_nothing_to_draw(
    korean_task: EvaluationTask, english_task: EvaluationTask
) -> None:
    cells = plan_cells([korean_task, english_task], (0, 2), wordings=5, draws=3, limit=6, seed=1)

    found = [(c.task.language, c.wording.name, c.shot_count, c.draw) for c in cells]
    drawn = [(0, 0), (2, 0), (2, 1), (2, 2)]
    assert found == [
        (language, wording, shots, draw)
        for language in ("ko", "en")
        for wording in ("plain", "arrow")
        for shots, draw in drawn
    ]
    assert {len(cell.items) for cell in cells} == {6}
    assert len({cell.shots for cell in cells if cell.task is korean_task and cell.shots}) == 3


def test_task_that_is_there_twice_is_refused(korean_task: EvaluationTask) -> None:
    with pytest.raises(TaskError, match=r"one task, each once, found reviews-ko, reviews-ko"):
        plan_cells([korean_task, korean_task], (0,), 1, 1, None, 0)


def test_calibration_takes_away_what_is_liked_after_texts_without_content(
    korean_task: EvaluationTask, tmp_path: Path
) -> None:
    # Mean of the three probabilities of 긍정: 0.8; the rest is shared by two: 0.1 each.
    model = Scripted(LIKES, {"해당 없음": 0.7, "[MASK]": 0.8, "...": 0.9})

    (answered,) = answer_cells(model, _plan(korean_task), tmp_path)

    row = [math.log(0.8), math.log(0.1), math.log(0.1)]
    assert answered.neutral == [pytest.approx(row)] * len(korean_task.items)
    # -1 - ln .8 = -0.78, -2 - ln .1 = 0.30.
    assert set(answered.predictions("raw")) == {"긍정"}
    assert set(answered.predictions("calibrated")) == {"부정"}
    right = [100 * (item.label == "부정") for item in korean_task.items]
    assert answered.marks("calibrated") == right


def test_longer_answer_may_win_by_the_byte(tmp_path: Path) -> None:
    # 6 bytes at -4 are worse a byte than 12 at -6.
    model = Scripted({"서울": -4.0, "평양": -5.0, "인천항구": -6.0}, {})

    (answered,) = answer_cells(model, _plan(make_items_task(own_choices=True)), tmp_path)

    assert answered.predictions("raw") == ["서울", "서울"]
    assert answered.predictions("per_byte") == ["서울", "인천항구"]
    assert answered.marks("raw") == [100, 0]
    assert answered.marks("per_byte") == [100, 100]


def test_own_choices_are_calibrated_answer_by_answer(tmp_path: Path) -> None:
    model = Scripted({"서울": -1.0, "평양": -2.0, "인천항구": -3.0}, {})

    (answered,) = answer_cells(model, _plan(make_items_task(own_choices=True)), tmp_path)

    assert answered.neutral == [[-1.0, -2.0], [-3.0, -1.0]]
    assert len(model.prompts) == 3, "two items, and all three answers after one empty text"


def test_written_answer_is_cut_where_the_next_record_begins_and_marked(tmp_path: Path) -> None:
    model = Scripted({}, {})

    (answered,) = answer_cells(model, _plan(make_items_task(own_choices=False)), tmp_path)

    assert answered.texts == ["서울", "서울"]
    assert answered.ended == [False, False]
    assert answered.marks("raw") == [100, 100]


def test_interrupted_run_continues_with_the_cell_it_was_in(
    korean_task: EvaluationTask, tmp_path: Path
) -> None:
    cells = _plan(korean_task, (0, 1))
    first = Scripted(LIKES, {})
    before = answer_cells(first, cells[:1], tmp_path)
    second = Scripted(LIKES, {})

    after = answer_cells(second, cells, tmp_path)

    assert second.prompts == [*cells[1].prompts, *second.prompts[len(cells[1].prompts) :]]
    assert after[0] == before[0]._replace(seconds=0.0)
    assert after[1].seconds > 0


def test_answers_of_a_model_lie_together_and_are_marked_as_used_when_they_are_read(
    korean_task: EvaluationTask, tmp_path: Path
) -> None:
    cells = _plan(korean_task, (0, 1))
    model = Scripted(LIKES, {})
    answer_cells(model, cells, tmp_path)
    of_model = tmp_path / name_model(model.fingerprint)
    os.utime(of_model, (1_000, 1_000))

    answer_cells(model, cells, tmp_path)

    assert [path.parent for path in tmp_path.rglob("*.parquet")] == [of_model] * len(cells)
    assert of_model.stat().st_mtime > 1_000


def test_kept_text_answers_are_read_as_they_were(tmp_path: Path) -> None:
    cells = _plan(make_items_task(own_choices=False))
    before = answer_cells(Scripted({}, {}), cells, tmp_path)

    after = answer_cells(Scripted({}, {}), cells, tmp_path)

    assert after == [one._replace(seconds=0.0) for one in before]


def test_progress_counts_items_and_ends_at_their_number(
    korean_task: EvaluationTask, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []

    answer_cells(
        Scripted(LIKES, {}),
        _plan(korean_task, (0, 1)),
        tmp_path,
        lambda done, total, note="": seen.append((done, total)),
    )

    assert seen[-1] == (36, 36)
    assert seen == sorted(seen)


def test_local_model_answers_choices_and_texts_and_lets_go_of_its_weights(
    llama: Path, korean_task: EvaluationTask, tmp_path: Path
) -> None:
    tasks = [korean_task, make_items_task(own_choices=True), make_items_task(own_choices=False)]

    found: list[Answered] = []
    precisions: tuple[Precision, ...] = ("fp32", "bf16")
    for precision in precisions:
        model = LocalModel(llama, precision)
        found += answer_cells(
            model, plan_cells(tasks, (0,), wordings=2, draws=1, limit=4, seed=0), tmp_path
        )
        model.unload()

    assert [len(one.log_probs) for one in found] == [4, 4, 2, 0] * 2
    assert [len(one.texts) for one in found] == [0, 0, 0, 2] * 2
    assert found[0].log_probs != found[4].log_probs, "another precision is asked for itself"
    assert found[0].log_probs[0] == pytest.approx(found[4].log_probs[0], abs=0.5)
