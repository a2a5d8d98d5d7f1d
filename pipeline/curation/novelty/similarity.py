"""Find the nearest text by ROUGE-L F1 among many, exactly, without comparing with each.

An index holds texts as token ids and answers which of them has the highest F1 above a threshold.
The answer is the one of a loop over ``rouge_score``; five bounds, each of which only skips texts
that cannot reach the threshold, make it fast:

1. Lengths alone decide most pairs: a row of least LCS lengths, made by the float operations of
   ``rouge_score``, turns the float comparison into one of integers.
2. Prefix filter (AllPairs, PPJoin): LCS is at most the overlap of the two bags of tokens, so two
   repeats share one of each other's rarest elements. Only those are in posting lists.
3. Positions: the place of the first shared element bounds the overlap.
4. A 256-bit sketch of the bag bounds it again.
5. Bit-parallel LCS (Hyyrö 2004) on what is left: 64 tokens a machine word.

Rare means seen late: tokens get their numbers as they first appear, and common words appear early.
:meth:`SimilarityIndex.learn` does better by numbering the tokens of a known corpus by frequency.
The order changes the cost, never the answer.

Cost, all-in and single-threaded: 5,000 real English instructions 0.14 CPU-s, 25,000 1.1 CPU-s,
where a loop over ``rouge_score`` takes 330 and 7,700 (``benchmarks/novelty.py``); growth about
n^1.3. The compiled loops take 0.8 CPU-s to load with numba
itself, and 2.5 the first time on a machine. Plain Python would start sooner but be a second
implementation, to be proven alike for ever.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.novelty.index import Match

_Number = TypeVar("_Number", bound=np.generic)


class _Encoded(NamedTuple):
    tokens: NDArray[np.int32]
    ranked: NDArray[np.int32]
    """From the rarest to the commonest."""
    prefix: int
    least: NDArray[np.int32]
    sketch: NDArray[np.uint64]


class SimilarityIndex:
    """Texts of one language, as tokens, in the order in which they were added."""

    def __init__(self, threshold: float) -> None:
        """Make an empty index; the first one loads numba and the compiled loops.

        Args:
            threshold: F1 that a match must exceed.
        """
        from pipeline.curation.novelty import similarity_kernel

        self._kernel = similarity_kernel
        self._threshold = threshold
        self._numbers: dict[str, int] = {}
        self._ids: list[str] = []
        self._longest = 0
        self._searches = 0
        self._used_postings = 0
        self._heads = np.full(1024, -1, np.int32)
        self._slots = np.zeros(1024, np.int32)
        self._postings = np.empty((4096, 4), np.int32)
        self._stored = np.empty(8192, np.int32)
        self._starts = np.zeros(257, np.int64)
        self._sketches = np.empty((256, 4), np.uint64)
        self._stamps = np.zeros(256, np.int32)

    def learn(self, texts: Iterable[Sequence[str]]) -> None:
        """Number the tokens of a corpus by frequency, so that rare is known from the start."""
        counts = Counter(token for text in texts for token in text)
        for token, _ in counts.most_common():
            self._number(token)

    def nearest(self, tokens: Sequence[str]) -> Match | None:
        """Find the text with the highest F1 above the threshold, the earliest of equals."""
        if not tokens:
            return None
        query = self._encode(tokens)
        words = (len(tokens) + 63) // 64
        self._searches += 1
        best, f1 = self._kernel.search(
            *query[:3],
            query.least,
            query.sketch,
            self._searches,
            self._heads,
            self._postings,
            self._stored,
            self._starts,
            self._sketches,
            self._stamps,
            self._slots,
            np.empty((len(tokens) + 1, words), np.uint64),
            np.empty(words, np.uint64),
        )
        return Match(self._ids[best], float(f1)) if best >= 0 else None

    def add(self, text_id: str, tokens: Sequence[str]) -> None:
        """Insert a text; one without tokens is nobody's match, as in ``rouge_score``."""
        if not tokens:
            return
        text = self._encode(tokens)
        record, start = len(self._ids), int(self._starts[len(self._ids)])
        self._make_room(record, start + len(tokens), self._used_postings + text.prefix)
        self._ids.append(text_id)
        self._stored[start : start + len(tokens)] = text.tokens
        self._starts[record + 1] = start + len(tokens)
        self._sketches[record] = text.sketch
        self._longest = max(self._longest, len(tokens))
        self._used_postings = self._kernel.insert(
            record, text.ranked, text.prefix, self._used_postings, self._heads, self._postings
        )

    def _number(self, token: str) -> int:
        number = self._numbers.setdefault(token, len(self._numbers))
        if number >= len(self._heads):
            self._heads = _grown(self._heads, number + 1, -1)
            self._slots = _grown(self._slots, number + 1, 0)
        return number

    def _encode(self, tokens: Sequence[str]) -> _Encoded:
        numbers = [self._number(token) for token in tokens]
        ranked = np.array(sorted(numbers, reverse=True), np.int32)
        reachable = int(len(tokens) * (2 - self._threshold) / self._threshold) + 2
        least = np.empty(min(reachable, max(self._longest, len(tokens)) + 1), np.int32)
        prefix = self._kernel.tabulate_least(len(tokens), self._threshold, least)
        sketch = np.empty(4, np.uint64)
        self._kernel.sketch_elements(ranked, sketch)
        return _Encoded(np.array(numbers, np.int32), ranked, prefix, least, sketch)

    def _make_room(self, record: int, tokens: int, postings: int) -> None:
        if record >= len(self._stamps):
            self._starts = _grown(self._starts, record + 2, 0)
            self._sketches = _grown(self._sketches, record + 1, 0)
            self._stamps = _grown(self._stamps, record + 1, 0)
        if tokens > len(self._stored):
            self._stored = _grown(self._stored, tokens, 0)
        if postings > len(self._postings):
            self._postings = _grown(self._postings, postings, 0)


def _grown(array: NDArray[_Number], size: int, fill: int) -> NDArray[_Number]:
    """Copy into an array of at least ``size`` rows and twice as many as before."""
    rows = max(size, 2 * len(array))
    larger = np.full((rows, *array.shape[1:]), fill, array.dtype)
    larger[: len(array)] = array
    return larger
