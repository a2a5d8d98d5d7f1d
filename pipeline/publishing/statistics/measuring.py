"""Measure the figures of a version."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.publishing.statistics.figures import LanguageFigures, VersionStatistics
from schemas.manifest import GenerationRun
from schemas.records import LANGUAGES, InstructionRecord, Neighbour


def measure_version(
    kept: Sequence[InstructionRecord],
    nearest: Mapping[str, Neighbour],
    runs: Sequence[GenerationRun],
) -> VersionStatistics:
    """Measure lengths, kinds, diversity and similarity of the kept records by language."""
    languages = {
        language: LanguageFigures(
            records=len(own),
            lengths={},
            task_types=dict(Counter(one.provenance.task_type for one in own).most_common()),
            strategies=dict(Counter(one.provenance.strategy for one in own).most_common()),
            diversity=None,
            similarity=None,
        )
        for language in LANGUAGES
        if (own := [record for record in kept if record.language == language])
    }
    return VersionStatistics(
        languages=languages, rounds=tuple(one for run in runs for one in run.rounds)
    )
