"""The compiled loops that cut folded texts into tokens and look their n-grams up.

Importing this module loads numba, so it is imported when a protected set is first indexed. The
compiled code is kept beside the source, or in the user's cache folder where that is read-only.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.compiling import compiled

UInt8s = NDArray[np.uint8]
UInt32s = NDArray[np.uint32]
UInt64s = NDArray[np.uint64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

# Classes of characters: between tokens, part of one, one by itself, and not there at all.
GAP, LETTER, DIGIT, SYLLABLE, SKIPPED = 0, 1, 2, 3, 4

# The size that stands for a whole text in the keys.
WHOLE = 0


@compiled
def mix(value: np.uint64) -> np.uint64:
    """Spread the bits of a number (the finaliser of splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled
def append(value: np.uint64, code: int) -> np.uint64:
    """Hash one more character or token."""
    return value * np.uint64(0x9E3779B97F4A7C15) + np.uint64(code) + np.uint64(1)


@compiled
def cut(codes: UInt32s, classes: UInt8s, spans: Int32s, hashes: UInt64s) -> int:
    """Find the tokens of one text and return how many there are.

    Args:
        codes: Code points. Those of class ``SKIPPED`` are taken out, in place.
        classes: By code point.
        spans: ``(len(codes), 2)``; gets begin and end of each token in the remaining codes.
        hashes: ``(len(codes),)``; gets a hash of each token.
    """
    count, left = 0, 0
    inside = False
    value = np.uint64(0)
    for code in codes:
        kind = classes[code]
        if kind == SKIPPED:
            continue
        wordly = kind in (LETTER, DIGIT)
        # ㅋㅋㅋㅋ in one text is ㅋㅋ in another, and two texts that laugh alike share nothing.
        if kind == SYLLABLE and left > 1 and codes[left - 1] == code and codes[left - 2] == code:
            continue
        if kind != GAP:
            if not (inside and wordly):
                value = np.uint64(0)
                spans[count, 0] = left
                count += 1
            value = append(value, code)
            hashes[count - 1] = mix(value)
            spans[count - 1, 1] = left + 1
        inside = wordly
        codes[left] = code
        left += 1
    return count


@compiled
def squeeze(
    value: np.uint64, after_digit: bool, codes: UInt32s, classes: UInt8s, spans: Int32s
) -> tuple[np.uint64, bool]:
    """Continue the hash of a text without its gaps, but for those between two digits."""
    for token in range(len(spans)):
        begin, end = spans[token, 0], spans[token, 1]
        if after_digit and classes[codes[begin]] == DIGIT:
            value = append(value, 32)
        for place in range(begin, end):
            value = append(value, codes[place])
        after_digit = classes[codes[end - 1]] == DIGIT
    return value, after_digit


@compiled
def cut_all(
    codes: UInt32s, starts: Int64s, classes: UInt8s, spans: Int32s, hashes: UInt64s, bounds: Int64s
) -> None:
    """Find the tokens of texts that lie one after the other.

    Args:
        codes: Of all texts.
        starts: Where each text begins in ``codes``; one more than there are texts.
        classes: See :func:`cut`.
        spans: Tokens of all texts one after the other, counted from the start of their text.
        hashes: Of the same tokens.
        bounds: Gets where each text's tokens begin; one more than there are texts.
    """
    bounds[0] = 0
    for text in range(len(starts) - 1):
        first = bounds[text]
        own = codes[starts[text] : starts[text + 1]]
        bounds[text + 1] = first + cut(own, classes, spans[first:], hashes[first:])


@compiled
def seek(key: np.uint64, bitmap: UInt64s, keys: UInt64s) -> int:
    """Return the first place of a key among the sorted ones, -1 where it is not."""
    word = bitmap[(key >> np.uint64(6)) & np.uint64(len(bitmap) - 1)]
    if (word >> (key & np.uint64(63))) & np.uint64(1) == 0:
        return -1
    place = int(np.searchsorted(keys, key))
    return place if place < len(keys) and keys[place] == key else -1


@compiled
def emit(record: int, place: int, keys: UInt64s, owners: Int32s, pairs: Int64s, found: int) -> int:
    """Write a pair for each owner of a key; count those for which there is no room too."""
    key = keys[place]
    while place < len(keys) and keys[place] == key:
        if found < len(pairs):
            pairs[found, 0] = record
            pairs[found, 1] = owners[place]
        found += 1
        place += 1
    return found


@compiled
def size_key(value: np.uint64, size: int) -> np.uint64:
    """Tell n-grams of different sizes apart, and both from whole texts."""
    return mix(value + np.uint64(size) * np.uint64(0xD6E8FEB86659FD93))


@compiled
def roll(
    record: int,
    hashes: UInt64s,
    size: int,
    bitmap: UInt64s,
    keys: UInt64s,
    owners: Int32s,
    pairs: Int64s,
    found: int,
) -> int:
    """Look up all n-grams of one size, each in constant time."""
    weight = np.uint64(1)
    for _ in range(size):
        weight *= np.uint64(0x9E3779B97F4A7C15)
    value = np.uint64(0)
    for token in range(len(hashes)):
        value = value * np.uint64(0x9E3779B97F4A7C15) + hashes[token]
        if token >= size:
            value -= weight * hashes[token - size]
        if token >= size - 1:
            place = seek(size_key(value, size), bitmap, keys)
            if place >= 0:
                found = emit(record, place, keys, owners, pairs, found)
    return found


@compiled
def look_up(
    codes: UInt32s,
    starts: Int64s,
    classes: UInt8s,
    spans: Int32s,
    hashes: UInt64s,
    bounds: Int64s,
    task_sizes: Int64s,
    output_sizes: Int64s,
    bitmap: UInt64s,
    keys: UInt64s,
    owners: Int32s,
    pairs: Int64s,
) -> int:
    """Find which protected texts each record may hold; return how many pairs there are.

    Args:
        codes: See :func:`cut_all`; three texts a record: instruction, input and output.
        starts: See :func:`cut_all`.
        classes: See :func:`cut`.
        spans: See :func:`cut_all`.
        hashes: See :func:`cut_all`.
        bounds: See :func:`cut_all`.
        task_sizes: Of the n-grams that are looked up in instruction and input.
        output_sizes: Of those looked up in the output.
        bitmap: A bit for the lowest bits of each key, so that few others are searched for; its
            length is a power of two.
        keys: Of whole texts and n-grams, sorted.
        owners: The text of each key.
        pairs: Gets record and text, as many as there is room for. A pair may come repeatedly.
    """
    found = 0
    for record in range((len(starts) - 1) // 3):
        whole, after_digit = np.uint64(0), False
        for field in range(2):
            text = 3 * record + field
            own = codes[starts[text] : starts[text + 1]]
            tokens = spans[bounds[text] : bounds[text + 1]]
            whole, after_digit = squeeze(whole, after_digit, own, classes, tokens)
            alone, _ = squeeze(np.uint64(0), False, own, classes, tokens)
            for value in (whole, alone):
                place = seek(size_key(value, WHOLE), bitmap, keys)
                if place >= 0:
                    found = emit(record, place, keys, owners, pairs, found)
        task = hashes[bounds[3 * record] : bounds[3 * record + 2]]
        output = hashes[bounds[3 * record + 2] : bounds[3 * record + 3]]
        for size in task_sizes:
            found = roll(record, task, size, bitmap, keys, owners, pairs, found)
        for size in output_sizes:
            found = roll(record, output, size, bitmap, keys, owners, pairs, found)
    return found


@compiled
def list_grams(hashes: UInt64s, size: int, grams: UInt64s) -> None:
    """Name all n-grams of one size, as :func:`roll` does: ``grams`` is ``(tokens - size + 1,)``."""
    for begin in range(len(grams)):
        value = np.uint64(0)
        for token in range(begin, begin + size):
            value = value * np.uint64(0x9E3779B97F4A7C15) + hashes[token]
        grams[begin] = size_key(value, size)
