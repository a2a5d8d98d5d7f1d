"""Whether the figures can be trusted, and what the challenger costs: checks without statistics."""

from schemas.evaluation import Overlap
from training.evaluation.gate.evidence import Evidence, Finding

_SHOWN_IDS = 3


def check_integrity(evidence: Evidence) -> Finding:
    """Look for damage in the files of either model."""
    challenger, baseline = evidence.challenger, evidence.baseline
    if challenger is None or baseline is None:
        return Finding("not-measured", "the files of the models were not looked at")
    if challenger.damage:
        return Finding("reject", f"{challenger.model} is damaged: {challenger.damage}")
    if baseline.damage:
        return Finding(
            "hold",
            f"{baseline.model}, which it is compared with, is damaged: {baseline.damage}; evaluate "
            "against a whole one",
        )
    return Finding("pass", "the files of both models are whole")


def check_contamination(evidence: Evidence) -> Finding:
    """Look for items that the challenger may have learned by heart."""
    report = evidence.report
    if not report.overlaps:
        if evidence.challenger is None or not evidence.challenger.dataset:
            reason = "what the challenger was trained on is unknown"
            return Finding("not-measured", reason)
        reason = f"no item stands in {evidence.challenger.dataset}"
        return Finding("pass", reason)
    allowed = evidence.policy.overlap_allowed
    left_in = [one for one in report.overlaps if not one.excluded]
    if any(_share(one, evidence) > allowed for one in left_in):
        told = "; ".join(map(_describe_overlap, left_in))
        return Finding(
            "hold",
            f"items stand in the challenger's training data: {told}; leave them out with "
            "--overlap excluded",
        )
    count = sum(len(one.items) for one in report.overlaps)
    return Finding("pass", f"{count} items of the training data are left out or allowed")


def check_size(evidence: Evidence) -> Finding:
    """Hold the size of the weights against the limit."""
    limit = evidence.policy.largest_size
    if limit is None:
        return Finding("not-measured", "the policy sets no limit to the size")
    mine, theirs = (one.size_mb if one else 0.0 for one in (evidence.challenger, evidence.baseline))
    if not mine or not theirs:
        return Finding("hold", "the policy limits the size, and that of the weights is unknown")
    told = f"{mine:,.0f} MB against {theirs:,.0f}, allowed are {limit:g} times as many"
    return Finding("reject" if mine > limit * theirs else "pass", told)


def check_speed(evidence: Evidence) -> Finding:
    """Hold the speed against the limit."""
    limit = evidence.policy.slowest
    if limit is None:
        return Finding("not-measured", "the policy sets no limit to the speed")
    models = evidence.challenger, evidence.baseline
    mine, theirs = (one.answers_per_second if one else 0.0 for one in models)
    if not mine or not theirs:
        return Finding(
            "hold", "the policy limits the speed, and answers kept from earlier took no time"
        )
    told = f"{mine:.1f} answers a second against {theirs:.1f}, wanted are {limit:g} times as many"
    return Finding("reject" if mine < limit * theirs else "pass", told)


def _share(overlap: Overlap, evidence: Evidence) -> float:
    counts = [row.item_count for row in evidence.report.matrix if row.task == overlap.task]
    return len(overlap.items) / max(counts, default=1)


def _describe_overlap(overlap: Overlap) -> str:
    shown = ", ".join(overlap.items[:_SHOWN_IDS])
    more = ", …" if len(overlap.items) > _SHOWN_IDS else ""
    return f"{len(overlap.items)} of {overlap.task} ({shown}{more})"
