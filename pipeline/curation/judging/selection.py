"""Choose among judged records: by threshold, by difficulty, and the best share of each language."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipeline.curation.judging.config import JudgeConfig
from schemas.judgements import CRITERIA, Assessment, Judgement
from schemas.records import (
    LANGUAGES,
    InstructionRecord,
    Reason,
    Rejection,
    StageResult,
    to_draft,
)

_NOTHING = Assessment()


class _Fault(NamedTuple):
    reason: Reason
    detail: str
    score: float | None


def select(
    records: Sequence[InstructionRecord],
    assessments: Mapping[str, Assessment],
    config: JudgeConfig,
) -> StageResult:
    """Split records by what was found of them, by record id.

    Returns:
        Both halves in input order. Of records with equal scores the earlier ones are in the top
        share.
    """
    faults = {
        place: fault
        for place, record in enumerate(records)
        if (fault := _find_fault(assessments.get(record.id, _NOTHING), config)) is not None
    }
    if config.model is not None and config.top_share < 1:
        faults |= _find_outside(records, assessments, config, faults)
    return StageResult(
        [record for place, record in enumerate(records) if place not in faults],
        [_reject(records[place], fault) for place, fault in sorted(faults.items())],
    )


def _find_fault(assessment: Assessment, config: JudgeConfig) -> _Fault | None:
    judgement, difficulty = assessment
    if config.model is not None:
        if judgement is None:
            return _Fault("not-judged", f"{config.model} gave no scores, asked again too", None)
        if judgement.score < config.min_score:
            return _Fault("low-score", _describe(judgement), judgement.score)
    if difficulty is not None and not (
        config.min_difficulty <= difficulty <= config.max_difficulty
    ):
        detail = (
            f"difficulty {difficulty:.2f}, outside {config.min_difficulty} to "
            f"{config.max_difficulty}"
        )
        # Rounded, because rejections are hashed and the last digits depend on the processor.
        return _Fault("outside-difficulty", detail, round(difficulty, 2))
    return None


def _find_outside(
    records: Sequence[InstructionRecord],
    assessments: Mapping[str, Assessment],
    config: JudgeConfig,
    dropped: Mapping[int, _Fault],
) -> dict[int, _Fault]:
    """Find what is behind the best share of each language."""
    outside: dict[int, _Fault] = {}
    for language in LANGUAGES:
        ranked: list[tuple[float, int, Judgement]] = []
        for place, record in enumerate(records):
            judgement = assessments.get(record.id, _NOTHING).judgement
            if record.language == language and place not in dropped and judgement is not None:
                ranked.append((-judgement.score, place, judgement))
        ranked.sort()
        # Inside, because 0.1 of 30 is 3.0000000000000004 in binary.
        best = math.ceil(round(config.top_share * len(ranked), 9))
        for rank, (_, place, judgement) in enumerate(ranked[best:], start=best + 1):
            detail = f"rank {rank} of {len(ranked)}, best {best} kept; {_describe(judgement)}"
            outside[place] = _Fault("outside-top-share", detail, judgement.score)
    return outside


def _describe(judgement: Judgement) -> str:
    named = zip(CRITERIA, judgement, strict=True)
    grades = ", ".join(f"{name} {grade.score}" for name, grade in named)
    worst = min(judgement, key=lambda grade: grade.score)
    reason = f": {worst.reason}" if worst.reason else ""
    return f"{judgement.score:.2f} of 5 ({grades}){reason}"


def _reject(record: InstructionRecord, fault: _Fault) -> Rejection:
    return Rejection(draft=to_draft(record), stage="judge", **fault._asdict())
