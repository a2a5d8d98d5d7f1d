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

import numpy as np

from pipeline.curation.near_duplicates.cluster_kernel import (
    Copies,
    Int32s,
    Query,
    Stayed,
    decide,
    make_table,
)
from pipeline.curation.near_duplicates.signatures import cut_into_blocks
from pipeline.curation.near_duplicates.texts import NGRAM, fold_texts
from schemas.records import Language


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
        query = Query(block.start, known, NGRAM[language], threshold)
        count = decide(query, folded.points, folded.starts, buckets, shingles, stayed, count, found)
    return found


def _make_room(buckets: Int32s) -> Stayed:
    texts = len(buckets)
    return Stayed(
        heads=np.full(buckets.max(initial=-1) + 1, -1, np.int32),
        older=np.empty(buckets.shape, np.int32),
        places=np.empty(texts, np.int32),
        sizes=np.empty(texts, np.int32),
        stamps=np.full(texts, -1, np.int32),
        points=np.empty(0, np.uint32),
        starts=np.zeros(texts + 1, np.int64),
    )


def _grow(stayed: Stayed, needed: int) -> Stayed:
    """Double the room until it is enough, so that growing costs a copy a text, all told."""
    if needed <= len(stayed.points):
        return stayed
    grown = np.empty(max(needed, 2 * len(stayed.points)), np.uint32)
    grown[: len(stayed.points)] = stayed.points
    return stayed._replace(points=grown)
