from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from schemas.evaluation import Comparison, EvaluationReport, Verdict
from training.evaluation.gate import GateError, GatePolicy, judge
from training.evaluation.statistics import Pairs, count_pairs, mcnemar

EN, KO = "movie-sentiment-en", "movie-sentiment-ko"


def _compare(task: str, shots: int, baseline_shots: int, pairs: Pairs) -> Comparison:
    return Comparison(
        task=task,
        language="ko" if task == KO else "en",
        shots=shots,
        baseline_shots=baseline_shots,
        baseline="base",
        challenger="tuned",
        item_count=pairs.item_count,
        wins=pairs.wins,
        losses=pairs.losses,
        difference=pairs.difference,
        low=-1,
        high=1,
        p_value=mcnemar(pairs),
    )


def _report(comparisons: Iterable[Comparison]) -> EvaluationReport:
    return EvaluationReport(
        id="e",
        items_hash="i",
        template_hash="t",
        seed=0,
        models={"base": "b", "tuned": "t"},
        matrix=(),
        comparisons=tuple(comparisons),
        seconds=0,
    )


def _two_languages(
    zero: Sequence[Pairs], against_few: Sequence[Pairs], few: Sequence[Pairs] = ()
) -> EvaluationReport:
    rows = [_compare(task, 0, 0, pairs) for task, pairs in zip((EN, KO), zero, strict=True)]
    rows += [_compare(task, 4, 4, pairs) for task, pairs in zip((EN, KO), few, strict=False)]
    rows += [_compare(task, 0, 4, p) for task, p in zip((EN, KO), against_few, strict=True)]
    return _report(rows)


EQUAL = Pairs(20, 20, 200)
BETTER = Pairs(40, 12, 200)
SHORT = Pairs(20, 26, 200)
WORSE = Pairs(12, 40, 200)


@pytest.mark.parametrize(
    ("zero", "against_few", "expected", "reason"),
    [
        pytest.param((BETTER, BETTER), (BETTER, BETTER), "promote", "better", id="both"),
        pytest.param((BETTER, EQUAL), (BETTER, EQUAL), "promote", f"{EN} (en)", id="english-only"),
        pytest.param((EQUAL, BETTER), (EQUAL, BETTER), "promote", f"{KO} (ko)", id="korean-only"),
        pytest.param(
            (EQUAL, EQUAL), (BETTER, BETTER), "hold", "not shown to be better", id="equal"
        ),
        pytest.param(
            (BETTER, BETTER), (SHORT, SHORT), "hold", "may be worse by more than 5.0", id="few-shot"
        ),
        pytest.param((BETTER, WORSE), (BETTER, EQUAL), "reject", f"{KO} (ko), 0", id="ko-worse"),
        pytest.param((WORSE, BETTER), (EQUAL, EQUAL), "reject", f"{EN} (en), 0", id="en-worse"),
        pytest.param(
            (BETTER, BETTER), (WORSE, EQUAL), "reject", "against the baseline's 4", id="few-better"
        ),
    ],
)
def test_verdict_follows_from_the_claim(
    zero: tuple[Pairs, Pairs], against_few: tuple[Pairs, Pairs], expected: Verdict, reason: str
) -> None:
    verdict = judge(_two_languages(zero, against_few))

    assert verdict.verdict == expected
    assert reason in " ".join(verdict.reasons)
    assert (verdict.challenger, verdict.champion) == ("tuned", "base")


def test_small_gain_in_both_languages_is_found_over_all_tasks() -> None:
    # 28 to 14 has p = .044 by itself, .088 after Holm; 56 to 28 has p = .003.
    gain = Pairs(28, 14, 200)

    verdict = judge(_two_languages((gain, gain), (BETTER, BETTER)))

    assert verdict.verdict == "promote"
    assert "over all tasks" in verdict.reasons[0]


def test_worse_cell_within_the_margin_does_not_reject() -> None:
    slightly_worse = Pairs(2, 14, 400)

    strict = judge(
        _two_languages((BETTER, BETTER), (BETTER, BETTER), (slightly_worse, EQUAL)),
        GatePolicy(margin=0.01),
    )
    tolerant = judge(_two_languages((BETTER, BETTER), (BETTER, BETTER), (slightly_worse, EQUAL)))

    assert (strict.verdict, tolerant.verdict) == ("reject", "promote")


def test_hold_names_the_items_that_would_decide() -> None:
    small = Pairs(25, 19, 200)

    verdict = judge(_two_languages((small, small), (BETTER, BETTER)))

    assert verdict.verdict == "hold"
    assert verdict.items_needed is not None
    assert verdict.items_needed > 400
    assert f"needs n ≥ {verdict.items_needed}" in verdict.reasons[0]


def test_identical_models_are_held() -> None:
    same = Pairs(0, 0, 12)

    assert judge(_two_languages((same, same), (same, same))).verdict == "hold"


def test_unmeasured_few_shot_is_held_and_unmeasured_zero_shot_refused() -> None:
    only_zero = _report([_compare(EN, 0, 0, BETTER)])

    assert judge(only_zero).verdict == "hold"
    assert "base few-shot was not measured" in judge(only_zero).reasons[1]
    with pytest.raises(GateError, match="nothing at zero-shot"):
        judge(_report([_compare(EN, 4, 4, BETTER)]))
    with pytest.raises(GateError, match="one model only"):
        judge(_report([]))


def _draw(generator: np.random.Generator, gain: float, item_count: int) -> EvaluationReport:
    """Draw two models' answers item by item.

    Items differ in difficulty, as real ones do, so the models agree on many of them; base few-shot
    is as good as base zero-shot.
    """
    zero: list[Pairs] = []
    few: list[Pairs] = []
    for _ in range(2):
        difficulty = generator.beta(0.5, 0.5, item_count // 2)

        def answers(shift: float, difficulty: "np.ndarray" = difficulty) -> list[bool]:
            chance = np.clip(difficulty + shift, 0, 1)
            return (generator.random(difficulty.size) < chance).tolist()

        base, base_few, tuned = answers(0), answers(0), answers(gain)
        zero.append(count_pairs(tuned, base))
        few.append(count_pairs(tuned, base_few))
    return _two_languages(zero, few)


def _share_promoted(gain: float, item_count: int, runs: int) -> float:
    generator = np.random.default_rng(7)
    verdicts = [judge(_draw(generator, gain, item_count)).verdict for _ in range(runs)]
    return verdicts.count("promote") / runs


@pytest.mark.parametrize("item_count", [100, 400])
def test_equal_models_are_promoted_in_at_most_one_of_twenty_runs(item_count: int) -> None:
    assert _share_promoted(0.0, item_count, runs=1000) <= 0.05


def test_better_model_is_mostly_promoted_at_400_items() -> None:
    # A shift of 10 points is a true gain of 8: difficulties near 0 and 1 leave no room for more.
    assert _share_promoted(0.10, 400, runs=200) >= 0.8


def test_model_with_one_worse_language_is_rejected() -> None:
    generator = np.random.default_rng(3)
    for _ in range(50):
        lost, won = generator.binomial(60, 0.95), generator.binomial(60, 0.05)
        worse = Pairs(int(won), int(lost), 200)
        assert judge(_two_languages((BETTER, worse), (BETTER, EQUAL))).verdict == "reject"
