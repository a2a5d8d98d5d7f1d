"""The claim that has to be proved: tuned zero-shot beats base zero-shot, and replaces few-shot.

"Better" is shown by one-sided tests over all tasks of the target together, or in any single one
after Holm. The first finds a small gain everywhere and has four fifths of alpha; the second a gain
in one language that the other language's noise would drown, and has the rest. So together they
promote at most alpha of equal models, whatever the tests have in common. With one task there is one
test, which has all. Everything else that is asked here can only make a promotion rarer.

A base model that is asked in a poor wording is easily beaten, so the challenger, in all wordings,
must also not be worse by the margin than the baseline in the one that suits it best on these very
items: a choice made after seeing the answers, hence in the baseline's favour.
"""

from collections.abc import Sequence

from schemas.evaluation import Comparison
from training.evaluation.gate.evidence import (
    Evidence,
    Finding,
    describe_cell,
    describe_paired,
    describe_place,
    harmed_cells,
    tell_difference,
    tell_points,
)
from training.evaluation.gate.policy import GatePolicy
from training.evaluation.statistics.clusters import Paired, pair_of, pool
from training.evaluation.statistics.intervals import lower_bound
from training.evaluation.statistics.planning import (
    items_needed,
    items_to_bound,
    smallest_detectable_difference,
)
from training.evaluation.statistics.significance import holm, sign_flip

_OVERALL = 0.8
"""Share of alpha for the test over all tasks: small gains everywhere are what tuning brings."""


def check_gain(evidence: Evidence) -> Finding:
    """Test whether the challenger is better at zero-shot, whatever the wording."""
    better = _is_better(evidence.zero_shot, evidence.policy)
    rivals = evidence.compare("zero-to-best-wording")
    if not rivals or all(_is_only_wording(cell, evidence) for cell in rivals):
        return better
    not_worse = _is_not_worse(
        pool([pair_of(cell) for cell in rivals]),
        "its zero-shot against the baseline's in its best wording",
        evidence.policy,
    )
    return _join(better, not_worse)


def check_few_shot(evidence: Evidence) -> Finding:
    """Test whether worked examples are no longer needed."""
    cells = evidence.compare("zero-to-few")
    if not cells:
        return Finding(
            "not-measured",
            "the baseline's few-shot was not measured: evaluate with --shots 0 --shots 4",
        )
    harmed = harmed_cells(cells, evidence.policy.margin, evidence.policy)
    if harmed:
        return Finding("reject", "worse: " + "; ".join(map(describe_cell, harmed)))
    shots = " or ".join(map(str, sorted({cell.baseline_shots for cell in cells})))
    claim = f"its zero-shot against the baseline's {shots}-shot"
    return _is_not_worse(pool([pair_of(cell) for cell in cells]), claim, evidence.policy)


def _is_better(zero: Sequence[Comparison], policy: GatePolicy) -> Finding:
    paired = pool([pair_of(cell) for cell in zero])
    overall = policy.alpha if len(zero) == 1 else _OVERALL * policy.alpha
    where = "zero-shot over all tasks" if len(zero) > 1 else describe_place(zero[0])
    if _one_sided(paired) <= overall:
        return Finding("pass", f"better: {where}: {_describe_gain(paired)}")
    cells = [pair_of(cell) for cell in zero]
    adjusted = holm([_one_sided(cell) for cell in cells])
    for comparison, cell, p_value in zip(zero, cells, adjusted, strict=True):
        if p_value <= policy.alpha - overall:
            return Finding("pass", f"better: {describe_place(comparison)}: {_describe_gain(cell)}")
    gain = max(paired.difference, policy.smallest_gain)
    # Sample sizes are those of two-sided tests, half of whose level is on the side of a gain.
    needed = items_needed(paired, gain, 2 * overall)
    visible = smallest_detectable_difference(paired, 2 * overall)
    return Finding(
        "hold",
        f"not shown to be better at zero-shot: {_describe_gain(paired)}; so many items show "
        f"{tell_points(visible)} or more, a gain of {100 * gain:.1f} needs n ≥ {needed}",
        needed,
    )


def _one_sided(paired: Paired) -> float:
    """Return the p-value against a gain; the test's distribution is symmetric."""
    return sign_flip(paired) / 2 if paired.difference > 0 else 1.0


def _describe_gain(paired: Paired) -> str:
    return (
        f"{tell_difference(paired.difference)} points on {paired.item_count} items "
        f"({paired.wins} won, {paired.losses} lost, one-sided p = {_one_sided(paired):.2g})"
    )


def _is_only_wording(cell: Comparison, evidence: Evidence) -> bool:
    """Tell whether the best wording is the only one, so that nothing new is compared."""
    return any(one.task == cell.task and one.pairs == cell.pairs for one in evidence.zero_shot)


def _is_not_worse(paired: Paired, claim: str, policy: GatePolicy) -> Finding:
    bound = lower_bound(paired, policy.alpha)
    detail = f"{claim}: {describe_paired(paired)}, at least {tell_difference(bound)}"
    if bound >= -policy.margin:
        return Finding("pass", f"not worse: {detail}")
    margin = tell_points(policy.margin)
    needed = items_to_bound(paired, policy.margin, policy.alpha)
    if needed is None:
        return Finding("hold", f"short of the margin of {margin}: {detail}")
    return Finding(
        "hold", f"may be worse by more than {margin}: {detail}; deciding needs n ≥ {needed}", needed
    )


def _join(better: Finding, not_worse: Finding) -> Finding:
    """Ask for both; what is shown need not be repeated where the other is not."""
    if better.outcome == not_worse.outcome:
        needed = [one.items_needed for one in (better, not_worse) if one.items_needed]
        reason = f"{better.reason}; {not_worse.reason}"
        return Finding(better.outcome, reason, max(needed, default=None))
    return better if better.outcome == "hold" else not_worse
