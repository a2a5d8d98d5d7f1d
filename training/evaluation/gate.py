"""Judge whether a challenger may replace the champion, from the report alone.

The claim that must be proved: *tuned zero-shot beats base zero-shot and is not worse than base
few-shot*. "The higher mean wins" would promote an equal model every other time.

- reject: some cell is worse by more than the margin and significantly so (exact McNemar, Holm over
  all cells), or tuned zero-shot is so against base few-shot.
- promote: better at zero-shot, and at zero-shot not worse than the baseline's few-shot by the
  margin (one-sided 95 % bound of the difference over all tasks).
- hold: neither is shown; the verdict says how many items would decide.

"Better" is shown over all tasks together or in any single one after Holm. Each of the two ways
errs in at most alpha / 2 of equal models (two-sided tests, only one side promotes), so together
they promote at most alpha of them. The first finds a small gain everywhere, the second a gain in
one language that the other language's noise would drown.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.evaluation import Comparison, EvaluationReport, GateVerdict, Verdict
from training.evaluation.statistics import (
    Pairs,
    holm,
    items_needed,
    items_to_bound,
    lower_bound,
    mcnemar,
    pool,
    smallest_detectable_difference,
)


class GateError(UserError):
    """A report that no verdict can follow from."""


class GatePolicy(Frozen):
    """How sure the gate must be, and what it tolerates."""

    alpha: float = Field(default=0.05, gt=0, le=0.2)
    """Share of equal models that may be promoted by chance. Smaller needs more items."""
    margin: float = Field(default=0.05, ge=0, le=0.5)
    """Accuracy, as a fraction, that a cell may lose, and by which tuned zero-shot may fall short
    of base few-shot. Larger promotes more."""
    smallest_gain: float = Field(default=0.02, gt=0, le=0.5)
    """The gain, as a fraction, that is worth finding: a hold never asks for the items that a
    smaller one would need."""


DEFAULT_POLICY = GatePolicy()


class _Finding(NamedTuple):
    """What one half of the claim came to."""

    is_shown: bool
    reason: str
    items_needed: int | None


def judge(report: EvaluationReport, policy: GatePolicy = DEFAULT_POLICY) -> GateVerdict:
    """Judge the report's last challenger against its baseline.

    Raises:
        GateError: The report compares nothing at zero-shot.
    """
    comparisons = _of_last_challenger(report)
    zero = [c for c in comparisons if c.shots == c.baseline_shots == 0]
    if not zero:
        raise GateError(
            f"Evaluation {report.id} compares nothing at zero-shot, which the gate's claim is "
            "about: evaluate with --shots 0 among the others."
        )
    few = [c for c in comparisons if c.shots != c.baseline_shots]
    harmed = _harmed_cells(comparisons, policy)
    if harmed:
        return _verdict("reject", zero[0], [f"worse: {_describe(cell)}" for cell in harmed])
    findings = [_is_better(zero, policy), _is_not_worse(few, policy)]
    verdict: Verdict = "promote" if all(finding.is_shown for finding in findings) else "hold"
    needed = [f.items_needed for f in findings if not f.is_shown and f.items_needed]
    reasons = [finding.reason for finding in findings]
    return _verdict(verdict, zero[0], reasons, max(needed, default=None))


def _of_last_challenger(report: EvaluationReport) -> list[Comparison]:
    if not report.comparisons:
        raise GateError(
            f"Evaluation {report.id} has one model only: the gate needs a challenger too."
        )
    challenger = report.comparisons[-1].challenger
    return [c for c in report.comparisons if c.challenger == challenger]


def _harmed_cells(comparisons: Sequence[Comparison], policy: GatePolicy) -> list[Comparison]:
    adjusted = holm([comparison.p_value for comparison in comparisons])
    return [
        comparison
        for comparison, p_value in zip(comparisons, adjusted, strict=True)
        if p_value <= policy.alpha and comparison.difference < -policy.margin
    ]


def _is_better(zero: Sequence[Comparison], policy: GatePolicy) -> _Finding:
    """Test the first half: tuned zero-shot beats base zero-shot, somewhere or over all."""
    adjusted = holm([comparison.p_value for comparison in zero])
    for comparison, p_value in zip(zero, adjusted, strict=True):
        if p_value <= policy.alpha and comparison.difference > 0:
            return _Finding(True, f"better: {_describe(comparison)}", None)
    pairs = pool([_pairs(comparison) for comparison in zero])
    if mcnemar(pairs) <= policy.alpha and pairs.difference > 0:
        return _Finding(True, f"better: zero-shot over all tasks: {_describe_pairs(pairs)}", None)
    gain = max(pairs.difference, policy.smallest_gain)
    needed = items_needed(gain, pairs.discordance, policy.alpha)
    visible = smallest_detectable_difference(pairs.item_count, pairs.discordance, policy.alpha)
    return _Finding(
        False,
        f"not shown to be better at zero-shot: {_describe_pairs(pairs)}; so many items show "
        f"{100 * visible:.1f} points or more, a gain of {100 * gain:.1f} needs n ≥ {needed}",
        needed,
    )


def _is_not_worse(few: Sequence[Comparison], policy: GatePolicy) -> _Finding:
    """Test the second half: tuned zero-shot is not worse than base few-shot by the margin."""
    if not few:
        return _Finding(
            False, "base few-shot was not measured: evaluate with --shots 0 --shots 4", None
        )
    pairs = pool([_pairs(comparison) for comparison in few])
    claim = f"its zero-shot against the baseline's {few[0].baseline_shots}-shot"
    bound = lower_bound(pairs, policy.alpha)
    detail = f"{claim}: {_describe_pairs(pairs)}, at least {100 * bound:+.1f}"
    if bound >= -policy.margin:
        return _Finding(True, f"not worse: {detail}", None)
    margin = f"{100 * policy.margin:.1f} points"
    needed = items_to_bound(pairs, policy.margin, policy.alpha)
    if needed is None:
        return _Finding(False, f"short of the margin of {margin}: {detail}", None)
    return _Finding(
        False, f"may be worse by more than {margin}: {detail}; deciding needs n ≥ {needed}", needed
    )


def _pairs(comparison: Comparison) -> Pairs:
    return Pairs(comparison.wins, comparison.losses, comparison.item_count)


def _describe(cell: Comparison) -> str:
    shots = f"{cell.shots} shots"
    if cell.shots != cell.baseline_shots:
        shots += f" against the baseline's {cell.baseline_shots}"
    return f"{cell.task} ({cell.language}), {shots}: {_describe_pairs(_pairs(cell))}"


def _describe_pairs(pairs: Pairs) -> str:
    return (
        f"{100 * pairs.difference:+.1f} points on {pairs.item_count} items "
        f"({pairs.wins} won, {pairs.losses} lost, p = {mcnemar(pairs):.2g})"
    )


def _verdict(
    verdict: Verdict, cell: Comparison, reasons: Sequence[str], needed: int | None = None
) -> GateVerdict:
    return GateVerdict(
        verdict=verdict,
        reasons=tuple(reasons),
        challenger=cell.challenger,
        champion=cell.baseline,
        items_needed=needed,
    )
