"""What happened to the drafts, counted for people: the numbers of the card and of the manifest.

Cost: one pass over records and rejections.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from schemas.records import LANGUAGES, STAGES, InstructionRecord, Language, Reason, Rejection, Stage


class FunnelStep(NamedTuple):
    """One stage: what it dropped and what went on."""

    stage: Stage
    dropped: dict[Language, int]
    remaining: dict[Language, int]

    @property
    def dropped_count(self) -> int:
        """Drafts of all languages that it dropped."""
        return sum(self.dropped.values())


def count_funnel(
    kept: Sequence[InstructionRecord], rejected: Sequence[Rejection]
) -> list[FunnelStep]:
    """Count per stage and language; the last step's remaining are the kept records."""
    counts: Counter[tuple[Stage, Language]] = Counter(
        (rejection.stage, rejection.draft.language) for rejection in rejected
    )
    remaining = count_languages(kept)
    for (_, language), number in counts.items():
        remaining[language] += number
    steps: list[FunnelStep] = []
    for stage in STAGES:
        dropped: dict[Language, int] = {language: counts[stage, language] for language in LANGUAGES}
        # A new one: the step before keeps its own.
        remaining = remaining.copy()
        for language, number in dropped.items():
            remaining[language] -= number
        steps.append(FunnelStep(stage, dropped, remaining))
    return steps


def count_reasons(rejected: Sequence[Rejection]) -> dict[Reason, int]:
    """Count rejections by reason, the commonest first, ties by name."""
    counts: Counter[Reason] = Counter(rejection.reason for rejection in rejected)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def count_reasons_by_language(rejected: Sequence[Rejection]) -> dict[Language, dict[Reason, int]]:
    """Count rejections by language asked for and reason."""
    return {
        language: count_reasons([one for one in rejected if one.draft.language == language])
        for language in LANGUAGES
    }


def count_languages(kept: Sequence[InstructionRecord]) -> dict[Language, int]:
    """Count kept records by language."""
    counts: Counter[Language] = Counter(record.language for record in kept)
    return {language: counts[language] for language in LANGUAGES}
