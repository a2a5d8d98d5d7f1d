"""Drop records whose whole text nearly equals that of an earlier one, keeping the first.

Compares instruction, input and output together by the Jaccard similarity of their character
n-grams: 5 for English; 3 for Korean, where a syllable carries more. datasketch's MinHash
(``affine32``, 128 permutations) and LSH propose candidates, and each is decided by its exact
Jaccard. 20 bands of 6 rows find 99.1 % of the pairs at 0.7, where datasketch's own choice for that
threshold, 14 bands of 9, finds 77 %; what they propose too much the exact check drops again.

Works on the whole set, because a cluster only shows there. Languages are never compared. Seed
tasks are not either: novelty has seen to their instructions. Cost: one hash a distinct n-gram and
one lookup a band, about 5,400 records a CPU-second, in proportion to the set.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple, cast

from pydantic import Field

from schemas.frozen import Frozen
from schemas.progress import Progress, no_progress
from schemas.records import (
    LANGUAGES,
    InstructionRecord,
    Language,
    Rejection,
    StageResult,
    to_draft,
)

_WHITE_SPACE = re.compile(r"\s+")
_NGRAM: dict[Language, int] = {"en": 5, "ko": 3}
_PERMUTATIONS, _BANDS, _ROWS = 128, 20, 6
_REPORT_EVERY = 1000


class NearDuplicatesConfig(Frozen):
    """How alike two records may be."""

    threshold: float = Field(default=0.7, ge=0.5, le=1)
    """Jaccard similarity of character n-grams (a fraction) from which a record is dropped. Lower
    drops more; below 0.6 the bands overlook a growing share of the pairs."""


class _Nearest(NamedTuple):
    record: InstructionRecord
    jaccard: float


def shingles(record: InstructionRecord) -> set[str]:
    """Cut a record's text into its distinct character n-grams; a shorter text is its only one."""
    text = f"{record.instruction}\n{record.input}\n{record.output}".casefold()
    text = _WHITE_SPACE.sub(" ", text)
    size = _NGRAM[record.language]
    return {text[start : start + size] for start in range(max(1, len(text) - size + 1))}


def jaccard(first: set[str], second: set[str]) -> float:
    """Share of the n-grams of either set that are in both."""
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def drop_near_duplicates(
    records: Sequence[InstructionRecord],
    config: NearDuplicatesConfig,
    progress: Progress = no_progress,
) -> StageResult:
    """Split records into survivors and near copies of an earlier survivor.

    Returns:
        Both halves in input order; a rejection names the survivor that is nearest, the earliest
        of equals, and the Jaccard similarity.
    """
    indexes = {language: _Index(config.threshold) for language in LANGUAGES}
    result = StageResult([], [])
    for done, record in enumerate(records, start=1):
        nearest = indexes[record.language].find_or_add(record)
        if nearest is None:
            result.kept.append(record)
        else:
            result.dropped.append(_reject(record, nearest))
        if done % _REPORT_EVERY == 0:
            progress(done, len(records), "near duplicates")
    return result


class _Index:
    """The survivors of one language."""

    def __init__(self, threshold: float) -> None:
        # Loads scipy with datasketch: 0.4 s that nobody needs who only reads the config.
        from datasketch import MinHash, MinHashLSH

        self._threshold = threshold
        self._survivors: list[InstructionRecord] = []
        self._empty = MinHash(num_perm=_PERMUTATIONS, scheme="affine32")
        self._bands = MinHashLSH(num_perm=_PERMUTATIONS, params=(_BANDS, _ROWS))

    def find_or_add(self, record: InstructionRecord) -> _Nearest | None:
        """Return the nearest survivor, or make the record one."""
        own = shingles(record)
        signature = self._empty.copy()
        signature.update_batch(shingle.encode() for shingle in own)
        best: _Nearest | None = None
        for ordinal in sorted(cast("list[int]", self._bands.query(signature))):
            survivor = self._survivors[ordinal]
            similarity = jaccard(own, shingles(survivor))
            if similarity >= self._threshold and (best is None or similarity > best.jaccard):
                best = _Nearest(survivor, similarity)
        if best is None:
            self._bands.insert(len(self._survivors), signature)
            self._survivors.append(record)
        return best


def _reject(record: InstructionRecord, nearest: _Nearest) -> Rejection:
    return Rejection(
        draft=to_draft(record),
        stage="near-duplicate",
        reason="near-duplicate",
        detail=f"{nearest.jaccard:.0%} of the text is that of: {nearest.record.instruction[:80]}",
        score=nearest.jaccard,
        collides_with=nearest.record.id,
    )
