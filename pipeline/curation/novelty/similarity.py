"""Find the nearest text by ROUGE-L F1 among many, exactly, without comparing with each.

An index holds texts as token ids and answers which of them has the highest F1 above a threshold.
The answer is the one of a loop over ``rouge_score``; six bounds, each of which only skips texts
that cannot reach the threshold or the best one so far, make it fast:

1. Lengths alone decide most pairs: a row of least LCS lengths, made by the float operations of
   ``rouge_score``, turns the float comparison into one of integers.
2. Prefix filter (AllPairs, Bayardo 2007; PPJoin, Xiao 2008): LCS is at most the overlap of the two
   bags of tokens, so two repeats share one of each other's rarest elements. Only those are in
   posting lists, which are apart by length, so that lists of impossible lengths are not read.
3. Positions: the place of the first shared element bounds the overlap, of a pair and, as the
   places go on, of all that are still to come.
4. A parity sketch of the bag bounds it again: 64 bits in the posting, 256 beside the record.
5. Bit-parallel LCS (Hyyrö 2004) on what is left: 64 tokens a machine word.
6. A candidate that met the threshold raises it for the next.

Rare means seldom in the corpus: each time the index has doubled, tokens are ranked anew by their
counts in it and in the texts at hand, and all is posted again, 2 µs a record. The order changes
the cost, never the answer. Whole batches are judged in one compiled call; a call for one text
takes the same way and costs 40 µs.

Cost, all-in and single-threaded (``benchmarks/novelty.py``): 25,000 real English instructions 0.21
CPU-s, where a loop over ``rouge_score`` takes 7,000; perturbed ones, of which most are new,
0.6 for 50,000, 4.5 for 200,000 and 76 for 1,000,000 with 0.9 GB, so n^1.5 to n^1.7: a vocabulary
that hardly grows makes the posting lists longer. Loading the compiled loops takes 0.6 CPU-s with
numba itself, and compiling them 12 the first time on a machine.

Tried and dropped, on 200,000 perturbed instructions that take 4.5 CPU-s: one list a token, not
apart by length, 5.4; position and sketch tested in one branch,
4.7; lists whose blocks grow fourfold, 4.8, in three times the room.

The elements can be any dense numbers, so :class:`SimilarityIndex` serves other measures of
sequences; what a token is lies in :mod:`tokens` alone.
"""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.novelty import similarity_kernel
from pipeline.curation.novelty.similarity_kernel import (
    CLASSES,
    ENTRIES,
    LONGEST,
    RECORDS,
    TOKENS,
    Scratch,
    Store,
    Verdicts,
)
from pipeline.curation.novelty.tokens import Rows

_Number = TypeVar("_Number", bound=np.generic)


class Records(NamedTuple):
    """The records of an index, as they are saved."""

    rows: Rows
    owners: NDArray[np.int32]
    """By key the first record with it, or -1."""


