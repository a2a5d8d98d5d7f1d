"""Judge whether a challenger may replace the champion, from the report alone.

"The higher mean wins" would promote an equal model every other time. Here every check of a closed
list says pass, hold, reject or not-measured, with its reason:

- promote: all passed, and all that the policy requires were measured;
- reject: one shows harm, to a cell, another skill, the files or the form of answers;
- hold: anything else; the verdict says how many items would decide, where that would help.

What is proved, and with which error, is in ``gain.py`` and ``harm.py``. Cost: the exact tests over
pooled tasks, milliseconds.
"""

from collections.abc import Callable
from typing import NamedTuple

from schemas.evaluation import CheckName, EvaluationReport, GateCheck, GateVerdict, Verdict
from training.evaluation.gate.evidence import Evidence, Finding, GateError
from training.evaluation.gate.gain import check_few_shot, check_gain
from training.evaluation.gate.harm import (
    check_canaries,
    check_forgetting,
    check_loss,
    check_slices,
)
from training.evaluation.gate.policy import DEFAULT_POLICY, GatePolicy
from training.evaluation.gate.soundness import (
    check_contamination,
    check_integrity,
    check_size,
    check_speed,
)

_CHECKS: tuple[tuple[CheckName, Callable[[Evidence], Finding]], ...] = (
    ("integrity", check_integrity),
    ("canaries", check_canaries),
    ("loss", check_loss),
    ("gain", check_gain),
    ("few-shot", check_few_shot),
    ("slices", check_slices),
    ("forgetting", check_forgetting),
    ("contamination", check_contamination),
    ("size", check_size),
    ("speed", check_speed),
)
_CLAIM: tuple[CheckName, ...] = ("gain", "few-shot")
"""Why a challenger is promoted; that nothing else is wrong is no reason."""


class _Judged(NamedTuple):
    name: CheckName
    finding: Finding


def judge(report: EvaluationReport, policy: GatePolicy = DEFAULT_POLICY) -> GateVerdict:
    """Judge the report's challenger against its baseline.

    Raises:
        GateError: The report has one model only, compares nothing at zero-shot in the policy's
            families, or its models were asked different items.
    """
    evidence = Evidence(report, policy)
    _check_comparable(evidence)
    judged = [_Judged(name, check(evidence)) for name, check in _CHECKS]
    verdict, decisive = _decide(judged, policy)
    needed = [one.finding.items_needed for one in decisive if one.finding.items_needed]
    return GateVerdict(
        verdict=verdict,
        reasons=tuple(one.finding.reason for one in decisive),
        checks=tuple(
            GateCheck(name=name, outcome=found.outcome, reason=found.reason)
            for name, found in judged
        ),
        challenger=report.challenger,
        champion=report.baseline,
        items_needed=max(needed, default=None),
    )


def _decide(judged: list[_Judged], policy: GatePolicy) -> tuple[Verdict, list[_Judged]]:
    """Find the verdict and the checks that decided it."""
    rejecting = [one for one in judged if one.finding.outcome == "reject"]
    if rejecting:
        return "reject", rejecting
    holding = [
        one
        for one in judged
        if one.finding.outcome == "hold"
        or (one.finding.outcome == "not-measured" and one.name in policy.required)
    ]
    if holding:
        return "hold", holding
    return "promote", [
        one for one in judged if one.name in _CLAIM and one.finding.outcome == "pass"
    ]


def _check_comparable(evidence: Evidence) -> None:
    report = evidence.report
    if report.challenger == report.baseline or not report.comparisons:
        raise GateError(
            f"Evaluation {report.id} has one model only: the gate needs a challenger too."
        )
    asked = {name: _asked_of(name, report) for name in (report.baseline, report.challenger)}
    if asked[report.baseline] != asked[report.challenger]:
        raise GateError(
            f"Evaluation {report.id}: {report.challenger} was asked other items than "
            f"{report.baseline}, so nothing follows: evaluate both together."
        )
    if not evidence.zero_shot:
        families = ", ".join(evidence.policy.target) or "any task"
        raise GateError(
            f"Evaluation {report.id} compares nothing at zero-shot on {families}, which the gate's "
            "claim is about: evaluate with --shots 0 among the others and a --task of the target."
        )


def _asked_of(model: str, report: EvaluationReport) -> set[tuple[object, ...]]:
    return {
        (row.task, row.shots, row.item_count, *((v.wording, v.draw) for v in row.variants))
        for row in report.matrix
        if row.model == model
    }
