"""Who stays of those that may be near copies: each dropped text is compared with the one it names.

Texts come best first. One stays unless its exact Jaccard similarity with a text that stayed before
reaches the threshold; only those that stay are entered in the bands. So no text is dropped over a
chain of copies of copies, two texts that stay are no copies of one another as far as the bands
tell, and a million copies of one text are a million comparisons, not half a billion.

Shingles are compared as 64 bits. For Korean these are the three characters themselves. For English
five do not fit, and two different shingles coincide with odds of 2^-64: 3e-8 for any one pair among
the million shingles of a megabyte of text, and even then the similarity moves by a millionth.

Cost: a comparison takes about 2 ns a character, and is spared where the numbers of shingles differ
too much. In proportion to the pairs that share a band with a text that stays. Memory: the code
points of those that stay among the contested, and of one chunk.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.near_duplicates.compiling import compiled
from pipeline.curation.near_duplicates.signatures import cut_into_blocks
from pipeline.curation.near_duplicates.texts import NGRAM, Int64s, UInt32s, fold_texts
from schemas.records import Language

Int32s = NDArray[np.int32]
UInt64s = NDArray[np.uint64]

_POINT_BITS = np.uint64(21)
_ODD = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


class Copy(NamedTuple):
    """A text that is a near copy of one that stays."""

    of: int
    """Place of that one."""
    jaccard: float


class _Shingles(NamedTuple):
    """The distinct shingles of one text as an open hash table; used anew for each text."""

    keys: UInt64s
    owners: Int64s
    """By slot the ordinal of the text that the key is of; a slot of another's is free."""
    seen: Int64s
    """By slot the last comparison that met the key."""


class _Stayed(NamedTuple):
    """The texts that stay, in the order in which they were decided."""

    heads: Int32s
    """``(bands, slots)``: the latest text of a bucket, -1 for none."""
    older: Int32s
    """``(bands, texts)``: the next older text of the bucket, -1 for none."""
    places: Int32s
    """Which of the queue each one is."""
    sizes: Int32s
    """Distinct shingles."""
    starts: Int64s
    stamps: Int32s
    """By text the last of the queue that was compared with it."""


def find_copies(
    texts: Sequence[str], keys: UInt32s, known: int, language: Language, threshold: float
) -> list[Copy | None]:
    """Decide texts in order; ``None`` for one that stays.

    Args:
        texts: Best first; the ``known`` ones come before all others.
        keys: Hashes of their bands, ``(bands, texts)``.
        known: So many texts stay in any case.
        language: Of all texts.
        threshold: Jaccard similarity from which a text is a copy, of the nearest that stays, the
            earliest of equals.
    """
    stayed = _make_room(len(keys), len(texts))
    points = np.empty(0, np.uint32)
    of, jaccards = np.full(len(texts), -1, np.int32), np.zeros(len(texts))
    comparisons = np.zeros(1, np.int64)
    count = 0
    for block in cut_into_blocks(texts):
        folded = fold_texts(texts[block])
        points = _grow(points, int(stayed.starts[count]) + len(folded.points))
        shingles = _make_table(int(np.diff(folded.starts).max()))
        count = _decide(
            block.start, folded.points, folded.starts, keys, known, NGRAM[language], threshold,
            shingles, comparisons, count, stayed, points, of, jaccards,
        )  # fmt: skip
    return [
        None if place < 0 else Copy(place, jaccard)
        for place, jaccard in zip(of.tolist(), jaccards.tolist(), strict=True)
    ]


def _make_room(bands: int, texts: int) -> _Stayed:
    slots = 1 << max(1, (2 * texts - 1).bit_length())
    return _Stayed(
        heads=np.full((bands, slots), -1, np.int32),
        older=np.empty((bands, texts), np.int32),
        places=np.empty(texts, np.int32),
        sizes=np.empty(texts, np.int32),
        starts=np.zeros(texts + 1, np.int64),
        stamps=np.full(texts, -1, np.int32),
    )


def _make_table(longest: int) -> _Shingles:
    slots = 1 << max(1, (2 * longest - 1).bit_length())
    return _Shingles(
        np.empty(slots, np.uint64), np.full(slots, -1, np.int64), np.full(slots, -1, np.int64)
    )


def _grow(points: UInt32s, needed: int) -> UInt32s:
    """Double the room until it is enough, so that growing costs a copy a text, all told."""
    if needed <= len(points):
        return points
    grown = np.empty(max(needed, 2 * len(points)), np.uint32)
    grown[: len(points)] = points
    return grown


@compiled
def _pack(text: UInt32s, place: int, size: int) -> np.uint64:
    """Make 64 bits of a shingle: one to one up to three characters, else by hashing."""
    # One is added so that no character is as none, for a text shorter than a shingle.
    first = np.uint64(0)
    for offset in range(min(size, 3)):
        first = (first << _POINT_BITS) | (np.uint64(text[place + offset]) + np.uint64(1))
    second = np.uint64(0)
    for offset in range(3, size):
        second = (second << _POINT_BITS) | (np.uint64(text[place + offset]) + np.uint64(1))
    first ^= first >> np.uint64(33)
    first *= _M1
    first ^= first >> np.uint64(33)
    first *= _M2
    first ^= first >> np.uint64(33)
    return first + second * _ODD


