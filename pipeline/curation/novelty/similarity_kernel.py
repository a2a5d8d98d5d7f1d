"""The compiled loops of the similarity index; what they decide says :mod:`similarity`.

Importing this module loads numba, so it is imported when the first index is made. The loops call
each other and so share one file, longer than others (see :mod:`compiling`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.compiling import compiled

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]

NEW, BARRED, TWIN, REPEAT = 0, 1, 2, 3

# Places in the counters.
RECORDS, TOKENS, ENTRIES, LONGEST, SEARCHES = 0, 1, 2, 3, 4

# Posting lists are apart by the length of their records: a class for each two bits of the length.
CLASSES = 16
_LARGEST_BLOCK = 1024
_CLIPPED = 0xFFFF
_ALL = 0xFFFFFFFFFFFFFFFF


class Store(NamedTuple):
    """What an index holds; all arrays have room for more."""

    counters: Int64s
    tokens: Int32s
    """Those of all records, one after the other."""
    starts: Int64s
    """Where each record begins in ``tokens``; one more than there are records."""
    sketches: UInt64s
    """``(records, 4)``, see :func:`sketch_elements`."""
    stamps: Int64s
    """By record the last search that compared it."""
    owners: Int32s
    """By key the first record with it, or -1."""
    ranks: Int32s
    """By token how rare it is: higher is rarer, a permutation of the numbers."""
    heads: Int64s
    """By token and class the latest block of its posting list, or -1."""
    entries: Int64s
    """``(entries, 2)``: blocks, each a header (next block, entries used << 32 | its room) and then
    entries (record << 32 | length << 16 | position among the ranked, folded sketch)."""
    masks: UInt64s
    """By token 0 throughout: scratch for the longest common subsequence."""


class Scratch(NamedTuple):
    """Room for what is computed of one text."""

    order: Int64s
    """Its elements from the rarest to the commonest, see :func:`order_elements`."""
    least: Int32s
    """See :func:`tabulate_least`."""
    sketch: UInt64s
    """See :func:`sketch_elements`."""


class Verdicts(NamedTuple):
    """What became of each text."""

    kinds: NDArray[np.int8]
    """``NEW``, ``BARRED``, ``TWIN`` or ``REPEAT``."""
    others: Int32s
    """Record of the twin, or of the most similar one, the earliest of equals."""
    scores: NDArray[np.float64]


@compiled
def f1_of(common: int, first: int, second: int) -> float:
    """ROUGE-L F1 by the float64 operations of rouge_score, in their order.

    Nobody may simplify this: whether F1 = 7/10 comes out above 0.7 depends on the roundings of
    just these operations, and Alpaca's decision with it.
    """
    if first == 0 or second == 0:
        return 0.0
    precision = common / first
    recall = common / second
    if precision + recall == 0.0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


@compiled
def tabulate_least(length: int, threshold: float, least: Int32s) -> int:
    """Fill one row of the table of least LCS lengths, and say how long the prefix must be.

    Args:
        length: Tokens of the one text.
        threshold: F1 that must be exceeded.
        least: At ``n`` gets the least LCS length that makes a text of ``n`` tokens a repeat, more
            than either length where nothing does. Its size bounds the lengths looked at.

    Returns:
        Of the ``length`` elements, rarest first, as many as must be looked up to meet every
        possible repeat: two texts that share ``c`` elements share one among the first
        ``length - c + 1`` of each.
    """
    fewest = length + 1
    least[0] = length + 1
    for other in range(1, len(least)):
        common = max(1, int(threshold * (length + other) / 2) - 1)
        bound = min(length, other)
        while common <= bound and f1_of(common, length, other) <= threshold:
            common += 1
        least[other] = common
        if common <= bound and common < fewest:
            fewest = common
    return length - fewest + 1


@compiled
def class_of(length: int) -> int:
    """Class a length: 1, 2, 3, 4-5, 6-7, 8-11, 12-15, 16-23, 24-31, … and all from 256 on."""
    power, rest = 0, length
    while rest > 1:
        rest >>= 1
        power += 1
    if power == 0:
        return 0
    return min(CLASSES - 1, 2 * power - 1 + (length >> (power - 1) & 1))


@compiled
def shortest_of(klass: int) -> int:
    """Return the least length of a class."""
    if klass < 2:
        return klass + 1
    return (2 + (klass + 1) % 2) << ((klass + 1) // 2 - 1)


@compiled
def count_bits(bits: np.uint64) -> np.int64:
    """Count set bits; the compiler makes one instruction of it."""
    bits = bits - ((bits >> np.uint64(1)) & np.uint64(0x5555555555555555))
    bits = (bits & np.uint64(0x3333333333333333)) + (
        (bits >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def count_cleared(bits: np.uint64, length: int) -> int:
    """Count the bits that are not set among the lowest ``length``, up to 64."""
    return int(count_bits(~bits << np.uint64(64 - length))) if length else 0


@compiled
def order_elements(tokens: Int32s, ranks: Int32s, order: Int64s) -> None:
    """Fill ``order`` with the tokens in its low 32 bits, rarest first, equal ones side by side."""
    length = len(tokens)
    for place in range(length):
        rarity = np.int64(0x7FFFFFFF - ranks[tokens[place]])
        order[place] = rarity << 32 | tokens[place]
    if length > 64:
        order[:length] = np.sort(order[:length])
        return
    for place in range(1, length):
        element, hole = order[place], place
        while hole > 0 and order[hole - 1] > element:
            order[hole] = order[hole - 1]
            hole -= 1
        order[hole] = element


@compiled
def sketch_elements(order: Int64s, length: int, sketch: UInt64s) -> None:
    """Flip one of 256 bits for each element: a token and how often it came before.

    What two bags share cancels out, so no two differ by fewer elements than their sketches do by
    bits; nor by fewer than the sketches folded into one word.
    """
    sketch[:] = 0
    occurrence = 0
    for position in range(length):
        repeated = position > 0 and order[position] == order[position - 1]
        occurrence = occurrence + 1 if repeated else 0
        bit = ((order[position] & 0x7FFFFFFF) * 40503 + occurrence * 30011) & 255
        sketch[bit >> 6] ^= np.uint64(1) << np.uint64(bit & 63)


@compiled
def fold_sketch(sketch: UInt64s) -> np.uint64:
    """Make one word of four."""
    return sketch[0] ^ sketch[1] ^ sketch[2] ^ sketch[3]


@compiled
def mark_places(tokens: Int32s, masks: UInt64s) -> None:
    """Set bit ``i`` in the mask of each of up to 64 tokens where ``tokens[i]`` is it."""
    for place in range(len(tokens)):
        masks[tokens[place]] |= np.uint64(1) << np.uint64(place)


@compiled
def clear_places(tokens: Int32s, masks: UInt64s) -> None:
    """Undo :func:`mark_places`."""
    for place in range(len(tokens)):
        masks[tokens[place]] = 0


@compiled
def marked_common_length(length: int, other: Int32s, masks: UInt64s) -> int:
    """Find the LCS length with a text of up to 64 tokens that is marked (Hyyrö 2004)."""
    free = np.uint64(_ALL)
    for place in range(len(other)):
        mask = masks[other[place]]
        free = (free + (free & mask)) | (free & ~mask)
    return count_cleared(np.uint64(free), length)


@compiled
def common_length(first: Int32s, second: Int32s, masks: UInt64s) -> int:
    """Find the LCS length of texts of any length: the shorter in strips of 64 tokens.

    The additions of one strip hand their carries, one for each token of the other text, to the
    next. Equal texts, as they come in floods, are told apart at once.
    """
    if len(first) == len(second):
        place = 0
        while place < len(first) and first[place] == second[place]:
            place += 1
        if place == len(first):
            return place
    if len(first) > len(second):
        first, second = second, first
    carries = np.zeros(len(second), np.uint8)
    common = 0
    for start in range(0, len(first), 64):
        strip = first[start : start + 64]
        mark_places(strip, masks)
        free = np.uint64(_ALL)
        for place in range(len(second)):
            mask = masks[second[place]]
            matched = free & mask
            partial = free + matched
            total = partial + np.uint64(carries[place])
            carries[place] = np.uint8(partial < matched or total < partial)
            free = total | (free & ~mask)
        clear_places(strip, masks)
        common += count_cleared(np.uint64(free), len(strip))
    return common


@compiled
def post(record: int, length: int, prefix: int, scratch: Scratch, store: Store) -> None:
    """Enter a record into the lists of the distinct tokens of its prefix."""
    heads, entries, counters = store.heads, store.entries, store.counters
    folded = np.int64(fold_sketch(scratch.sketch))
    for position in range(prefix):
        element = scratch.order[position]
        if position > 0 and element == scratch.order[position - 1]:
            continue  # who shares the second occurrence shares the first
        head = (element & 0x7FFFFFFF) * CLASSES + class_of(length)
        block = heads[head]
        room = entries[block, 1] & 0xFFFFFFFF if block >= 0 else 0
        used = entries[block, 1] >> 32 if block >= 0 else 0
        if used == room:
            fresh = counters[ENTRIES]
            room, used = min(_LARGEST_BLOCK, 2 * room) if room else 2, 0
            entries[fresh, 0] = block
            heads[head] = block = fresh
            counters[ENTRIES] += room + 1
        place = block + 1 + used
        entries[place, 0] = (
            np.int64(record) << 32 | min(length, _CLIPPED) << 16 | min(position, _CLIPPED)
        )
        entries[place, 1] = folded
        entries[block, 1] = (used + 1) << 32 | room


@compiled
def describe(
    tokens: Int32s, threshold: float, reach: float, scratch: Scratch, store: Store
) -> tuple[int, int]:
    """Fill the scratch for a text; return its prefix and the size of the row of least lengths."""
    length = len(tokens)
    longest = max(store.counters[LONGEST], length)
    size = int(min(longest, length * reach + 1)) + 1
    order_elements(tokens, store.ranks, scratch.order)
    sketch_elements(scratch.order, length, scratch.sketch)
    return tabulate_least(length, threshold, scratch.least[:size]), size


@compiled
def search(  # noqa: C901 - one loop: a call for each posting would cost more than its work
    query: Int32s, prefix: int, size: int, scratch: Scratch, store: Store
) -> tuple[int, float]:
    """Find the record with the highest F1 above the threshold, the earliest of equals, or -1."""
    counters, tokens, starts, sketches, stamps, _, _, heads, entries, masks = store
    order, least, sketch = scratch
    length = len(query)
    folded = fold_sketch(sketch)
    counters[SEARCHES] += 1
    stamp = counters[SEARCHES]
    best, best_f1 = -1, 0.0
    if length <= 64:
        mark_places(query, masks)
    shortest = 1
    while shortest < size and least[shortest] > min(shortest, length):
        shortest += 1
    lowest, highest = class_of(shortest), class_of(size - 1)
    for position in range(prefix):
        if position > 0 and order[position] == order[position - 1]:
            continue
        # This is the rarest element they share, so no earlier one of either can be common.
        left = length - position
        if best >= 0 and f1_of(left, length, left) < best_f1:
            break
        for klass in range(lowest, highest + 1):
            if klass > lowest and left < least[shortest_of(klass)]:
                break
            block = heads[(order[position] & 0x7FFFFFFF) * CLASSES + klass]
            while block >= 0:
                first, last = block + 1, block + 1 + (entries[block, 1] >> 32)
                block = entries[block, 0]
                for entry in range(first, last):
                    packed = entries[entry, 0]
                    other = int((packed >> 16) & _CLIPPED)
                    if other == _CLIPPED:
                        record = int(packed >> 32)
                        other = int(starts[record + 1] - starts[record])
                    if other >= size:
                        continue
                    needed = least[other]
                    bound = min(left, other - (packed & _CLIPPED))
                    if bound < needed:
                        continue
                    slack = length + other - 2 * needed
                    if count_bits(folded ^ np.uint64(entries[entry, 1])) > slack:
                        continue
                    record = int(packed >> 32)
                    if stamps[record] == stamp:
                        continue
                    stamps[record] = stamp
                    differing = 0
                    for word in range(4):
                        differing += int(count_bits(sketch[word] ^ sketches[record, word]))
                    if differing > slack:
                        continue
                    if best >= 0:
                        bound = min(bound, (length + other - differing) // 2)
                        f1 = f1_of(bound, length, other)
                        if f1 < best_f1 or (f1 == best_f1 and record > best):
                            continue
                    text = tokens[starts[record] : starts[record + 1]]
                    if length <= 64:
                        common = marked_common_length(length, text, masks)
                    else:
                        common = common_length(query, text, masks)
                    if common >= needed:
                        f1 = f1_of(common, length, other)
                        if f1 > best_f1 or (f1 == best_f1 and record < best):
                            best, best_f1 = record, f1
    if length <= 64:
        clear_places(query, masks)
    return best, best_f1


@compiled
def keep(tokens: Int32s, key: int, prefix: int, scratch: Scratch, store: Store) -> None:
    """Make a described text a record."""
    counters = store.counters
    record, start = counters[RECORDS], counters[TOKENS]
    store.tokens[start : start + len(tokens)] = tokens
    store.starts[record + 1] = start + len(tokens)
    store.sketches[record] = scratch.sketch
    store.stamps[record] = 0
    if key >= 0 and store.owners[key] < 0:
        store.owners[key] = record
    counters[RECORDS] += 1
    counters[TOKENS] += len(tokens)
    counters[LONGEST] = max(counters[LONGEST], len(tokens))
    post(record, len(tokens), prefix, scratch, store)


@compiled
def sift(
    threshold: float,
    reach: float,
    tokens: Int32s,
    starts: Int64s,
    keys: Int32s,
    barred: NDArray[np.bool_],
    scratch: Scratch,
    store: Store,
    verdicts: Verdicts,
) -> None:
    """Judge texts one after the other and keep those that are new.

    Args:
        threshold: F1 that a repeat exceeds.
        reach: A repeat of a text has at most so many times its tokens.
        tokens: Those of all texts, one after the other.
        starts: Where each text begins in ``tokens``; one more than there are texts.
        keys: By text its key, or -1.
        barred: By text whether it may not be kept.
        scratch: Room for the longest of all texts and records.
        store: The index.
        verdicts: Overwritten; a row a text.
    """
    for row in range(len(keys)):
        key = keys[row]
        if key >= 0 and store.owners[key] >= 0:
            verdicts.kinds[row] = TWIN
            verdicts.others[row] = store.owners[key]
            verdicts.scores[row] = 1.0
            continue
        if barred[row]:
            verdicts.kinds[row] = BARRED
            continue
        text = tokens[starts[row] : starts[row + 1]]
        prefix, size = describe(text, threshold, reach, scratch, store)
        best, f1 = search(text, prefix, size, scratch, store)
        if best >= 0:
            verdicts.kinds[row] = REPEAT
            verdicts.others[row] = best
            verdicts.scores[row] = f1
        else:
            verdicts.kinds[row] = NEW
            keep(text, key, prefix, scratch, store)


@compiled
def add(
    threshold: float,
    reach: float,
    tokens: Int32s,
    starts: Int64s,
    keys: Int32s,
    scratch: Scratch,
    store: Store,
) -> None:
    """Keep texts, however similar they are; see :func:`sift`."""
    for row in range(len(keys)):
        text = tokens[starts[row] : starts[row + 1]]
        prefix, _ = describe(text, threshold, reach, scratch, store)
        keep(text, keys[row], prefix, scratch, store)


@compiled
def post_again(threshold: float, reach: float, scratch: Scratch, store: Store) -> None:
    """Make the posting lists anew, of all records and by new ranks."""
    store.heads[:] = -1
    store.counters[ENTRIES] = 0
    for record in range(store.counters[RECORDS]):
        start, stop = store.starts[record], store.starts[record + 1]
        prefix, _ = describe(store.tokens[start:stop], threshold, reach, scratch, store)
        store.sketches[record] = scratch.sketch
        post(record, stop - start, prefix, scratch, store)


@compiled
def compare_all(query: Int32s, store: Store, scores: NDArray[np.float64]) -> None:
    """Write the F1 of a text with each record."""
    length = len(query)
    if length <= 64:
        mark_places(query, store.masks)
    for record in range(len(scores)):
        other = store.tokens[store.starts[record] : store.starts[record + 1]]
        if length <= 64:
            common = marked_common_length(length, other, store.masks)
        else:
            common = common_length(query, other, store.masks)
        scores[record] = f1_of(common, length, len(other))
    if length <= 64:
        clear_places(query, store.masks)


@compiled
def common_bound(own: int, other: int, store: Store) -> int:
    """Return a number of tokens that two records' LCS does not exceed, by lengths and sketches."""
    starts, sketches = store.starts, store.sketches
    length, other_length = starts[own + 1] - starts[own], starts[other + 1] - starts[other]
    differing = 0
    for word in range(4):
        differing += int(count_bits(sketches[own, word] ^ sketches[other, word]))
    return max(0, min(length, other_length, (length + other_length - differing) // 2))


@compiled
def find_nearest(own: int, store: Store) -> tuple[int, float]:
    """Find the record with the highest F1 with a record, itself aside, the earliest of equals.

    All are looked at, and those compared in full that could be nearer than the best so far.
    """
    tokens, starts = store.tokens, store.starts
    query = tokens[starts[own] : starts[own + 1]]
    length = len(query)
    best, best_f1 = -1, -1.0
    if length <= 64:
        mark_places(query, store.masks)
    for record in range(store.counters[RECORDS]):
        other = starts[record + 1] - starts[record]
        if record == own or f1_of(min(length, other), length, other) <= best_f1:
            continue
        if f1_of(common_bound(own, record, store), length, other) <= best_f1:
            continue
        text = tokens[starts[record] : starts[record + 1]]
        if length <= 64:
            common = marked_common_length(length, text, store.masks)
        else:
            common = common_length(query, text, store.masks)
        f1 = f1_of(common, length, other)
        if f1 > best_f1:
            best, best_f1 = record, f1
    if length <= 64:
        clear_places(query, store.masks)
    return best, best_f1
