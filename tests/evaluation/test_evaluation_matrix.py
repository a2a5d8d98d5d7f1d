from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from training.evaluation.cells import Answered, Cell
from training.evaluation.item_table import write_items
from training.evaluation.matrix import compare, matrix_rows
from training.evaluation.page.answers import Score, read_items
from training.evaluation.tasks.items import EvaluationTask, TaskCard, TaskItem, Wording

PLAIN, ARROW = Wording(name="plain", instruction="긍정, 부정?"), Wording(name="arrow", form="arrow")


def _choice_task() -> EvaluationTask:
    """Four reviews, the last two of one film."""
    card = TaskCard(
        language="ko",
        family="sentiment",
        labels=("긍정", "부정"),
        wordings=(PLAIN, ARROW),
        licence="CC0",
        origin="ours",
    )
    items = tuple(
        TaskItem(
            id=f"i{number}",
            split="test",
            text=f"영화 {number}",
            label=card.labels[number % 2],
            group="film" if number > 1 else "",
        )
        for number in range(4)
    )
    return EvaluationTask(name="reviews-ko", card=card, items=items, shots=())


def _text_task() -> EvaluationTask:
    card = TaskCard(
        language="en",
        family="extraction",
        metric="exact_match",
        wordings=(PLAIN,),
        licence="CC0",
        origin="ours",
    )
    items = tuple(
        TaskItem(id=f"t{number}", split="test", text=f"Text {number}", references=("Seoul",))
        for number in range(2)
    )
    return EvaluationTask(name="places-en", card=card, items=items, shots=())


CHOICE, TEXT = _choice_task(), _text_task()


def _chosen(wording: Wording, shots: int, right: str, draw: int = 0) -> Answered:
    """Answer the choice task; ``right`` has a 1 for each item that is right."""
    log_probs = [
        [-1.0, -2.0] if (item.label == "긍정") == (mark == "1") else [-2.0, -1.0]
        for item, mark in zip(CHOICE.items, right, strict=True)
    ]
    cell = Cell(CHOICE, wording, shots, draw, CHOICE.items, ())
    return Answered(cell, log_probs, [[-3.0, -1.0]] * 4, [], [], 0.1)


def _written(texts: Sequence[str]) -> Answered:
    cell = Cell(TEXT, PLAIN, 0, 0, TEXT.items, ())
    return Answered(cell, [], [], list(texts), [True, False], 0.1)


BASE = [
    _chosen(PLAIN, 0, "1000"),
    _chosen(ARROW, 0, "1100"),
    _chosen(PLAIN, 4, "1110"),
    _chosen(PLAIN, 4, "0011", draw=1),
    _chosen(ARROW, 4, "1111"),
    _chosen(ARROW, 4, "0000", draw=1),
]
TUNED = [
    _chosen(PLAIN, 0, "1011"),
    _chosen(ARROW, 0, "1111"),
    _chosen(PLAIN, 4, "1111"),
    _chosen(PLAIN, 4, "1111", draw=1),
    _chosen(ARROW, 4, "1111"),
    _chosen(ARROW, 4, "1111", draw=1),
]


def test_row_joins_wordings_and_draws_of_one_task_and_number_of_shots() -> None:
    zero, few = matrix_rows("base", BASE, "raw", seed=0)

    assert (zero.task, zero.family, zero.language, zero.shots) == (
        "reviews-ko",
        "sentiment",
        "ko",
        0,
    )
    assert (zero.item_count, zero.cluster_count) == (4, 3)
    assert zero.accuracy == pytest.approx(3 / 8)
    assert zero.low <= zero.accuracy <= zero.high
    assert zero.spread == pytest.approx(0.25)
    assert [(v.wording, v.draw, v.score) for v in few.variants] == [
        ("plain", 0, 0.75),
        ("plain", 1, 0.5),
        ("arrow", 0, 1.0),
        ("arrow", 1, 0.0),
    ]


