"""What a better challenger may still have made worse: a cell, another skill, its language.

A mean hides a slice that fell, so each is tested by itself: worse by more than the margin, and
significantly so by the exact test after Holm over all of them. Falsely rejected are at most
alpha / 2 of equal models, in truth far fewer because of the margin.
"""

from collections.abc import Sequence

from schemas.evaluation import CanaryAnswer, Comparison, HeldOutLoss
from training.evaluation.gate.evidence import (
    Evidence,
    Finding,
    describe_cell,
    harmed_cells,
    tell_points,
)
from training.evaluation.gate.policy import GatePolicy

_FEWEST_RECORDS = 20
"""Of a language: the bootstrap of fewer is far too narrow to condemn a model by."""


def check_slices(evidence: Evidence) -> Finding:
    """Look for a task, language and number of shots that became worse."""
    return _look_for_harm(evidence.compare("same-shots"), evidence.policy.margin, evidence.policy)


def check_forgetting(evidence: Evidence) -> Finding:
    """Look for a task outside the target that became worse."""
    others = evidence.compare("same-shots", in_target=False)
    if others:
        return _look_for_harm(others, evidence.policy.forgetting_margin, evidence.policy)
    if evidence.policy.target:
        found = "no task outside the target was evaluated: name some with --task"
        return Finding("not-measured", found)
    return Finding("not-measured", "every family is a target, so the slices tell what was lost")


def check_loss(evidence: Evidence) -> Finding:
    """Look at how likely the challenger finds held-out answers."""
    report, margin = evidence.report, evidence.policy.loss_margin
    losses = [one for one in report.held_out if one.model == report.challenger]
    if not losses:
        return Finding(
            "not-measured", "the loss on held-out records was not measured on both models"
        )
    told = "; ".join(map(_describe_loss, losses))
    losses = [one for one in losses if one.records >= _FEWEST_RECORDS]
    if not losses:
        return Finding("not-measured", f"fewer than {_FEWEST_RECORDS} held-out records: {told}")
    if any(one.low > 0 and one.difference > margin for one in losses):
        return Finding("reject", f"held-out answers became less likely: {told}")
    return Finding("pass", f"held-out answers: {told}")


def check_canaries(evidence: Evidence) -> Finding:
    """Count canary questions that only the challenger fails."""
    report, tolerance = evidence.report, evidence.policy.canary_tolerance
    asked = [one for one in report.canaries if one.model == report.challenger]
    before = {(c.language, c.instruction): c for c in report.canaries if c.model == report.baseline}
    if not asked or any((one.language, one.instruction) not in before for one in asked):
        return Finding("not-measured", "the canary questions were not asked of both models")
    failures = [(one, _new_faults(one, before[one.language, one.instruction])) for one in asked]
    failed = [(one, faults) for one, faults in failures if faults]
    broken = [pair for pair in failed if {"empty", "repetitive"} & set(pair[1])]
    counted = f"{len(failed)} of {len(asked)} canary questions"
    told = "; ".join(f"“{one.instruction}”: {', '.join(faults)}" for one, faults in failed[:3])
    if len(broken) > tolerance:
        return Finding("reject", f"fails {counted} that the baseline does not: {told}")
    if len(failed) > tolerance:
        return Finding("hold", f"answers {counted} worse in form than the baseline: {told}")
    return Finding("pass", f"fails {counted} that the baseline does not")


def _look_for_harm(cells: Sequence[Comparison], margin: float, policy: GatePolicy) -> Finding:
    harmed = harmed_cells(cells, margin, policy)
    if harmed:
        return Finding("reject", "worse: " + "; ".join(map(describe_cell, harmed)))
    lowest = min(cells, key=lambda cell: cell.difference)
    return Finding(
        "pass",
        f"none of {len(cells)} cells shown to be worse by more than {tell_points(margin)}; lowest "
        f"is {describe_cell(lowest)}",
    )


def _describe_loss(loss: HeldOutLoss) -> str:
    return (
        f"{loss.language} {loss.difference:+.3f} [{loss.low:+.3f}, {loss.high:+.3f}] bits per byte "
        f"on {loss.records} records"
    )


def _new_faults(mine: CanaryAnswer, theirs: CanaryAnswer) -> list[str]:
    """Name what is wrong with an answer and was right with the baseline's."""
    faults = {
        "empty": (not mine.answer.strip(), not theirs.answer.strip()),
        "repetitive": (mine.repetitive, theirs.repetitive),
        "not ended": (not mine.ended, not theirs.ended),
        "in another language": (not mine.in_language, not theirs.in_language),
    }
    found = [name for name, (now, before) in faults.items() if now and not before]
    # An empty answer is in no language and cannot go round.
    return found[:1] if "empty" in found else found
