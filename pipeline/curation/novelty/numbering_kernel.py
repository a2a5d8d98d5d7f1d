"""The compiled loops that cut texts into tokens and number them.

Importing this module loads numba, so it is imported when the first index is made. A text is an
array of units: bytes, or code points as uint32. What a unit is to a token says a table of classes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.compiling import compiled

Units = NDArray[np.uint8 | np.uint32]

# Classes of units.
SEPARATOR, LETTER, ALONE, UNKNOWN = 0, 1, 2, 3


class Spellings(NamedTuple):
    """The distinct tokens, by number, and a hash table over them."""

    units: Units
    """Those of all tokens, one after the other, and room for more."""
    starts: NDArray[np.int64]
    """Where each token begins in ``units``; one more than there are tokens, and room for more."""
    hashes: NDArray[np.uint64]
    slots: NDArray[np.int32]
    """Open addressing, linear probing; -1 is free. At most half are taken; a power of two."""


@compiled
def find_unknown(units: Units, classes: NDArray[np.uint8]) -> Units:
    """List the distinct units of no known class, and class them as separators for now."""
    unknown = np.empty(len(units), units.dtype)
    count = 0
    for place in range(len(units)):
        if classes[units[place]] == UNKNOWN:
            classes[units[place]] = SEPARATOR
            unknown[count] = units[place]
            count += 1
    return unknown[:count].copy()


@compiled
def number_token(
    units: Units, start: int, stop: int, value: np.uint64, spellings: Spellings, count: int
) -> int:
    """Return the number of a token, ``count`` where it is a new one; there must be room for it.

    Args:
        units: Where it stands.
        start: From here.
        stop: To here.
        value: Its hash, which only says where to look.
        spellings: The tokens known before.
        count: How many they are.
    """
    known, starts, hashes, slots = spellings
    last = len(slots) - 1
    slot = np.int64(value & np.uint64(last))
    while slots[slot] >= 0:
        number = slots[slot]
        first = starts[number]
        if hashes[number] == value and starts[number + 1] - first == stop - start:
            place = start
            while place < stop and known[first + place - start] == units[place]:
                place += 1
            if place == stop:
                return number
        slot = (slot + 1) & last
    first = starts[count]
    for place in range(start, stop):
        known[first + place - start] = units[place]
    starts[count + 1] = first + stop - start
    hashes[count] = value
    slots[slot] = count
    return count


@compiled
def lacks_room(spellings: Spellings, count: int, length: int) -> bool:
    """Say whether there is no room for one more token of so many units."""
    return (
        count >= len(spellings.hashes)
        or 2 * count + 2 > len(spellings.slots)
        or spellings.starts[count] + length > len(spellings.units)
    )


@compiled
def make_room(spellings: Spellings, count: int, length: int) -> Spellings:
    """Return spellings with room for one more token of so many units."""
    units, starts, hashes, slots = spellings
    used = starts[count]
    if used + length > len(units):
        units = np.empty(2 * (used + length), spellings.units.dtype)
        units[:used] = spellings.units[:used]
    if count >= len(hashes):
        starts = np.empty(2 * count + 2, np.int64)
        starts[: count + 1] = spellings.starts[: count + 1]
        hashes = np.empty(2 * count + 1, np.uint64)
        hashes[:count] = spellings.hashes[:count]
    if 2 * count + 2 > len(slots):
        last = 2 * len(slots) - 1
        slots = np.full(last + 1, -1, np.int32)
        for number in range(count):
            slot = np.int64(hashes[number] & np.uint64(last))
            while slots[slot] >= 0:
                slot = (slot + 1) & last
            slots[slot] = number
    return Spellings(units, starts, hashes, slots)


@compiled
def number_texts(
    units: Units,
    ends: NDArray[np.int64],
    classes: NDArray[np.uint8],
    spellings: Spellings,
    count: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64], Spellings, int]:
    """Cut texts into tokens and give equal tokens equal numbers, from 0 in order of appearance.

    Args:
        units: Those of all texts, one after the other.
        ends: Where each text ends in ``units``.
        classes: By unit: ``LETTER`` s in a row are one token, each ``ALONE`` is one.
        spellings: The tokens known before; overwritten, of no use afterwards.
        count: How many tokens are known.

    Returns:
        Numbers of all tokens; ``(texts + 1,)`` where each text begins among them; the tokens known
        now and their count.
    """
    numbers = np.empty(len(units), np.int32)
    starts = np.zeros(len(ends) + 1, np.int64)
    used = place = 0
    for text in range(len(ends)):
        end = ends[text]
        while place < end:
            kind = classes[units[place]]
            if kind == SEPARATOR:
                place += 1
                continue
            start = place
            value = np.uint64(0xCBF29CE484222325)
            while place < end and (place == start or classes[units[place]] == LETTER):
                value = (value ^ np.uint64(units[place])) * np.uint64(0x100000001B3)
                place += 1
                if kind == ALONE:
                    break
            value ^= value >> np.uint64(29)
            if lacks_room(spellings, count, place - start):
                spellings = make_room(spellings, count, place - start)
            numbers[used] = number_token(units, start, place, value, spellings, count)
            count = max(count, numbers[used] + 1)
            used += 1
        starts[text + 1] = used
    return numbers[:used].copy(), starts, spellings, count
