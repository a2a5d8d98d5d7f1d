"""Who stays of those that may be near copies: each dropped text is compared with the one it names.

Texts come best first. One stays unless its exact Jaccard similarity with a text that stayed before
reaches the threshold; only those that stay are entered in the bands. So no text is dropped over a
chain of copies of copies, two texts that stay are no copies of one another as far as the bands
tell, and a million copies of one text are a million comparisons, not half a billion.

Cost: a comparison takes about 2 ns a character, and is spared where the numbers of shingles differ
too much. In proportion to the pairs that share a band with a text that stays. Memory: the code
points of those that stay among the contested, and of one chunk.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.compiling import compiled
from pipeline.curation.near_duplicates.comparison import (
    Shingles,
    count_common,
    fill,
    make_table,
)
from pipeline.curation.near_duplicates.signatures import cut_into_blocks
from pipeline.curation.near_duplicates.texts import NGRAM, Int64s, UInt32s, fold_texts
from schemas.records import Language

Int32s = NDArray[np.int32]


class Copies(NamedTuple):
    """By text what it is a copy of."""

    of: Int32s
    """Number of a text that stays; -1 for one that stays itself."""
    jaccards: NDArray[np.float64]


class _Stayed(NamedTuple):
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


class _Query(NamedTuple):
    """What one block of texts is asked."""

    first: int
    """Number of its first text."""
    known: int
    ngram: int
    threshold: float


def find_copies(
    texts: Sequence[str], buckets: Int32s, known: int, language: Language, threshold: float
) -> Copies:
    """Decide texts in order.

    Args:
        texts: Best first; the ``known`` ones come before all others.
        buckets: ``(texts, bands)``, see :class:`~.bands.Contested`.
        known: So many texts stay in any case.
        language: Of all texts.
        threshold: Jaccard similarity from which a text is a copy, of the nearest that stays, the
            earliest of equals.
    """
    stayed = _make_room(buckets)
    shingles = make_table(0)
    found = Copies(np.full(len(texts), -1, np.int32), np.zeros(len(texts)))
    count = 0
    for block in cut_into_blocks(texts):
        folded = fold_texts(texts[block])
        stayed = _grow(stayed, int(stayed.starts[count]) + len(folded.points))
        longest = int(np.diff(folded.starts).max())
        if longest > len(shingles.scratch):
            shingles = make_table(longest)
        query = _Query(block.start, known, NGRAM[language], threshold)
        count = _decide(
            query, folded.points, folded.starts, buckets, shingles, stayed, count, found
        )
    return found


def _make_room(buckets: Int32s) -> _Stayed:
    texts = len(buckets)
    return _Stayed(
        heads=np.full(buckets.max(initial=-1) + 1, -1, np.int32),
        older=np.empty(buckets.shape, np.int32),
        places=np.empty(texts, np.int32),
        sizes=np.empty(texts, np.int32),
        stamps=np.full(texts, -1, np.int32),
        points=np.empty(0, np.uint32),
        starts=np.zeros(texts + 1, np.int64),
    )


def _grow(stayed: _Stayed, needed: int) -> _Stayed:
    """Double the room until it is enough, so that growing costs a copy a text, all told."""
    if needed <= len(stayed.points):
        return stayed
    grown = np.empty(max(needed, 2 * len(stayed.points)), np.uint32)
    grown[: len(stayed.points)] = stayed.points
    return stayed._replace(points=grown)


@compiled
def _decide(
    query: _Query,
    texts: UInt32s,
    starts: Int64s,
    buckets: Int32s,
    shingles: Shingles,
    stayed: _Stayed,
    count: int,
    found: Copies,
) -> int:
    """Decide one block; return how many stay by now."""
    for ordinal in range(len(starts) - 1):
        number = query.first + ordinal
        text = texts[starts[ordinal] : starts[ordinal + 1]]
        size = fill(text, query.ngram, number, shingles)
        best, jaccard = -1, 0.0
        if number >= query.known:
            best, jaccard = _find_nearest(
                number, len(text), size, query, buckets[number], shingles, stayed
            )
        if best < 0:
            stayed.sizes[count] = size
            _keep(number, text, buckets[number], stayed, count)
            count += 1
        else:
            found.of[number] = stayed.places[best]
            found.jaccards[number] = jaccard
    return count


@compiled
def _find_nearest(
    number: int,
    length: int,
    size: int,
    query: _Query,
    buckets: Int32s,
    shingles: Shingles,
    stayed: _Stayed,
) -> tuple[int, float]:
    """Find the nearest text that stayed; the shingles of text ``number`` are in the table."""
    best, best_jaccard = -1, 0.0
    for band in range(len(buckets)):
        other = int(stayed.heads[buckets[band]]) if buckets[band] >= 0 else -1
        while other >= 0:
            if stayed.stamps[other] != number:
                stayed.stamps[other] = number
                jaccard = _compare(number, length, size, query, shingles, stayed, other)
                if jaccard > best_jaccard or (jaccard == best_jaccard and other < best):
                    best, best_jaccard = other, jaccard
            other = int(stayed.older[other, band])
    return best, best_jaccard


@compiled
def _compare(
    number: int,
    length: int,
    size: int,
    query: _Query,
    shingles: Shingles,
    stayed: _Stayed,
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
def _keep(number: int, text: UInt32s, buckets: Int32s, stayed: _Stayed, count: int) -> None:
    stayed.places[count] = number
    start = stayed.starts[count]
    stayed.points[start : start + len(text)] = text
    stayed.starts[count + 1] = start + len(text)
    for band in range(len(buckets)):
        if buckets[band] >= 0:
            stayed.older[count, band] = stayed.heads[buckets[band]]
            stayed.heads[buckets[band]] = count
