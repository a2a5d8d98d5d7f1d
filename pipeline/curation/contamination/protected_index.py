"""Find, for many records at once, which protected texts each may hold.

Whole texts and their n-grams are kept as sorted 64-bit hashes, so a record costs one look at a
bitmap for each of its n-grams, whatever the size of the protected set. What comes back are
candidates: a hash decides nothing, :mod:`pipeline.curation.contamination.overlap` compares the
words.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.contamination import token_kernel
from pipeline.curation.contamination.overlap import Measure, anchor_size
from pipeline.curation.contamination.texts import Cut, CutText, cut

# An n-gram of more texts than that is how such tasks are put, not what one of them asks.
_MOST_OWNERS = 16


class Candidate(NamedTuple):
    """A record and a protected text that it may hold, by their ordinals."""

    record: int
    text: int


class ProtectedIndex:
    """The texts of a protected set."""

    def __init__(self, texts: Sequence[str], measures: tuple[Measure, ...]) -> None:
        """Cut the texts; those without a letter or digit are nobody's match."""
        parts = cut(texts)
        self.texts: list[CutText] = [parts.read(ordinal) for ordinal in range(len(texts))]
        sizes = [anchor_size(text, measures) for text in self.texts]
        whole = [len(text.tokens) for text in self.texts]
        self._task_sizes = np.array(sorted(set(sizes) - {0}), np.int64)
        # A text of one n-gram or less is not looked for in outputs, see overlap.py.
        longer = {size for size, length in zip(sizes, whole, strict=True) if length > size}
        self._output_sizes = np.array(sorted(longer - {0}), np.int64)
        self._keys, self._owners = _collect(parts, self.texts, sizes)
        self._bitmap = _map_bits(self._keys)

    def find(self, fields: Cut) -> list[Candidate]:
        """List candidates by record and text; ``fields`` holds three texts a record."""
        room = 4096
        while True:
            pairs = np.empty((room, 2), np.int64)
            found = token_kernel.look_up(
                *fields,
                self._task_sizes,
                self._output_sizes,
                self._bitmap,
                self._keys,
                self._owners,
                pairs,
            )
            if found <= room:
                unique = np.unique(pairs[:found], axis=0)
                return [Candidate(record, text) for record, text in unique.tolist()]
            room = found


def _map_bits(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Set a bit for each key, among 16 to 32 times as many, so that it stays in a fast cache."""
    words = 1 << max(int(len(keys) // 4).bit_length(), 6)
    bitmap = np.zeros(words, np.uint64)
    places = (keys >> np.uint64(6)) & np.uint64(words - 1)
    flags = np.uint64(1) << (keys & np.uint64(63))
    np.bitwise_or.at(bitmap, places.astype(np.int64), flags)
    return bitmap


def _collect(
    parts: Cut, texts: Sequence[CutText], sizes: Sequence[int]
) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Name whole texts and n-grams, sorted, and the text that each belongs to."""
    named = [_name_grams(parts, ordinal, size) for ordinal, size in enumerate(sizes)]
    counts = Counter(key for keys in named for key in keys)
    keys: list[int] = []
    owners: list[int] = []
    seen: set[int] = set()
    for ordinal, own in enumerate(named):
        whole = _name_whole(parts, ordinal)
        if not texts[ordinal].tokens or whole in seen:
            continue
        seen.add(whole)
        # A text made of common n-grams alone is still found by the least common of them.
        rarest = min(own, key=lambda key: (counts[key], key), default=None)
        kept = [key for key in own if key == rarest or counts[key] <= _MOST_OWNERS]
        keys += [whole, *kept]
        owners += [ordinal] * (1 + len(kept))
    order = np.argsort(np.array(keys, np.uint64), kind="stable")
    return np.array(keys, np.uint64)[order], np.array(owners, np.int32)[order]


def _name_grams(parts: Cut, ordinal: int, size: int) -> list[int]:
    own = parts.hashes[parts.bounds[ordinal] : parts.bounds[ordinal + 1]]
    if not size:
        return []
    named = np.empty(len(own) - size + 1, np.uint64)
    token_kernel.list_grams(own, size, named)
    return np.unique(named).tolist()


def _name_whole(parts: Cut, ordinal: int) -> int:
    codes = parts.codes[parts.starts[ordinal] : parts.starts[ordinal + 1]]
    spans = parts.spans[parts.bounds[ordinal] : parts.bounds[ordinal + 1]]
    value, _ = token_kernel.squeeze(np.uint64(0), False, codes, parts.classes, spans)
    return int(token_kernel.size_key(np.uint64(value), token_kernel.WHOLE))