class SimilarityIndex:
    """Texts of one language, as tokens, in the order in which they were added."""

    def __init__(self, threshold: float) -> None:
        """Make an empty index; the first one loads numba and the compiled loops.

        Args:
            threshold: F1 that a repeat exceeds.
        """
        self._threshold = threshold
        # F1 = 2c / (m + n) with c at most m exceeds t only for n below m (2 - t) / t; one more
        # for what rounding may do.
        self._reach = (2 - threshold) / threshold + 1
        self._ranked_at = 0
        self._store = Store(
            counters=np.zeros(5, np.int64),
            tokens=np.empty(0, np.int32),
            starts=np.zeros(1, np.int64),
            sketches=np.empty((0, 4), np.uint64),
            stamps=np.empty(0, np.int64),
            owners=np.empty(0, np.int32),
            ranks=np.empty(0, np.int32),
            heads=np.empty(0, np.int64),
            entries=np.empty((0, 2), np.int64),
            masks=np.empty(0, np.uint64),
        )

    def __len__(self) -> int:
        """Count the records."""
        return int(self._store.counters[RECORDS])

    def sift(self, rows: Rows, keys: NDArray[np.int32], barred: NDArray[np.bool_]) -> Verdicts:
        """Judge texts one after the other; those that are new are known to the next ones.

        Args:
            rows: The texts; any numbers from 0 can be tokens, as long as they are dense.
            keys: By text the number of its key, or -1: a text whose key is known is a twin.
            barred: By text whether it can be no more than a twin.
        """
        scratch = self._make_room(rows, keys)
        verdicts = Verdicts(
            np.empty(len(keys), np.int8),
            np.zeros(len(keys), np.int32),
            np.zeros(len(keys), np.float64),
        )
        similarity_kernel.sift(
            self._threshold, self._reach, *rows, keys, barred, scratch, self._store, verdicts
        )
        return verdicts

    def add(self, rows: Rows, keys: NDArray[np.int32]) -> None:
        """Make texts known, however similar they are."""
        scratch = self._make_room(rows, keys)
        similarity_kernel.add(self._threshold, self._reach, *rows, keys, scratch, self._store)

    def compare_all(self, tokens: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the F1 of a text with each record."""
        self._make_room(Rows(tokens, np.zeros(1, np.int64)), np.empty(0, np.int32))
        scores = np.empty(len(self), np.float64)
        similarity_kernel.compare_all(tokens, self._store, scores)
        return scores

    def find_nearest(self, record: int) -> tuple[int, float]:
        """Find the other record with the highest F1, the earliest of equals; -1 for none."""
        return similarity_kernel.find_nearest(record, self._store)

    def export(self) -> Records:
        """Return what :meth:`restore` makes the same index of."""
        store = self._store
        rows = Rows(
            store.tokens[: store.counters[TOKENS]], store.starts[: store.counters[RECORDS] + 1]
        )
        return Records(rows, store.owners)

    def restore(self, records: Records) -> None:
        """Fill an empty index."""
        self.add(records.rows, np.full(len(records.rows.starts) - 1, -1, np.int32))
        self._store = self._store._replace(owners=records.owners)

    def _make_room(self, rows: Rows, keys: NDArray[np.int32]) -> Scratch:
        """Make room for texts, and rank the tokens again where there are many new ones."""
        tokens, starts = rows
        counters, store = self._store.counters, self._store
        records = len(self) + len(keys)
        vocabulary = max(len(store.ranks), int(tokens.max(initial=-1)) + 1)
        if vocabulary > len(store.ranks):
            ranks = _grown(store.ranks, vocabulary)
            ranks[len(store.ranks) :] = np.arange(len(store.ranks), len(ranks))
            store = store._replace(
                ranks=ranks,
                heads=_grown(store.heads, len(ranks) * CLASSES, -1),
                masks=_grown(store.masks, len(ranks)),
            )
        self._store = store._replace(
            tokens=_grown(store.tokens, int(counters[TOKENS]) + len(tokens)),
            starts=_grown(store.starts, records + 1),
            sketches=_grown(store.sketches, records),
            stamps=_grown(store.stamps, records),
            owners=_grown(store.owners, int(keys.max(initial=-1)) + 1, -1),
            # Of all, not of those at hand: one more entry may open a block of a thousand, and to
            # rank again makes other lists. A list of n entries takes at most 3n, see post().
            entries=_grown(
                store.entries,
                3 * (int(counters[TOKENS]) + len(tokens)),
                used=int(counters[ENTRIES]),
            ),
        )
        lengths = np.diff(starts)
        longest = max(int(counters[LONGEST]), int(lengths.max(initial=0)))
        counters[LONGEST] = longest
        scratch = Scratch(
            np.empty(longest, np.int64), np.empty(longest + 2, np.int32), np.empty(4, np.uint64)
        )
        if records >= 2 * self._ranked_at and len(keys):
            self._rank(tokens, scratch)
            self._ranked_at = records
        return scratch

    def _rank(self, tokens: NDArray[np.int32], scratch: Scratch) -> None:
        """Rank tokens by how often they come in records and in these, and post all again."""
        store = self._store
        counts = np.bincount(store.tokens[: store.counters[TOKENS]], minlength=len(store.ranks))
        counts += np.bincount(tokens, minlength=len(store.ranks))
        store.ranks[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        similarity_kernel.post_again(self._threshold, self._reach, scratch, store)


def _grown(
    array: NDArray[_Number], size: int, fill: int = 0, used: int | None = None
) -> NDArray[_Number]:
    """Copy the rows in use into an array of ``size`` rows or twice as many as now, if need be."""
    if size <= len(array):
        return array
    used = len(array) if used is None else used
    shape = (max(size, 2 * len(array)), *array.shape[1:])
    # Pages of zeros take memory when they are first written, and most room is never used.
    larger = np.full(shape, fill, array.dtype) if fill else np.zeros(shape, array.dtype)
    larger[:used] = array[:used]
    return larger
