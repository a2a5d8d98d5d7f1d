from typing import get_args

import numpy as np
import pytest

from schemas.evaluation import (
    CheckName,
    EvaluationReport,
    GateCheck,
    GateVerdict,
    HeldOutLoss,
    MatrixRow,
    ModelFacts,
    Overlap,
    VariantScore,
    Verdict,
)
from tests.evaluation.simulated_report import (
    EN,
    KO,
    canary,
    comparison,
    report,
    single,
    two_languages,
)
from training.evaluation.gate.evidence import GateError, tell_difference
from training.evaluation.gate.judging import judge
from training.evaluation.gate.policy import GatePolicy
from training.evaluation.statistics.clusters import Paired, pair_up

EQUAL = single(20, 20, 200)
BETTER = single(40, 12, 200)
SHORT = single(20, 26, 200)
WORSE = single(12, 40, 200)


def _check(verdict: GateVerdict, name: CheckName) -> GateCheck:
    return next(check for check in verdict.checks if check.name == name)


@pytest.mark.parametrize(
    ("zero", "against_few", "expected", "reason"),
    [
        pytest.param((BETTER, BETTER), (BETTER, BETTER), "promote", "better", id="both"),
        pytest.param((BETTER, EQUAL), (BETTER, EQUAL), "promote", "better", id="english-only"),
        pytest.param((EQUAL, BETTER), (EQUAL, BETTER), "promote", "better", id="korean-only"),
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
    zero: tuple[Paired, Paired], against_few: tuple[Paired, Paired], expected: Verdict, reason: str
) -> None:
    verdict = judge(two_languages(zero, against_few))

    assert verdict.verdict == expected
    assert reason in " ".join(verdict.reasons)
    assert (verdict.challenger, verdict.champion) == ("tuned", "base")


def test_every_check_is_named_and_those_that_decided_give_the_reasons() -> None:
    verdict = judge(two_languages((EQUAL, WORSE), (EQUAL, EQUAL)))

    assert [check.name for check in verdict.checks] == list(get_args(CheckName))
    assert verdict.reasons == (_check(verdict, "slices").reason,)
    assert _check(verdict, "gain").outcome == "hold"
    assert _check(verdict, "loss").outcome == "not-measured"


def test_small_gain_in_both_languages_is_found_over_all_tasks() -> None:
    # 28 to 14 has p = .044 by itself, .088 after Holm; 56 to 28 has p = .003.
    gain = single(28, 14, 200)

    verdict = judge(two_languages((gain, gain), (BETTER, BETTER)))

    assert verdict.verdict == "promote"
    assert "over all tasks" in verdict.reasons[0]


def test_gain_in_one_language_is_found_where_the_other_drowns_it() -> None:
    noisy = single(100, 100, 600)

    verdict = judge(two_languages((BETTER, noisy), (BETTER, noisy)))

    assert verdict.verdict == "promote"
    assert f"better: {EN} (en), 0 shots: +14.0 points on 200 items" in verdict.reasons[0]


def test_worse_cell_within_the_margin_does_not_reject() -> None:
    slightly_worse = single(2, 14, 400)
    found = two_languages((BETTER, BETTER), (BETTER, BETTER), (slightly_worse, EQUAL))

    strict, tolerant = judge(found, GatePolicy(margin=0.01)), judge(found)

    assert (strict.verdict, tolerant.verdict) == ("reject", "promote")
    assert f"lowest is {EN} (en), 4 shots: -3.0" in _check(tolerant, "slices").reason


def test_hold_names_the_items_that_would_decide() -> None:
    small = single(25, 19, 200)

    verdict = judge(two_languages((small, small), (BETTER, BETTER)))

    assert verdict.verdict == "hold"
    assert verdict.items_needed is not None
    assert verdict.items_needed > 400
    assert f"needs n ≥ {verdict.items_needed}" in verdict.reasons[0]


def test_identical_models_are_held() -> None:
    same = single(0, 0, 12)

    assert judge(two_languages((same, same), (same, same))).verdict == "hold"


def test_model_that_only_beats_a_poor_wording_is_held() -> None:
    cells = [
        comparison(EN, single(60, 20, 200)),
        comparison(EN, single(60, 20, 200), "zero-to-few"),
        comparison(EN, single(20, 32, 200), "zero-to-best-wording"),
    ]

    verdict = judge(report(cells))

    assert verdict.verdict == "hold"
    assert (
        "short of the margin of 5.0 points: its zero-shot against the baseline's in its best"
        in (verdict.reasons[0])
    )


def test_single_wording_is_not_compared_twice() -> None:
    cells = [
        comparison(EN, BETTER),
        comparison(EN, BETTER, "zero-to-few"),
        comparison(EN, BETTER, "zero-to-best-wording"),
    ]

    verdict = judge(report(cells))

    assert verdict.verdict == "promote"
    assert "best wording" not in " ".join(verdict.reasons)


def test_tasks_outside_the_target_show_forgetting_and_no_gain() -> None:
    policy = GatePolicy(target=("sentiment",))
    target = [comparison(EN, BETTER), comparison(EN, BETTER, "zero-to-few")]

    kept = judge(report([*target, comparison("topic-ko", EQUAL, family="topic")]), policy)
    lost = judge(report([*target, comparison("topic-ko", WORSE, family="topic")]), policy)
    gained = judge(
        report(
            [
                comparison(EN, EQUAL),
                comparison(EN, BETTER, "zero-to-few"),
                comparison("topic-ko", BETTER, family="topic"),
            ]
        ),
        policy,
    )

    assert (kept.verdict, lost.verdict, gained.verdict) == ("promote", "reject", "hold")
    assert "topic-ko (ko), 0 shots: -14.0 points" in lost.reasons[0]
    assert _check(lost, "forgetting").outcome == "reject"


def test_what_was_not_measured_holds_where_the_policy_requires_it() -> None:
    fine = two_languages((BETTER, BETTER), (BETTER, BETTER))
    mute = fine.model_copy(update={"canaries": ()})

    assert judge(mute).verdict == "hold"
    assert judge(mute).reasons == ("the canary questions were not asked of both models",)
    assert judge(mute, GatePolicy(required=("gain",))).verdict == "promote"
    strict = judge(fine, GatePolicy(required=("gain", "loss", "forgetting")))
    assert strict.verdict == "hold"
    assert len(strict.reasons) == 2


def test_baseline_without_worked_examples_is_no_proof_against_few_shot() -> None:
    verdict = judge(report([comparison(EN, BETTER)]))

    assert verdict.verdict == "hold"
    assert verdict.reasons[0].startswith("the baseline's few-shot was not measured")


def test_report_that_no_verdict_follows_from_is_refused_in_one_line() -> None:
    with pytest.raises(GateError, match="compares nothing at zero-shot on any task"):
        judge(report([comparison(EN, BETTER, shots=4)]))
    with pytest.raises(GateError, match="nothing at zero-shot on topic, spelling"):
        judge(report([comparison(EN, BETTER)]), GatePolicy(target=("topic", "spelling")))
    with pytest.raises(GateError, match="one model only"):
        judge(report([]))
    rows = (_row("base", 200), _row("tuned", 100))
    other = report([comparison(EN, BETTER)]).model_copy(update={"matrix": rows})
    with pytest.raises(GateError, match="tuned was asked other items than base"):
        judge(other)


def _row(model: str, items: int) -> MatrixRow:
    return MatrixRow(
        model=model,
        task=EN,
        family="sentiment",
        language="en",
        metric="accuracy",
        shots=0,
        item_count=items,
        cluster_count=items,
        accuracy=0.5,
        low=0.4,
        high=0.6,
        variants=(VariantScore(wording="plain", draw=0, score=0.5),),
    )


def _fine() -> EvaluationReport:
    return two_languages((BETTER, BETTER), (BETTER, BETTER))


def _facts(model: str, **values: str | float) -> ModelFacts:
    return ModelFacts.model_validate({"model": model, "fingerprint": model, **values})


def test_damaged_challenger_is_rejected_and_damaged_baseline_holds() -> None:
    whole, damaged = _facts("base"), _facts("tuned", damage="model.safetensors is gone")
    rejected = _fine().model_copy(update={"models": {"base": whole, "tuned": damaged}})
    damaged = _facts("base", damage="config.json is gone")
    held = _fine().model_copy(update={"models": {"base": damaged, "tuned": _facts("tuned")}})

    assert judge(rejected).verdict == "reject"
    assert judge(rejected).reasons == ("tuned is damaged: model.safetensors is gone",)
    assert judge(held).verdict == "hold"


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        pytest.param({"answer": " \n"}, {}, "reject", id="empty"),
        pytest.param({"repetitive": True}, {}, "reject", id="repetitive"),
        pytest.param({"ended": False}, {}, "hold", id="not-ended"),
        pytest.param({"in_language": False}, {}, "hold", id="other-language"),
        pytest.param({"ended": False}, {"ended": False}, "promote", id="baseline-no-better"),
    ],
)
def test_canary_that_only_the_challenger_fails_counts_against_it(
    mine: dict[str, str | bool], theirs: dict[str, str | bool], expected: Verdict
) -> None:
    # Two of three: one alone is tolerated.
    canaries = [canary("base", n, theirs if n else {}) for n in range(3)]
    canaries += [canary("tuned", n, mine if n else {}) for n in range(3)]
    found = _fine().model_copy(update={"canaries": tuple(canaries)})

    assert judge(found).verdict == expected
    if expected != "promote":
        assert "2 of 3 canary questions" in judge(found).reasons[0]
        assert judge(found, GatePolicy(canary_tolerance=2)).verdict == "promote"


