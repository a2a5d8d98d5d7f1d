"""MinHash signatures of a whole corpus, bit by bit those of datasketch 2.0.

A signature equals that of ::

    MinHash(num_perm=138, scheme="affine32", hashfunc=lambda shingle: murmur3(shingle))

updated with the distinct character n-grams of the folded text (:mod:`.texts`), each encoded as
UTF-32-LE, where ``murmur3`` is MurmurHash3_x86_32 with seed 0 (Austin Appleby's reference, in
Python ``mmh3.hash(shingle, signed=False)``). datasketch's default, SHA-1, is worth nothing here and
costs 300 ns a shingle; this hash and all 138 permutations together take 4 ns, for they are computed
for a whole text at once, four shingles and 16 permutations to an instruction.

138 permutations and not the usual 128, because 23 bands of 6 rows find 99.4 % of the pairs over 0.7
where 128 make 21 bands that find 99.2 %, and less than 99 % in some samples; a tenth more work.

The signature of a text without shingles is that of the empty shingle. Cost: in proportion to the
characters.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.curation.compiling import compiled
from pipeline.curation.near_duplicates.texts import NGRAM, Int64s, UInt32s, fold_texts
from schemas.records import Language

PERMUTATIONS = 138
_SEED = 1
_BLOCK_TEXTS, _BLOCK_CHARACTERS = 2_000, 4_000_000

_C1, _C2 = np.uint32(0xCC9E2D51), np.uint32(0x1B873593)
_FIVE, _ADDEND = np.uint32(5), np.uint32(0xE6546B64)
_F1, _F2 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)


def sign(texts: Sequence[str], language: Language) -> UInt32s:
    """Compute signatures, ``(texts, 138)``."""
    folded = fold_texts(texts)
    signatures = np.full((len(texts), PERMUTATIONS), 0xFFFFFFFF, np.uint32)
    factors, addends = _draw_permutations()
    _sign(folded.points, folded.starts, NGRAM[language], factors, addends, signatures)
    return signatures


def cut_into_blocks(texts: Sequence[str]) -> Iterator[slice]:
    """Cut a corpus so that a block's code points and signatures take a few megabytes."""
    start = characters = 0
    for place, text in enumerate(texts):
        if place - start == _BLOCK_TEXTS or (start < place and characters > _BLOCK_CHARACTERS):
            yield slice(start, place)
            start, characters = place, 0
        characters += len(text)
    if start < len(texts):
        yield slice(start, len(texts))


def _draw_permutations() -> tuple[UInt32s, UInt32s]:
    """Draw as ``MinHash._init_permutations`` does; not imported, as datasketch brings scipy."""
    random = np.random.RandomState(_SEED)
    factors = random.randint(0, 1 << 31, PERMUTATIONS, dtype=np.uint32)
    addends = random.randint(0, 1 << 32, PERMUTATIONS, dtype=np.uint32)
    return factors * np.uint32(2) + np.uint32(1), addends


@compiled
def _mix_word(state: np.uint32, word: np.uint32) -> np.uint32:
    """Take four bytes into a MurmurHash3."""
    word = np.uint32(word * _C1)
    word = np.uint32((word << np.uint32(15)) | (word >> np.uint32(17)))
    state = np.uint32(state ^ np.uint32(word * _C2))
    state = np.uint32((state << np.uint32(13)) | (state >> np.uint32(19)))
    return np.uint32(state * _FIVE + _ADDEND)


@compiled
def _finish(state: np.uint32) -> np.uint32:
    """Let each bit of a MurmurHash3 depend on all: its finalizer, a bijection."""
    state = np.uint32(state ^ (state >> np.uint32(16)))
    state = np.uint32(state * _F1)
    state = np.uint32(state ^ (state >> np.uint32(13)))
    state = np.uint32(state * _F2)
    return np.uint32(state ^ (state >> np.uint32(16)))


@compiled
def _sign(
    points: UInt32s,
    starts: Int64s,
    ngram: int,
    factors: UInt32s,
    addends: UInt32s,
    signatures: UInt32s,
) -> None:
    longest = 1
    for text in range(len(starts) - 1):
        longest = max(longest, starts[text + 1] - starts[text])
    hashes = np.empty(longest, np.uint32)
    for text in range(len(starts) - 1):
        count = _hash_shingles(points[starts[text] : starts[text + 1]], ngram, hashes)
        _permute(hashes, count, factors, addends, signatures[text])


@compiled
def _hash_shingles(text: UInt32s, ngram: int, hashes: UInt32s) -> int:
    """Hash all n-grams as datasketch's affine scheme takes them; return how many there are."""
    size = min(ngram, len(text))
    count = len(text) - size + 1
    for place in range(count):
        hashes[place] = 0
    for offset in range(size):
        for place in range(count):
            hashes[place] = _mix_word(hashes[place], text[place + offset])
    length = np.uint32(4 * size)
    for place in range(count):
        # The second one is datasketch's own first step.
        hashes[place] = _finish(_finish(np.uint32(hashes[place] ^ length)))
    return count


@compiled
def _permute(
    hashes: UInt32s, count: int, factors: UInt32s, addends: UInt32s, signature: UInt32s
) -> None:
    """Take the least of each permutation, four hashes at a time: a quarter of the loads."""
    last = count - 1
    for place in range(0, count, 4):
        first, second = hashes[place], hashes[min(place + 1, last)]
        third, fourth = hashes[min(place + 2, last)], hashes[min(place + 3, last)]
        for row in range(len(signature)):
            factor, addend = factors[row], addends[row]
            least = min(np.uint32(factor * first + addend), np.uint32(factor * second + addend))
            least = min(least, np.uint32(factor * third + addend))
            least = min(least, np.uint32(factor * fourth + addend))
            signature[row] = min(signature[row], least)


@compiled
def hash_rows(signatures: UInt32s, rows: int, keys: UInt32s) -> None:
    """Write a hash of each ``rows`` numbers of each signature to ``keys``, ``(bands, texts)``."""
    for text in range(len(signatures)):
        for band in range(len(keys)):
            state = np.uint32(0)
            for row in range(band * rows, (band + 1) * rows):
                state = _mix_word(state, signatures[text, row])
            keys[band, text] = _finish(state)
