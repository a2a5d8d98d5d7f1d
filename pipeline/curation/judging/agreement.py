"""How far a judge and the rules agree, so that people know what its scores are worth."""

from collections.abc import Sequence
from statistics import mean

from schemas.judgements import CRITERIA, Judgement
from schemas.manifest import JudgeReport


def report_judge(
    model: str,
    kept: Sequence[Judgement],
    audited: Sequence[Judgement],
    min_score: float,
) -> JudgeReport:
    """Compare the scores of records that the rules kept with those of records that they dropped.

    Agreement is Cohen's kappa between "the rules drop it" and "its score is under the threshold",
    with both groups weighted alike, since how many dropped ones are scored is the user's choice.

    Args:
        model: The judge.
        kept: Judgements of records that passed the rules.
        audited: Judgements of records that the rules dropped.
        min_score: The threshold.
    """
    return JudgeReport(
        model=model,
        judged=len(kept),
        means={
            name: _mean([judgement[place].score for judgement in kept])
            for place, name in enumerate(CRITERIA)
        },
        mean_score=_mean([judgement.score for judgement in kept]),
        audited=len(audited),
        audited_mean_score=_mean([judgement.score for judgement in audited]),
        kappa=_kappa(kept, audited, min_score),
    )


def _kappa(
    kept: Sequence[Judgement], audited: Sequence[Judgement], min_score: float
) -> float | None:
    if not kept or not audited:
        return None
    false_alarm = mean(judgement.score < min_score for judgement in kept)
    found = mean(judgement.score < min_score for judgement in audited)
    # Both groups weigh a half, so chance agrees half the time whatever the judge's strictness.
    return found - false_alarm


def _mean(values: Sequence[float]) -> float | None:
    return mean(values) if values else None
