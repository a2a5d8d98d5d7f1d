"""The compiled loops that decide clusters, by the exact Jaccard similarity of distinct shingles.

Shingles are compared as 64 bits. Up to three characters, so all Korean ones, are packed one to one.
Five do not fit, so English ones are hashed, and two different ones coincide with odds of 2^-64:
3e-8 for any one pair among the million shingles of a megabyte of text, and even then the similarity
moves by a millionth.

Cost: about 2 ns a character for either text. The loops call each other and so share one file (see
:mod:`pipeline.curation.compiling`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.compiling import compiled
from pipeline.curation.near_duplicates.texts import Int64s, UInt32s

Int32s = NDArray[np.int32]
UInt64s = NDArray[np.uint64]

_POINT_BITS = np.uint64(21)
_ONE = np.uint64(1)
_MIX, _ODD = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0x9E3779B97F4A7C15)


class Shingles(NamedTuple):
    """The distinct shingles of one text as an open hash table; used anew for each text."""

    keys: UInt64s
    owners: Int64s
    """By slot the ordinal of the text that the key is of; a slot of another's is free."""
    seen: Int64s
    """By slot the last comparison that met the key."""
    scratch: UInt64s
    """As long as the longest text."""


class Copies(NamedTuple):
    """By text what it is a copy of."""

    of: Int32s
    """Number of a text that stays; -1 for one that stays itself."""
    jaccards: NDArray[np.float64]


class Stayed(NamedTuple):
    """The texts that stay, in the order in which they were decided."""

    heads: Int32s
    """By bucket the latest text, -1 for none."""
    older: Int32s
    """``(texts, bands)``: the next older text of the bucket, -1 for none."""
    places: Int32s
    """Which of all texts each one is."""
    sizes: Int32s
    """Distinct shingles."""
    stamps: Int32s
    """By text the last one that was compared with it."""
    points: UInt32s
    """Their code points; room for more behind them."""
    starts: Int64s


class Query(NamedTuple):
    """What one block of texts is asked."""

    first: int
    """Number of its first text."""
    known: int
    ngram: int
    threshold: float


def make_table(longest: int) -> Shingles:
    """Make room for texts of so many characters."""
    slots = 1 << max(1, (2 * longest - 1).bit_length())
    return Shingles(
        np.empty(slots, np.uint64),
        np.full(slots, -1, np.int64),
        np.full(slots, -1, np.int64),
        np.empty(max(1, longest), np.uint64),
    )


@compiled
def fill(text: UInt32s, ngram: int, owner: int, shingles: Shingles) -> int:
    """Make the table that of a text; return how many distinct shingles it has."""
    mask = _get_mask(len(text))
    distinct = 0
    for place in range(_pack(text, ngram, shingles.scratch)):
        key = shingles.scratch[place]
        slot = np.int64(key >> np.uint64(32)) & mask
        while shingles.owners[slot] == owner and shingles.keys[slot] != key:
            slot = (slot + 1) & mask
        if shingles.owners[slot] != owner:
            shingles.owners[slot] = owner
            shingles.keys[slot] = key
            distinct += 1
    return distinct


@compiled
def count_common(
    text: UInt32s,
    ngram: int,
    owner: int,
    length: int,
    shingles: Shingles,
    comparison: int,
    least: int,
) -> int:
    """Count the distinct shingles of a text that the one in the table has too.

    Args:
        text: The other text.
        ngram: Characters of a shingle.
        owner: Ordinal of the text in the table.
        length: Characters of the text in the table.
        shingles: The table.
        comparison: A number that no earlier call was given.
        least: Counting ends, with some lesser number, where so many cannot be reached.
    """
    mask = _get_mask(length)
    count = _pack(text, ngram, shingles.scratch)
    common = 0
    for place in range(count):
        key = shingles.scratch[place]
        slot = np.int64(key >> np.uint64(32)) & mask
        while shingles.owners[slot] == owner and shingles.keys[slot] != key:
            slot = (slot + 1) & mask
        if shingles.owners[slot] == owner and shingles.seen[slot] != comparison:
            shingles.seen[slot] = comparison
            common += 1
        elif common + count - place <= least:
            return common
    return common


