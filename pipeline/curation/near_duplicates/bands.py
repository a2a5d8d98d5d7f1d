"""Which records may be near copies of one another: those that share a band of their signatures.

Locality-sensitive hashing (Mining of Massive Datasets, chapter 3): two texts of Jaccard similarity
``s`` share one of ``b`` bands of ``r`` rows with probability ``1 - (1 - s^r)^b``. The longest
bands are taken that find nine in ten pairs right at the threshold, where a pair is hardest to find:
at 0.7 that is 23 bands of 6 rows, 94.4 % there and 99.4 % of pairs spread evenly above it.
datasketch's own choice for 0.7, 14 bands of 9, weighs what is proposed in vain as much as what is
overlooked, and finds 44 % and 87 %; here an exact comparison follows, so only the overlooked
matter.

Tried and dropped: 25 bands of 5 rows find 99.9 %, but propose so many pairs of texts of one mould
that a million records took 10 CPU-s instead of 6. And entering the bands of kept records in hash
tables as they are decided, instead of numbering shared buckets first, took 3.8 CPU-s instead of
2.3: most bands are shared with nobody, and each look-up there misses the cache.

A band is kept as 32 bits of hash. Two that agree by chance, one pair of bands in four milliards,
propose a pair that the exact comparison then refuses. Cost: one look-up a band in a table of one
band at a time, which fits a processor's cache far longer than all of them would.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.compiling import compiled
from pipeline.curation.near_duplicates.signatures import (
    PERMUTATIONS,
    cut_into_blocks,
    hash_rows,
    sign,
)
from pipeline.curation.near_duplicates.texts import UInt32s
from schemas.records import Language

Int32s = NDArray[np.int32]

_RECALL_AT_THRESHOLD = 0.9

# What a slot of the table knows of its bucket.
_SEVERAL, _HAS_NEW = 1, 2


class Bands(NamedTuple):
    """How a signature is cut."""

    number: int
    rows: int


class Contested(NamedTuple):
    """The texts that may be near copies or have one."""

    places: NDArray[np.int64]
    """Ascending."""
    buckets: Int32s
    """``(places, bands)``: texts that share the band have the same number; -1 for none else."""


def choose_bands(threshold: float) -> Bands:
    """Choose the longest bands that overlook few enough pairs; longer ones propose less."""
    for rows in range(PERMUTATIONS, 1, -1):
        count = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** count >= _RECALL_AT_THRESHOLD:
            return Bands(count, rows)
    return Bands(PERMUTATIONS, 1)


def hash_bands(
    texts: Sequence[str],
    language: Language,
    bands: Bands,
    report: Callable[[int], None] = lambda done: None,
) -> UInt32s:
    """Compute a hash of each band of each text, ``(bands, texts)``.

    Args:
        texts: Texts of one language.
        language: Decides the length of a shingle.
        bands: See :func:`choose_bands`.
        report: Called with the number of texts done, after each block.
    """
    keys = np.empty((bands.number, len(texts)), np.uint32)
    for block in cut_into_blocks(texts):
        hash_rows(sign(texts[block], language), bands.rows, keys[:, block])
        report(block.stop)
    return keys


def find_contested(keys: UInt32s, known: int) -> Contested:
    """Find the texts that share a band with another, at least one of both being new.

    Args:
        keys: See :func:`hash_bands`.
        known: So many of the texts, the first ones, are known and stay in any case.
    """
    buckets = np.empty(keys.shape, np.int32)
    _number_buckets(keys, known, buckets)
    places = np.flatnonzero((buckets >= 0).any(axis=0))
    return Contested(places, np.ascontiguousarray(buckets[:, places].T))


@compiled
def _number_buckets(  # noqa: C901 - one loop: a call for each text would cost more than its work
    keys: UInt32s, known: int, buckets: Int32s
) -> None:
    """Number those of several texts, one of them new, from 0; -1 for all others."""
    texts = keys.shape[1]
    slots = 2
    while slots < 2 * texts:
        slots *= 2
    mask = np.int64(slots - 1)
    heads = np.empty(slots, np.int32)
    states = np.empty(slots, np.uint8)
    numbers = np.empty(slots, np.int32)
    taken = np.empty(texts, np.int32)
    count = 0
    for band in range(len(keys)):
        heads[:] = -1
        for text in range(texts):
            key = keys[band, text]
            slot = np.int64(key) & mask
            while heads[slot] >= 0 and keys[band, heads[slot]] != key:
                slot = (slot + 1) & mask
            if heads[slot] < 0:
                heads[slot] = text
                states[slot] = 0
                numbers[slot] = -1
            else:
                states[slot] |= _SEVERAL
            if text >= known:
                states[slot] |= _HAS_NEW
            taken[text] = slot
        for text in range(texts):
            slot = taken[text]
            if states[slot] == _SEVERAL | _HAS_NEW and numbers[slot] < 0:
                numbers[slot] = count
                count += 1
            buckets[band, text] = numbers[slot]
