"""Find the most similar other task of each kept record, by novelty's own measure.

Unlike novelty, which asks whether anything exceeds a threshold, this asks for the best of all, and
for half of the records that is below. English records are held against all others, behind bounds
that skip those that cannot beat the best one so far, 12 ns a pair; Korean ones against those that
share one of their rarer stems, and against all where none of these is similar, 45 ns a pair. The
thresholds of novelty play no part.

Cost: quadratic in the records of a language until they reach the budget of pairs, then a fixed
number of pairs, and 16 µs (English) or 50 µs (Korean) to read a record. Beyond it the records with
the lowest ids are compared, which are hashes and so a fair sample (``benchmarks/statistics.py``).
"""

from collections.abc import Sequence
from heapq import nsmallest
from typing import Protocol

from pipeline.curation.novelty.index import Match, Task
from schemas.progress import Progress, no_progress
from schemas.records import LANGUAGES, InstructionRecord, Language, Neighbour, SeedTask

BUDGET: dict[Language, int] = {"en": 200_000_000, "ko": 60_000_000}
"""Pairs of a language that are compared at most, in about 2.5 CPU-s."""
_ONE_REPORT = 200
"""Records between two reports of progress."""


class _Index(Protocol):
    """What the indexes of both languages can do."""

    def add(self, tasks: Sequence[Task]) -> None: ...

    def find_nearest(self, row: int) -> Match | None: ...


def find_nearest(
    kept: Sequence[InstructionRecord],
    seeds: Sequence[SeedTask],
    progress: Progress = no_progress,
) -> dict[str, Neighbour]:
    """Find the nearest other record or seed task of each kept record, or of a fair sample of them.

    Args:
        kept: What curation has kept, in its order.
        seeds: What it was compared with; of equals they win, as they stand before the records.
        progress: Is told of each few hundred records.

    Returns:
        By id of the record, sorted. Records that are alone in their language are absent.
    """
    nearest: dict[str, Neighbour] = {}
    known: dict[Language, dict[str, Task]] = {
        language: _gather(kept, seeds, language) for language in LANGUAGES
    }
    samples: dict[Language, list[str]] = {
        language: _sample(kept, language, BUDGET[language] // max(1, len(tasks)))
        for language, tasks in known.items()
    }
    total = sum(map(len, samples.values()))
    done = 0
    for language, sample in samples.items():
        if not sample:
            continue
        index = _make_index(language)
        index.add(list(known[language].values()))
        places = {id_: place for place, id_ in enumerate(known[language])}
        for id_ in sample:
            match = index.find_nearest(places[id_])
            if match is not None:
                nearest[id_] = Neighbour(match.id, match.score)
            done += 1
            if done % _ONE_REPORT == 0 or done == total:
                progress(done, total, "nearest neighbours")
    return dict(sorted(nearest.items()))


def _gather(
    kept: Sequence[InstructionRecord], seeds: Sequence[SeedTask], language: Language
) -> dict[str, Task]:
    """Gather the tasks of a language by id, copies of a record once."""
    tasks: dict[str, Task] = {}
    for one in (*seeds, *kept):
        if one.language == language:
            tasks.setdefault(one.id, Task(one.id, one.instruction, b""))
    return tasks


def _sample(kept: Sequence[InstructionRecord], language: Language, most: int) -> list[str]:
    ids = {record.id for record in kept if record.language == language}
    return nsmallest(max(1, most), ids)


def _make_index(language: Language) -> _Index:
    # Loads numpy and numba.
    if language == "ko":
        from pipeline.curation.novelty.korean_index import KoreanIndex

        # Whatever is nearer than this is found without a look at all; lower finds more of them,
        # and looks at more for each.
        return KoreanIndex(0.15)
    from pipeline.curation.novelty.token_index import TokenIndex

    return TokenIndex(0.7, "en")
