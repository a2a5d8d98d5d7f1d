"""How alike two texts are: the exact Jaccard similarity of their distinct shingles.

Shingles are compared as 64 bits. Up to three characters, so all Korean ones, are packed one to one.
Five do not fit, so English ones are hashed, and two different ones coincide with odds of 2^-64:
3e-8 for any one pair among the million shingles of a megabyte of text, and even then the similarity
moves by a millionth.

Cost: about 2 ns a character for either text.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.compiling import compiled
from pipeline.curation.near_duplicates.texts import Int64s, UInt32s

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
