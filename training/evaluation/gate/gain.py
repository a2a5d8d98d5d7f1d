"""The claim that has to be proved: tuned zero-shot beats base zero-shot, and replaces few-shot.

"Better" is shown over all tasks of the target together or in any single one after Holm. Each of the
two ways errs in at most alpha / 2 of equal models (two-sided tests, only one side promotes), so
together they promote at most alpha of them. The first finds a small gain everywhere, the second a
gain in one language that the other language's noise would drown. Everything else that is asked here
can only make a promotion rarer.

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
    harmed_cells,
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
    if sign_flip(paired) <= policy.alpha and paired.difference > 0:
        place = describe_cell(zero[0]) if len(zero) == 1 else _over_all(paired)
        return Finding("pass", f"better: {place}")
    adjusted = holm([cell.p_value for cell in zero])
    for cell, p_value in zip(zero, adjusted, strict=True):
        if p_value <= policy.alpha and cell.difference > 0:
            return Finding("pass", f"better: {describe_cell(cell)}")
    gain = max(paired.difference, policy.smallest_gain)
    needed = items_needed(paired, gain, policy.alpha)
    visible = smallest_detectable_difference(paired, policy.alpha)
    return Finding(
        "hold",
        f"not shown to be better at zero-shot: {describe_paired(paired)}; so many items show "
        f"{tell_points(visible)} or more, a gain of {100 * gain:.1f} needs n ≥ {needed}",
        needed,
    )


def _over_all(paired: Paired) -> str:
    return f"zero-shot over all tasks: {describe_paired(paired)}"


def _is_only_wording(cell: Comparison, evidence: Evidence) -> bool:
    """Tell whether the best wording is the only one, so that nothing new is compared."""
    return any(one.task == cell.task and one.pairs == cell.pairs for one in evidence.zero_shot)


def _is_not_worse(paired: Paired, claim: str, policy: GatePolicy) -> Finding:
    bound = lower_bound(paired, policy.alpha)
    detail = f"{claim}: {describe_paired(paired)}, at least {100 * bound:+.1f}"
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
