from pathlib import Path

import pytest

from schemas.manifest import SampleAnswer, TrainingPoint
from training.finetuning.history import (
    HistoryError,
    Stopwatch,
    open_history,
    tokens_per_second,
)
from training.finetuning.samples import QUESTIONS, open_samples


def make_point(step: int) -> TrainingPoint:
    return TrainingPoint(
        step=step, loss=2.0 / step, learning_rate=1e-4, gradient_norm=0.5, tokens=100 * step
    )


def make_round(step: int) -> list[SampleAnswer]:
    return [
        SampleAnswer(
            step=step, language=one.language, instruction=one.instruction, input=one.input,
            answer="네" if one.language == "ko" else "yes", ended=True,
        )
        for one in QUESTIONS
    ]  # fmt: skip


def test_steps_after_the_checkpoint_are_cut_off_and_written_again(tmp_path: Path) -> None:
    log = open_history(tmp_path, None)
    for step in range(1, 8):
        log.append(make_point(step))

    again = open_history(tmp_path, 5)
    again.append(make_point(6))

    assert [point.step for point in again.entries] == [1, 2, 3, 4, 5, 6]
    assert open_history(tmp_path, 6).entries == again.entries


def test_a_line_that_a_kill_left_half_written_is_no_step(tmp_path: Path) -> None:
    log = open_history(tmp_path, None)
    log.append(make_point(1), make_point(2))
    path = tmp_path / "history.jsonl"
    path.write_bytes(path.read_bytes() + b'{"step":3,"lo')

    again = open_history(tmp_path, 2)
    again.append(make_point(3))

    assert [point.step for point in open_history(tmp_path, 3).entries] == [1, 2, 3]


@pytest.mark.parametrize("damage", ["{}\n", "", '{"step":1,"lo\n'], ids=["other", "gone", "torn"])
def test_a_history_that_lacks_a_step_of_its_checkpoint_is_refused(
    tmp_path: Path, damage: str
) -> None:
    log = open_history(tmp_path, None)
    log.append(make_point(1), make_point(2))
    path = tmp_path / "history.jsonl"
    path.write_text(damage + path.read_text().splitlines()[1] + "\n")

    with pytest.raises(HistoryError, match="wanted 2 lines up to step 2") as info:
        open_history(tmp_path, 2)

    assert f"Remove {tmp_path}" in str(info.value)


def test_a_run_that_begins_anew_keeps_nothing(tmp_path: Path) -> None:
    open_history(tmp_path, None).append(make_point(1))
    open_samples(tmp_path, None, 2).append(*make_round(0))

    assert open_history(tmp_path, None).entries == []
    assert open_samples(tmp_path, None, 2).entries == []


def test_answers_before_a_checkpoint_stay_and_those_after_it_go(tmp_path: Path) -> None:
    log = open_samples(tmp_path, None, 2)
    for step in (0, 2, 4):
        log.append(*make_round(step))

    assert [one.step for one in open_samples(tmp_path, 3, 2).entries] == [0] * 8 + [2] * 8


def test_answers_after_the_last_step_stay_with_the_checkpoint_of_that_step(tmp_path: Path) -> None:
    log = open_samples(tmp_path, None, None)
    log.append(*make_round(0), *make_round(5))

    assert [one.step for one in open_samples(tmp_path, 5, None).entries] == [0] * 8 + [5] * 8


def test_missing_answers_of_a_continued_run_are_named(tmp_path: Path) -> None:
    open_samples(tmp_path, None, 2).append(*make_round(0))

    with pytest.raises(HistoryError, match=r"samples\.jsonl: wanted 16 lines up to step 2"):
        open_samples(tmp_path, 2, 2)


def test_tokens_a_second_count_all_starts_and_no_questions() -> None:
    watch = Stopwatch(seconds=40.0)
    with watch.paused():
        paused = watch.seconds
    assert 40.0 <= paused < 60.0
    # 700 tokens after step 7, over 35 seconds.
    assert tokens_per_second([make_point(7)], 35.0) == pytest.approx(20.0)
    assert tokens_per_second([], 35.0) == 0.0
