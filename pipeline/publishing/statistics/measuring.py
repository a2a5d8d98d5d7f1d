"""Measure the figures of a version.

Cost: a second for what the taggers load, two for the samples they read, and 0.4 for each 100,000
records (``benchmarks/statistics.py``). Nothing depends on the order of the records.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Literal, TypeVar

from pipeline.publishing.statistics.diversity import measure_diversity
from pipeline.publishing.statistics.figures import (
    Histogram,
    LanguageFigures,
    Lengths,
    Similarity,
    VersionStatistics,
)
from schemas.manifest import GenerationRun
from schemas.records import LANGUAGES, InstructionRecord, Language, Neighbour

_Number = TypeVar("_Number", int, float)

Column = Literal["instruction", "input", "output"]
COLUMNS: tuple[Column, ...] = ("instruction", "input", "output")

_HALF_STEP = 2**0.5
LENGTH_EDGES = tuple(2.0 ** (step // 2) * (_HALF_STEP if step % 2 else 1.0) for step in range(41))
"""Two bins for each doubling, from 1 to a million characters; the last takes longer ones too."""
SIMILARITY_EDGES = tuple(step / 20 for step in range(21))


def measure_version(
    kept: Sequence[InstructionRecord],
    nearest: Mapping[str, Neighbour],
    runs: Sequence[GenerationRun],
) -> VersionStatistics:
    """Measure lengths, kinds, diversity and similarity of the kept records by language."""
    languages: dict[Language, LanguageFigures] = {
        language: LanguageFigures(
            records=len(own),
            lengths=_measure_lengths(own),
            task_types=_count(record.provenance.task_type for record in own),
            strategies=_count(record.provenance.strategy for record in own),
            diversity=measure_diversity(own, language),
            similarity=_measure_similarity(own, nearest),
        )
        for language in LANGUAGES
        if (own := [record for record in kept if record.language == language])
    }
    return VersionStatistics(
        languages=languages, rounds=tuple(one for run in runs for one in run.rounds)
    )


def _measure_lengths(records: Sequence[InstructionRecord]) -> dict[Column, Lengths]:
    lengths: dict[Column, Lengths] = {}
    for column in COLUMNS:
        texts: Iterable[str] = (getattr(record, column) for record in records)
        found = sorted(len(text) for text in texts if text)
        if found:
            lengths[column] = Lengths(
                filled=len(found),
                shortest=found[0],
                p5=_quantile(found, 0.05),
                median=_quantile(found, 0.5),
                p95=_quantile(found, 0.95),
                longest=found[-1],
                histogram=_bin(found, LENGTH_EDGES),
            )
    return lengths


def _measure_similarity(
    records: Sequence[InstructionRecord], nearest: Mapping[str, Neighbour]
) -> Similarity | None:
    scores = sorted(nearest[record.id].score for record in records if record.id in nearest)
    if not scores:
        return None
    return Similarity(
        looked_at=len(scores),
        median=_quantile(scores, 0.5),
        p95=_quantile(scores, 0.95),
        histogram=_bin(scores, SIMILARITY_EDGES),
    )


def _quantile(ordered: Sequence[_Number], share: float) -> _Number:
    """Return the least value that so large a share does not exceed (nearest rank)."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _bin(values: Sequence[float], edges: Sequence[float]) -> Histogram:
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[min(bisect_right(edges, value), len(counts)) - 1] += 1
    return Histogram(edges=tuple(edges), counts=tuple(counts))


def _count(names: Iterable[str]) -> dict[str, int]:
    """Count names, the commonest first, ties by name."""
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))
