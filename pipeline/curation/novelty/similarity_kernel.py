"""The compiled inner loops of the similarity index.

Importing this module loads numba, so it is imported when the first index is made. Each function
is compiled once a machine and kept beside the source, or in the user's cache folder where that is
read-only; where neither can be written it is compiled in memory.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from numpy.typing import NDArray

Int32s = NDArray[np.int32]
UInt64s = NDArray[np.uint64]

# Columns of the postings table.
RECORD, POSITION, OCCURRENCE, NEXT = 0, 1, 2, 3

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _compiled(function: _Function) -> _Function:
    try:
        return cast("_Function", njit(cache=True, error_model="numpy")(function))
    except RuntimeError:  # numba found no folder that it may write its cache to
        return cast("_Function", njit(error_model="numpy")(function))


@_compiled
def f1_of(common: int, first: int, second: int) -> float:
    """ROUGE-L F1 by the float64 operations of rouge_score, in their order.

    Nobody may simplify this: whether F1 = 7/10 comes out above 0.7 depends on the roundings of
    just these operations, and Alpaca's decision with it.
    """
    precision = common / first
    recall = common / second
    if precision + recall == 0.0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


@_compiled
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


@_compiled
def sketch_elements(ranked: Int32s, sketch: UInt64s) -> None:
    """Set one of 256 bits for each element: a token and how often it came before."""
    for word in range(4):
        sketch[word] = 0
    occurrence = 0
    for position in range(len(ranked)):
        repeated = position > 0 and ranked[position] == ranked[position - 1]
        occurrence = occurrence + 1 if repeated else 0
        bit = (ranked[position] * 40503 + occurrence * 30011) & 255
        sketch[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)


@_compiled
def differing_bits(first: UInt64s, second: UInt64s) -> int:
    """Count the bits that two sketches do not share; no two bags differ by fewer elements."""
    count = 0
    for word in range(4):
        bits = first[word] ^ second[word]
        while bits:
            bits &= bits - np.uint64(1)
            count += 1
    return count


@_compiled
def mark_positions(tokens: Int32s, slots: Int32s, masks: UInt64s) -> None:
    """Give each distinct token a row of ``masks`` whose bit ``i`` says ``tokens[i]`` is it.

    Args:
        tokens: The query.
        slots: By token its row; 0, a row without bits, for the tokens that the query lacks.
        masks: ``(distinct tokens + 1, words)``, overwritten.
    """
    words = masks.shape[1]
    rows = 1
    for position in range(len(tokens)):
        token = tokens[position]
        if slots[token] == 0:
            slots[token] = rows
            for word in range(words):
                masks[rows, word] = 0
            rows += 1
        masks[slots[token], position // 64 % words] |= np.uint64(1) << np.uint64(position & 63)


@_compiled
def common_length(length: int, other: Int32s, slots: Int32s, masks: UInt64s, free: UInt64s) -> int:
    """Find the LCS length, 64 tokens of the query at a time (Hyyrö 2004).

    Args:
        length: Tokens of the query that ``slots`` and ``masks`` describe.
        other: The text to compare it with.
        slots: See :func:`mark_positions`.
        masks: See :func:`mark_positions`.
        free: ``(words,)`` of scratch: a bit for each token of the query not yet in the LCS.
    """
    words = (length + 63) // 64
    for word in range(words):
        free[word] = ~np.uint64(0)
    for place in range(len(other)):
        row = slots[other[place]]
        if row == 0:
            continue
        carry = np.uint64(0)
        for word in range(words):
            matched = free[word] & masks[row, word]
            partial = free[word] + matched
            total = partial + carry
            carry = np.uint64(partial < matched or total < partial)
            free[word] = total | (free[word] & ~masks[row, word])
    common = 0
    for position in range(length):
        if (free[position // 64] >> np.uint64(position & 63)) & np.uint64(1) == 0:
            common += 1
    return common


@_compiled
def insert(  # one posting list entry for each element of the prefix
    record: int, ranked: Int32s, prefix: int, used: int, heads: Int32s, postings: Int32s
) -> int:
    """Put the rarest elements of a record at the heads of their lists; return postings used."""
    occurrence = 0
    for position in range(prefix):
        token = ranked[position]
        repeated = position > 0 and token == ranked[position - 1]
        occurrence = occurrence + 1 if repeated else 0
        postings[used, RECORD] = record
        postings[used, POSITION] = position
        postings[used, OCCURRENCE] = occurrence
        postings[used, NEXT] = heads[token]
        heads[token] = used
        used += 1
    return used


@_compiled
def search(  # noqa: C901 - one loop: a call for each posting would cost more than its work
    tokens: Int32s,
    ranked: Int32s,
    prefix: int,
    least: Int32s,
    sketch: UInt64s,
    stamp: int,
    heads: Int32s,
    postings: Int32s,
    stored: Int32s,
    starts: NDArray[np.int64],
    sketches: UInt64s,
    stamps: Int32s,
    slots: Int32s,
    masks: UInt64s,
    free: UInt64s,
) -> tuple[int, float]:
    """Find the record with the highest F1 above the threshold, the earliest of equals.

    Args:
        tokens: The query's token ids in order.
        ranked: The same from the rarest to the commonest.
        prefix: How many of ``ranked`` to look up.
        least: See :func:`tabulate_least`.
        sketch: See :func:`sketch_elements`.
        stamp: A number that no earlier search used; marks the records that were looked at.
        heads: By token its latest posting, -1 for none.
        postings: ``(postings, 4)``: record, position among its ranked elements, occurrence, next.
        stored: The token ids of all records, one after the other.
        starts: Where each record begins in ``stored``; one more than there are records.
        sketches: ``(records, 4)``.
        stamps: By record the stamp of the last search that looked at it.
        slots: By token 0 throughout; left so.
        masks: ``(len(tokens) + 1, words)`` of scratch.
        free: ``(words,)`` of scratch.

    Returns:
        Ordinal of the record, -1 for none, and the F1.
    """
    length = len(tokens)
    mark_positions(tokens, slots, masks)
    best, best_f1 = -1, 0.0
    occurrence = 0
    for position in range(prefix):
        token = ranked[position]
        repeated = position > 0 and token == ranked[position - 1]
        occurrence = occurrence + 1 if repeated else 0
        posting = heads[token]
        while posting >= 0:
            entry = posting
            posting = postings[entry, NEXT]
            record = postings[entry, RECORD]
            if postings[entry, OCCURRENCE] != occurrence or stamps[record] == stamp:
                continue
            stamps[record] = stamp
            other = int(starts[record + 1] - starts[record])
            if other >= len(least):
                continue
            # This is the rarest element they share, so no earlier one of either can be common.
            bound = min(length - position, other - postings[entry, POSITION])
            if bound < least[other]:
                continue
            if length + other - differing_bits(sketch, sketches[record]) < 2 * least[other]:
                continue
            text = stored[starts[record] : starts[record + 1]]
            common = common_length(length, text, slots, masks, free)
            if common >= least[other]:
                f1 = f1_of(common, length, other)
                if f1 > best_f1 or (f1 == best_f1 and record < best):
                    best, best_f1 = record, f1
    for place in range(length):
        slots[tokens[place]] = 0
    return best, best_f1
