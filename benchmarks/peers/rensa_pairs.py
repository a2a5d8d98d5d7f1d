"""Near duplicates with rensa, from texts on standard input to flags, and the CPU seconds it took.

Character n-grams are made in Python, as its README makes its tokens; ``one`` hashes and inserts
one record after the other, ``bulk`` hands over all of them at once.
"""

# Installed in an environment of its own, where pyright does not look.
# pyright: reportMissingImports=false

import json
import re
import sys
import time

from rensa import RMinHash, RMinHashLSH

PERMUTATIONS, BANDS, SEED = 144, 24, 1


def shingle(text: str, size: int) -> set[str]:
    folded = re.sub(r"\s+", " ", text.casefold())
    return {folded[start : start + size] for start in range(max(1, len(folded) - size + 1))}


def flag_one_by_one(texts: list[str], size: int) -> int:
    index = RMinHashLSH(threshold=0.7, num_perm=PERMUTATIONS, num_bands=BANDS)
    flagged = 0
    for number, text in enumerate(texts):
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
        sketch.update(list(shingle(text, size)))
        flagged += bool(index.query(sketch))
        index.insert(number, sketch)
    return flagged


def flag_in_bulk(texts: list[str], size: int) -> int:
    index = RMinHashLSH(threshold=0.7, num_perm=PERMUTATIONS, num_bands=BANDS)
    sets = [list(shingle(text, size)) for text in texts]
    sketches = RMinHash.digest_matrix_from_token_sets(sets, PERMUTATIONS, SEED)
    return sum(index.query_duplicate_flags_matrix_one_shot(sketches))


def main() -> None:
    way, size = sys.argv[1], int(sys.argv[2])
    texts: list[str] = json.load(sys.stdin)
    start = time.process_time()
    flagged = (flag_in_bulk if way == "bulk" else flag_one_by_one)(texts, size)
    print(json.dumps({"cpu_s": time.process_time() - start, "flagged": flagged}))


if __name__ == "__main__":
    main()
