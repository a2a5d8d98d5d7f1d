"""Shingles, their hash and their Jaccard similarity as anyone would write them, for comparison."""

import re

from datasketch import MinHash

from schemas.records import Language

_MASK = 0xFFFFFFFF


def shingle(text: str, language: Language) -> set[str]:
    folded = re.sub(r"\s+", " ", text.casefold())
    size = {"en": 5, "ko": 3}[language]
    return {folded[start : start + size] for start in range(max(1, len(folded) - size + 1))}


def jaccard(first: str, second: str, language: Language) -> float:
    one, other = shingle(first, language), shingle(second, language)
    return len(one & other) / len(one | other)


def murmur3(data: bytes) -> int:
    """MurmurHash3_x86_32 with seed 0, of whole words of four bytes."""
    state = 0
    for start in range(0, len(data), 4):
        word = int.from_bytes(data[start : start + 4], "little") * 0xCC9E2D51 & _MASK
        word = ((word << 15 | word >> 17) & _MASK) * 0x1B873593 & _MASK
        state ^= word
        state = ((state << 13 | state >> 19) * 5 + 0xE6546B64) & _MASK
    state ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        state = (state ^ state >> shift) * factor & _MASK
    return state ^ state >> 16


def sign_with_datasketch(text: str, language: Language) -> MinHash:
    sketch = MinHash(num_perm=138, scheme="affine32", hashfunc=murmur3)
    sketch.update_batch(
        [one.encode("utf-32-le", "surrogatepass") for one in shingle(text, language)]
    )
    return sketch