def test_held_out_answers_that_became_less_likely_reject() -> None:
    def loss(difference: float, low: float, records: int = 80) -> EvaluationReport:
        found = HeldOutLoss(
            model="tuned",
            language="ko",
            records=records,
            bytes=9000,
            bits_per_byte=1.1,
            difference=difference,
            low=low,
            high=2 * difference - low,
        )
        return _fine().model_copy(update={"held_out": (found,)})

    assert judge(loss(0.1, 0.05)).verdict == "reject"
    assert (
        "ko +0.100 [+0.050, +0.150] bits per byte on 80 records"
        in judge(loss(0.1, 0.05)).reasons[0]
    )
    assert judge(loss(0.1, -0.01)).verdict == "promote"
    assert judge(loss(0.01, 0.005)).verdict == "promote"
    assert judge(loss(-0.3, -0.4)).verdict == "promote"
    # A demo holds out two records: no interval over those condemns anybody.
    few = judge(loss(0.1, 0.05, records=2))
    assert few.verdict == "promote"
    assert "fewer than 20 held-out records" in next(
        c.reason for c in few.checks if c.name == "loss"
    )


def test_items_of_the_training_data_hold_unless_they_were_left_out() -> None:
    def overlap(*, excluded: bool) -> EvaluationReport:
        one = Overlap(task=EN, items=("a", "b", "c", "d"), excluded=excluded)
        return _fine().model_copy(
            update={"overlaps": (one,), "matrix": (_row("base", 200), _row("tuned", 200))}
        )

    held = judge(overlap(excluded=False))

    assert held.verdict == "hold"
    assert f"4 of {EN} (a, b, c, …); leave them out with --overlap excluded" in held.reasons[0]
    assert judge(overlap(excluded=True)).verdict == "promote"
    assert judge(overlap(excluded=False), GatePolicy(overlap_allowed=0.02)).verdict == "promote"