@compiled
def _find_slot(key: np.uint64, owner: int, mask: int, shingles: _Shingles) -> int:
    """Find the slot of a key, or the free one where it belongs."""
    slot = np.int64(key >> np.uint64(32)) & mask
    while shingles.owners[slot] == owner and shingles.keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@compiled
def _fill(text: UInt32s, ngram: int, owner: int, mask: int, shingles: _Shingles) -> int:
    """Enter the shingles of a text in the table; return how many are distinct."""
    size = min(ngram, len(text))
    distinct = 0
    for place in range(len(text) - size + 1):
        key = _pack(text, place, size)
        slot = _find_slot(key, owner, mask, shingles)
        if shingles.owners[slot] != owner:
            shingles.owners[slot] = owner
            shingles.keys[slot] = key
            distinct += 1
    return distinct


@compiled
def _count_common(
    text: UInt32s, ngram: int, owner: int, mask: int, shingles: _Shingles, comparison: int
) -> int:
    """Count the distinct shingles of a text that the one in the table has too."""
    size = min(ngram, len(text))
    common = 0
    for place in range(len(text) - size + 1):
        slot = _find_slot(_pack(text, place, size), owner, mask, shingles)
        if shingles.owners[slot] == owner and shingles.seen[slot] != comparison:
            shingles.seen[slot] = comparison
            common += 1
    return common


@compiled
def _find_bucket(key: np.uint32, band: int, keys: UInt32s, stayed: _Stayed) -> int:
    """Find the slot of a bucket, or the free one where it belongs."""
    mask = stayed.heads.shape[1] - 1
    slot = np.int64(key) & mask
    while (
        stayed.heads[band, slot] >= 0 and keys[band, stayed.places[stayed.heads[band, slot]]] != key
    ):
        slot = (slot + 1) & mask
    return slot


@compiled
def _find_nearest(
    query: int, size: int, ngram: int, threshold: float, mask: int, shingles: _Shingles,
    comparisons: Int64s, keys: UInt32s, stayed: _Stayed, points: UInt32s,
) -> tuple[int, float]:  # fmt: skip
    """Find the nearest text that stayed; the query's shingles are in the table."""
    best, best_jaccard = -1, 0.0
    for band in range(len(keys)):
        other = stayed.heads[band, _find_bucket(keys[band, query], band, keys, stayed)]
        while other >= 0:
            if stayed.stamps[other] != query:
                stayed.stamps[other] = query
                fewer = min(size, stayed.sizes[other])
                if fewer / max(size, stayed.sizes[other]) >= threshold:
                    comparisons[0] += 1
                    text = points[stayed.starts[other] : stayed.starts[other + 1]]
                    common = _count_common(text, ngram, query, mask, shingles, comparisons[0])
                    jaccard = common / (size + stayed.sizes[other] - common)
                    if jaccard >= threshold and (
                        jaccard > best_jaccard or (jaccard == best_jaccard and other < best)
                    ):
                        best, best_jaccard = other, jaccard
            other = stayed.older[band, other]
    return best, best_jaccard


@compiled
def _keep(
    query: int, text: UInt32s, count: int, keys: UInt32s, stayed: _Stayed, points: UInt32s
) -> None:
    stayed.places[count] = query
    start = stayed.starts[count]
    points[start : start + len(text)] = text
    stayed.starts[count + 1] = start + len(text)
    for band in range(len(keys)):
        slot = _find_bucket(keys[band, query], band, keys, stayed)
        stayed.older[band, count] = stayed.heads[band, slot]
        stayed.heads[band, slot] = count


@compiled
def _decide(
    first: int, texts: UInt32s, starts: Int64s, keys: UInt32s, known: int, ngram: int,
    threshold: float, shingles: _Shingles, comparisons: Int64s, count: int, stayed: _Stayed,
    points: UInt32s, of: Int32s, jaccards: NDArray[np.float64],
) -> int:  # fmt: skip
    """Decide one block, its first text being number ``first``; return how many stay by now."""
    for ordinal in range(len(starts) - 1):
        query = first + ordinal
        text = texts[starts[ordinal] : starts[ordinal + 1]]
        slots = 2
        while slots < 2 * len(text):
            slots *= 2
        size = _fill(text, ngram, query, slots - 1, shingles)
        best, jaccard = -1, 0.0
        if query >= known:
            best, jaccard = _find_nearest(
                query, size, ngram, threshold, slots - 1, shingles, comparisons, keys, stayed,
                points,
            )  # fmt: skip
        if best < 0:
            stayed.sizes[count] = size
            _keep(query, text, count, keys, stayed, points)
            count += 1
        else:
            of[query] = stayed.places[best]
            jaccards[query] = jaccard
    return count
