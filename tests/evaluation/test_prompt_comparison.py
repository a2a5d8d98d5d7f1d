"""Which wording is better: what is shown, what is not, and how many items it would take."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from schemas.progress import Progress, no_progress
from schemas.templates import INSTRUCTION, Template
from training.evaluation.answerers import Written
from training.evaluation.prompt_comparison import Trial, compare_wordings
from training.evaluation.tasks.items import EvaluationTask, TaskCard, TaskError, TaskItem, Wording

GOOD = Wording(name="good", instruction="좋은 말인지 나쁜 말인지 답하세요.")
SAME = Wording(name="same", instruction="칭찬이면 좋음, 아니면 나쁨이라고 쓰세요.")
POOR = Wording(name="poor", instruction="답.")


class ScriptedModel:
    """Knows the right answer to item n in those wordings whose rule says so."""

    def __init__(self, knows: Callable[[str, int], bool]) -> None:
        self.fingerprint = "scripted"
        self._knows = knows

    def score(
        self,
        prompts: Sequence[str],
        answers: Sequence[Sequence[str]],
        template: Template,
        progress: Progress = no_progress,
    ) -> list[list[float]]:
        rows: list[list[float]] = []
        for prompt, given in zip(prompts, answers, strict=True):
            number = int("0" + "".join(filter(str.isdigit, prompt)))
            first_is_right = number % 2 == 0
            says_first = first_is_right == self._knows(prompt, number)
            rows.append([-1.0, -2.0][: len(given)] if says_first else [-2.0, -1.0])
        return rows

    def write(
        self,
        prompts: Sequence[str],
        limit_tokens: int,
        template: Template,
        progress: Progress = no_progress,
    ) -> list[Written]:
        raise NotImplementedError


def make_task(*wordings: Wording, count: int = 100) -> EvaluationTask:
    items = tuple(
        TaskItem(id=str(n), split="test", text=f"글 {n}", label=("좋음", "나쁨")[n % 2])
        for n in range(count)
    )
    card = TaskCard(
        language="ko", family="sentiment", labels=("좋음", "나쁨"), wordings=wordings,
        licence="Apache-2.0", origin="this test",
    )  # fmt: skip
    return EvaluationTask(name="words", card=card, items=items, shots=())


def make_trial(task: EvaluationTask) -> Trial:
    return Trial(task, 0, 1, None, 0, "raw", INSTRUCTION)


def test_wording_that_is_much_better_is_said_to_be(tmp_path: Path) -> None:
    # Right on 90 of 100 in one wording, on 50 in the other.
    model = ScriptedModel(lambda prompt, n: n % 10 != 0 if "좋은 말" in prompt else n % 4 < 2)

    found = compare_wordings("m", model, make_trial(make_task(POOR, GOOD)), tmp_path)

    best, other = found.wordings
    assert (best.name, best.score, other.score) == ("good", 0.9, 0.5)
    assert other.behind == pytest.approx(-0.4)
    assert -0.6 < other.behind_low < -0.4 < other.behind_high < -0.2
    assert other.p_value < 1e-6
    assert found.is_decided


def test_equal_wordings_are_not_told_apart_and_ask_for_no_items(tmp_path: Path) -> None:
    model = ScriptedModel(lambda _prompt, n: n % 4 < 3)

    found = compare_wordings("m", model, make_trial(make_task(GOOD, SAME)), tmp_path)

    assert [one.name for one in found.wordings] == ["good", "same"]
    assert found.wordings[1].p_value == 1.0
    assert found.wordings[1].items_needed is None
    assert not found.is_decided


def test_small_difference_says_how_many_items_would_show_it(tmp_path: Path) -> None:
    # 80 against 77 of 100, wrong on different items: 23 wins and 20 losses decide nothing.
    model = ScriptedModel(lambda prompt, n: n >= 20 if "좋은 말" in prompt else n < 77)

    found = compare_wordings("m", model, make_trial(make_task(GOOD, SAME)), tmp_path)

    other = found.wordings[1]
    assert other.p_value > 0.5
    assert other.items_needed is not None
    # Connor 1987 with 43 % discordant and 3 points: (1.96 √.43 + .84 √(.43 - .0009))² / .0009.
    assert other.items_needed == pytest.approx(3750, rel=0.05)


def test_p_values_are_adjusted_over_all_pairs(tmp_path: Path) -> None:
    # McNemar's exact p of 10 wins and 2 losses is 0.0386: one pair shows it, three do not.
    def knows(prompt: str, n: int) -> bool:
        return n not in (0, 1) if "좋은 말" in prompt else n >= 12 or n in (0, 1)

    model = ScriptedModel(knows)
    two = compare_wordings("m", model, make_trial(make_task(GOOD, SAME)), tmp_path / "two")
    three = compare_wordings("m", model, make_trial(make_task(GOOD, SAME, POOR)), tmp_path / "3")

    assert two.wordings[1].p_value == pytest.approx(0.0386, abs=1e-4)
    assert two.is_decided
    assert three.wordings[1].p_value == pytest.approx(3 * 0.0386, abs=1e-3)
    assert not three.is_decided


def test_one_wording_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="at least two wordings"):
        compare_wordings("m", ScriptedModel(lambda *_: True), make_trial(make_task(GOOD)), tmp_path)
