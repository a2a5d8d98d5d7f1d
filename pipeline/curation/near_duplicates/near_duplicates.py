"""Drop records whose whole text nearly equals that of a better one.

Compares instruction, input and output together by the Jaccard similarity of their character
n-grams: 5 for English; 3 for Korean, where a syllable carries more. MinHash signatures, the very
ones that datasketch would compute (:mod:`.signatures`), and their bands (:mod:`.bands`) propose
pairs; each is decided by its exact Jaccard (:mod:`.clusters`). Of near copies the best one stays
(:mod:`.quality`), wherever it comes in the order.

Works on the whole set, because a cluster only shows there. Languages are never compared. Seed tasks
are not either: novelty has seen to their instructions. Records of earlier versions
(:mod:`.index`), or kept by other machines (:mod:`.sharing`), stay in any case.

Cost: in proportion to the characters, about 3 µs a record of 100, and to the pairs that share a
band with a record that stays.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field, SecretStr, field_validator

from pipeline.curation.near_duplicates.address import check_address
from pipeline.curation.near_duplicates.index import KnownTexts, NearDuplicateIndex
from pipeline.curation.near_duplicates.quality import assess
from schemas.frozen import Frozen
from schemas.progress import Progress, no_progress
from schemas.records import (
    LANGUAGES,
    InstructionRecord,
    Rejection,
    StageResult,
    to_draft,
)

if TYPE_CHECKING:
    from pipeline.curation.near_duplicates.sharing import SharedIndex

_SHOWN_CHARACTERS = 80


class NearDuplicatesConfig(Frozen):
    """How alike two records may be."""

    threshold: float = Field(default=0.7, ge=0.5, le=1)
    """Jaccard similarity of character n-grams (a fraction) from which a record is dropped. Lower
    drops more, and takes longer: below 0.6 many pairs are compared in vain."""
    storage: str | None = None
    """Redis where machines share what they kept, as ``redis://127.0.0.1:6379/0`` or ``rediss://``
    for TLS, without a password; unset compares within this run alone."""

    @field_validator("storage")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        return None if value is None else check_address(value)


class _Near(NamedTuple):
    """The record that another is a near copy of."""

    id: str
    text: str
    jaccard: float


def drop_near_duplicates(
    records: Sequence[InstructionRecord],
    config: NearDuplicatesConfig,
    known: NearDuplicateIndex | None = None,
    progress: Progress = no_progress,
    password: SecretStr | None = None,
) -> StageResult:
    """Split records into survivors and near copies of a better survivor or a known record.

    Args:
        records: In any order; it decides only between equally good ones.
        config: The threshold, and where machines share what they keep.
        known: Records that stay, indexed for the same threshold. Survivors are not added to it.
        progress: Called after each block of records.
        password: Of the Redis that the config names.

    Returns:
        Both halves in input order; a rejection names the nearest of the known records and the
        better survivors, the known and the best first among equals, and the Jaccard similarity.

    Raises:
        SharedIndexError: The Redis that the config names cannot be used.
    """
    if not records:
        return StageResult([], [])
    known = known or NearDuplicateIndex(config)
    with _open_shared_index(config, password) as shared:
        near: dict[int, _Near] = {}
        done = 0
        for language in LANGUAGES:
            places = [place for place, one in enumerate(records) if one.language == language]
            chosen = [records[place] for place in places]
            report = _offset(progress, done, len(records))
            found = _sift(chosen, known.get(language), shared, config, report)
            near |= {places[row]: one for row, one in found.items()}
            done += len(places)
    return StageResult(
        [record for place, record in enumerate(records) if place not in near],
        [_reject(record, near[place]) for place, record in enumerate(records) if place in near],
    )


def _open_shared_index(
    config: NearDuplicatesConfig, password: SecretStr | None
) -> AbstractContextManager["SharedIndex | None"]:
    if config.storage is None:
        return nullcontext()
    from pipeline.curation.near_duplicates.sharing import hold_shared_index

    return hold_shared_index(config.storage, config.threshold, password)


def _offset(progress: Progress, done: int, total: int) -> Callable[[int], None]:
    return lambda step: progress(done + step, total, "near duplicates")


def _sift(
    records: Sequence[InstructionRecord],
    known: KnownTexts,
    shared: "SharedIndex | None",
    config: NearDuplicatesConfig,
    report: Callable[[int], None],
) -> dict[int, _Near]:
    """Find, by place, the records of one language that are near copies."""
    if not records:
        return {}
    # Loads numba: half a second that nobody needs who only reads the config.
    from pipeline.curation.near_duplicates.bands import choose_bands, hash_bands
    from pipeline.curation.near_duplicates.texts import get_whole_text

    texts = [get_whole_text(record) for record in records]
    language, bands = records[0].language, choose_bands(config.threshold)
    pinned: frozenset[int] = frozenset()
    if shared is not None:
        found = shared.find(language, records, texts)
        pinned = found.own
        known = known.join(found.ids, found.texts, hash_bands(found.texts, language, bands))
    keys = hash_bands(texts, language, bands, report)
    everything = known.join([record.id for record in records], texts, keys)
    near = _decide(everything, records, pinned, config.threshold)
    if shared is not None:
        kept = [row for row in range(len(records)) if row not in near and row not in pinned]
        shared.add(language, [records[row] for row in kept], [texts[row] for row in kept])
    return near


def _decide(
    everything: KnownTexts,
    records: Sequence[InstructionRecord],
    pinned: frozenset[int],
    threshold: float,
) -> dict[int, _Near]:
    """Take the known first, then the pinned, then the best, then the earliest."""
    from pipeline.curation.near_duplicates.bands import find_contested
    from pipeline.curation.near_duplicates.clusters import find_copies

    first = len(everything.ids) - len(records)
    contested = find_contested(everything.keys, first)
    places: list[int] = contested.places.tolist()
    known = sum(place < first for place in places)
    rank = {
        row: (place - first in pinned, assess(records[place - first]))
        for row, place in enumerate(places[known:], start=known)
    }
    # Of equals the earlier one comes first in reverse, too.
    order = [*range(known), *sorted(rank, key=rank.__getitem__, reverse=True)]
    copies = find_copies(
        [everything.texts[places[row]] for row in order],
        contested.buckets[order],
        known,
        records[0].language,
        threshold,
    )
    near: dict[int, _Near] = {}
    for row, copied, jaccard in zip(
        order, copies.of.tolist(), copies.jaccards.tolist(), strict=True
    ):
        if copied >= 0:
            of = places[order[copied]]
            near[places[row] - first] = _Near(everything.ids[of], everything.texts[of], jaccard)
    return near


def _reject(record: InstructionRecord, near: _Near) -> Rejection:
    opening = near.text.split("\n", 1)[0][:_SHOWN_CHARACTERS]
    return Rejection(
        draft=to_draft(record),
        stage="near-duplicate",
        reason="near-duplicate",
        detail=f"{near.jaccard:.0%} of the text is that of: {opening}",
        score=near.jaccard,
        collides_with=near.id,
    )