def test_size_and_speed_are_held_against_the_limits_of_the_policy() -> None:
    models = {
        "base": _facts("base", size_mb=500, answers_per_second=10),
        "tuned": _facts("tuned", size_mb=600, answers_per_second=7),
    }
    found = _fine().model_copy(update={"models": models})

    assert judge(found).verdict == "promote"
    assert judge(found, GatePolicy(largest_size=1.1)).verdict == "reject"
    assert judge(found, GatePolicy(largest_size=1.2)).verdict == "promote"
    assert judge(found, GatePolicy(slowest=0.8)).verdict == "reject"
    assert judge(found, GatePolicy(slowest=0.7)).verdict == "promote"
    assert judge(_fine(), GatePolicy(slowest=0.7)).verdict == "hold"
    assert judge(_fine(), GatePolicy(largest_size=1)).verdict == "hold"


def _simulate(generator: np.random.Generator, gain: float, item_count: int) -> EvaluationReport:
    """Draw two models' answers in two wordings, item by item.

    Items differ in difficulty, as real ones do, so the models agree on many of them; base few-shot
    is as good as base zero-shot.
    """
    zero: list[Paired] = []
    few: list[Paired] = []
    for _ in range(2):
        difficulty = generator.beta(0.5, 0.5, item_count)
        clusters = [str(n) for n in range(item_count)]

        def answers(shift: float, difficulty: "np.ndarray" = difficulty) -> list[list[int]]:
            chance = np.clip(difficulty + shift, 0, 1)
            return (100 * (generator.random((2, difficulty.size)) < chance)).tolist()

        base, base_few, tuned = answers(0), answers(0), answers(gain)
        zero.append(pair_up(clusters, tuned, base))
        few.append(pair_up(clusters, tuned, base_few))
    return two_languages(zero, few)


def _share_promoted(gain: float, item_count: int, runs: int) -> float:
    generator = np.random.default_rng(7)
    verdicts = [judge(_simulate(generator, gain, item_count)).verdict for _ in range(runs)]
    return verdicts.count("promote") / runs


@pytest.mark.parametrize("item_count", [50, 200])
def test_equal_models_are_promoted_in_at_most_one_of_twenty_runs(item_count: int) -> None:
    assert _share_promoted(0.0, item_count, runs=600) <= 0.05


def test_better_model_is_mostly_promoted_at_400_items() -> None:
    # A shift of 8 points is a true gain of 6: difficulties near 0 and 1 leave no room for more.
    assert _share_promoted(0.08, 400, runs=100) >= 0.8


def test_model_with_one_worse_language_is_rejected() -> None:
    generator = np.random.default_rng(3)
    for _ in range(50):
        lost, won = generator.binomial(60, 0.95), generator.binomial(60, 0.05)
        worse = single(int(won), int(lost), 200)
        assert judge(two_languages((BETTER, worse), (BETTER, EQUAL))).verdict == "reject"


def test_difference_that_rounds_to_nothing_has_no_minus() -> None:
    assert [tell_difference(share) for share in (-0.0004, 0.0, -0.031)] == ["+0.0", "+0.0", "-3.1"]