@compiled
def _get_mask(length: int) -> int:
    """Use no more of the table than a text needs, so that it stays in the cache."""
    slots = 2
    while slots < 2 * length:
        slots *= 2
    return slots - 1


@compiled
def _pack(text: UInt32s, ngram: int, packed: UInt64s) -> int:
    """Make 64 bits of each shingle, and say how many there are."""
    size = min(ngram, len(text))
    count = len(text) - size + 1
    for place in range(count):
        packed[place] = 0
    # One is added so that no character is as none, for a text shorter than a shingle.
    for offset in range(min(size, 3)):
        for place in range(count):
            point = np.uint64(text[place + offset]) + _ONE
            packed[place] = (packed[place] << _POINT_BITS) | point
    for place in range(count):
        first = packed[place]
        first = (first ^ (first >> np.uint64(32))) * _MIX
        packed[place] = first ^ (first >> np.uint64(29))
    if size > 3:
        for place in range(count):
            second = np.uint64(text[place + 3]) + _ONE
            if size > 4:
                second = (second << _POINT_BITS) | (np.uint64(text[place + 4]) + _ONE)
            packed[place] += second * _ODD
    return count


@compiled
def decide(
    query: Query,
    texts: UInt32s,
    starts: Int64s,
    buckets: Int32s,
    shingles: Shingles,
    stayed: Stayed,
    count: int,
    found: Copies,
) -> int:
    """Decide one block of texts, see :mod:`clusters`; return how many stay by now."""
    for ordinal in range(len(starts) - 1):
        number = query.first + ordinal
        text = texts[starts[ordinal] : starts[ordinal + 1]]
        size = fill(text, query.ngram, number, shingles)
        best, jaccard = -1, 0.0
        if number >= query.known:
            best, jaccard = find_nearest(
                number, len(text), size, query, buckets[number], shingles, stayed
            )
        if best < 0:
            stayed.sizes[count] = size
            keep(number, text, buckets[number], stayed, count)
            count += 1
        else:
            found.of[number] = stayed.places[best]
            found.jaccards[number] = jaccard
    return count


@compiled
def find_nearest(
    number: int,
    length: int,
    size: int,
    query: Query,
    buckets: Int32s,
    shingles: Shingles,
    stayed: Stayed,
) -> tuple[int, float]:
    """Find the nearest text that stayed; the shingles of text ``number`` are in the table."""
    best, best_jaccard = -1, 0.0
    for band in range(len(buckets)):
        other = int(stayed.heads[buckets[band]]) if buckets[band] >= 0 else -1
        while other >= 0:
            if stayed.stamps[other] != number:
                stayed.stamps[other] = number
                jaccard = compare(number, length, size, query, shingles, stayed, other)
                if jaccard > best_jaccard or (jaccard == best_jaccard and other < best):
                    best, best_jaccard = other, jaccard
            other = int(stayed.older[other, band])
    return best, best_jaccard


@compiled
def compare(
    number: int,
    length: int,
    size: int,
    query: Query,
    shingles: Shingles,
    stayed: Stayed,
    other: int,
) -> float:
    """Compute the Jaccard similarity, or 0 where it is below the threshold."""
    other_size = stayed.sizes[other]
    if min(size, other_size) / max(size, other_size) < query.threshold:
        return 0.0
    text = stayed.points[stayed.starts[other] : stayed.starts[other + 1]]
    comparison = number * len(stayed.sizes) + other
    # One less than the threshold asks for, so that no rounding decides here.
    least = int(query.threshold / (1 + query.threshold) * (size + other_size)) - 1
    common = count_common(text, query.ngram, number, length, shingles, comparison, least)
    jaccard = common / (size + other_size - common)
    return jaccard if jaccard >= query.threshold else 0.0


@compiled
def keep(number: int, text: UInt32s, buckets: Int32s, stayed: Stayed, count: int) -> None:
    """Enter a text that stays in its buckets."""
    stayed.places[count] = number
    start = stayed.starts[count]
    stayed.points[start : start + len(text)] = text
    stayed.starts[count + 1] = start + len(text)
    for band in range(len(buckets)):
        if buckets[band] >= 0:
            stayed.older[count, band] = stayed.heads[buckets[band]]
            stayed.heads[buckets[band]] = count