def test_variant_tells_every_rule_and_how_well_it_ranks() -> None:
    right, wrong = matrix_rows(
        "m", [_chosen(PLAIN, 0, "1111"), _chosen(PLAIN, 4, "0000")], "raw", 0
    )

    # Calibrated, 긍정 has -1 - -3 = 2 or -2 - -3 = 1, 부정 -2 - -1 = -1 or 0: always 긍정, which
    # two of four items are.
    assert right.variants[0].by_rule == {"raw": 1.0, "per_byte": 1.0, "calibrated": 0.5}
    assert (right.variants[0].auc, wrong.variants[0].auc) == (1.0, 0.0)
    assert right.quality is None


def test_row_is_judged_by_the_rule_that_was_chosen() -> None:
    (row,) = matrix_rows("m", [_chosen(PLAIN, 0, "1111")], "calibrated", seed=0)

    assert row.accuracy == 0.5


def test_written_answers_are_marked_and_described() -> None:
    (row,) = matrix_rows("m", [_written(["Seoul", "한국어로 답합니다"])], "raw", seed=0)

    assert (row.metric, row.accuracy) == ("exact_match", 0.5)
    assert row.quality is not None
    assert (row.quality.ended, row.quality.in_language) == (0.5, 0.5)
    assert row.variants[0].by_rule == {}
    assert row.variants[0].auc is None


def test_challenger_is_compared_cell_by_cell_with_few_shot_and_with_the_best_wording() -> None:
    found = compare(("base", BASE), ("tuned", TUNED), "raw", seed=0)

    assert [(one.kind, one.shots, one.baseline_shots) for one in found] == [
        ("same-shots", 0, 0),
        ("same-shots", 4, 4),
        ("zero-to-few", 0, 4),
        ("zero-to-best-wording", 0, 0),
    ]
    # Right of 8 zero-shot answers: 7 against 3.
    assert found[0].difference == pytest.approx(4 / 8)
    # "film" is won, i1 is equal (0 + 1 against 0 + 1), i0 as well.
    assert (found[0].wins, found[0].losses, found[0].item_count) == (1, 0, 4)
    # 7 of 8 against 9 of 16.
    assert found[2].difference == pytest.approx(7 / 8 - 9 / 16)
    # 7 of 8 against the arrow's 2 of 4.
    assert found[3].difference == pytest.approx(7 / 8 - 2 / 4)
    assert (found[3].baseline_wording, found[0].baseline_wording) == ("arrow", "")
    assert all(one.low <= one.difference <= one.high for one in found)


def test_task_without_few_shot_is_not_compared_with_it() -> None:
    found = compare(("base", BASE[:2]), ("tuned", TUNED[:2]), "raw", seed=0)

    assert {one.kind for one in found} == {"same-shots", "zero-to-best-wording"}


def test_task_without_zero_shot_is_compared_at_the_same_shots_only() -> None:
    found = compare(("base", BASE[2:]), ("tuned", TUNED[2:]), "raw", seed=0)

    assert [one.kind for one in found] == ["same-shots"]


def test_every_answer_stands_in_the_table(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    write_items(path, {"base": BASE, "tuned": [_written(["Seoul", "<b>Busan</b>"])]}, "raw")

    rows = list(read_items(path))

    assert len(rows) == 6 * 4 + 2
    first, last = rows[0], rows[-1]
    assert (first.model, first.task, first.wording, first.shots) == (
        "base",
        "reviews-ko",
        "plain",
        0,
    )
    assert (first.label, first.prediction, first.marks, first.ended) == ("긍정", "긍정", 100, None)
    assert first.log_probs == (Score("긍정", -1.0), Score("부정", -2.0))
    assert (last.prediction, last.references, last.marks) == ("<b>Busan</b>", ("Seoul",), 0)
    assert (last.ended, last.log_probs) == (False, ())
    assert pq.read_table(path).column("language").to_pylist() == ["ko"] * 24 + ["en"] * 2
