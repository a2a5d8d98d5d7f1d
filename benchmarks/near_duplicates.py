"""Near duplicates: the same signatures as datasketch, how many pairs are found, how much less CPU.

Three parts, each in both languages:

1. Signatures of real texts against datasketch's own with the same hash function.
2. Pairs that the bands propose, and decisions to drop, against the exact Jaccard of all pairs, on
   real texts of which up to a fifth of the words were replaced.
3. The cost a record, from strings to decisions, single-threaded, after a warming call: ours on the
   whole corpus, and on the part of it that datasketch and rensa get, each in its usual loop; the
   ratio is that of the part. Peers propose and do not check; ours does both. A record is two real
   texts with three in ten words replaced, as instruction and output; every fifth one is a copy of
   an earlier one with a word replaced.

    .venv/bin/python -m benchmarks.near_duplicates --records 1000000
"""

import argparse
import gzip
import json
import random
import resource
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmarks.endpoint import ROOT
from benchmarks.peers.environments import PeerError, find_python
from pipeline.curation.near_duplicates.bands import choose_bands, find_contested, hash_bands
from pipeline.curation.near_duplicates.clusters import find_copies
from pipeline.curation.near_duplicates.index import NearDuplicateIndex
from pipeline.curation.near_duplicates.near_duplicates import (
    NearDuplicatesConfig,
    drop_near_duplicates,
)
from pipeline.curation.near_duplicates.signatures import PERMUTATIONS, sign
from pipeline.curation.near_duplicates.texts import NGRAM
from schemas.records import LANGUAGES, InstructionRecord, Language, Provenance
from tests.curation.minhash_oracle import shingle, sign_with_datasketch

CORPORA = ROOT / "../shared/data/corpora"
THRESHOLD = NearDuplicatesConfig().threshold
_PROVENANCE = Provenance(strategy="import", teacher="corpus", completion_id="corpus")
_COMPARED_TEXTS = 5000
_PAIRED_TEXTS = 6000
_LONG = 30
_KNOWN, _NEW = 50_000, 1_000


class Cost(NamedTuple):
    """What one engine took."""

    name: str
    records: int
    cpu_s: float
    flagged: int


class Found(NamedTuple):
    """Pairs and decisions against brute force."""

    pairs: int
    recall: float
    dropped: int
    precision: float


def read_texts(folder: Path, language: Language) -> list[str]:
    with gzip.open(folder / f"{language}_instructions.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["instruction"] for line in lines]


def replace_words(text: str, share: float, words: list[str], draw: random.Random) -> str:
    return " ".join(draw.choice(words) if draw.random() < share else word for word in text.split())


def make_corpus(texts: list[str], count: int, draw: random.Random) -> list[str]:
    """Whole texts of records, as the stage joins them."""
    words = [word for text in texts for word in text.split()]
    made: list[str] = []
    for number in range(count):
        if number % 5 == 4:
            parts = draw.choice(made).split(" ")
            parts[draw.randrange(len(parts))] = draw.choice(words)
            made.append(" ".join(parts))
        else:
            first, second = (replace_words(draw.choice(texts), 0.3, words, draw) for _ in range(2))
            made.append(f"{first}\n\n{second}")
    return made


def count_equal_signatures(texts: list[str], language: Language) -> int:
    ours = sign(texts, language)
    return sum(
        np.array_equal(row, sign_with_datasketch(text, language).hashvalues)
        for row, text in zip(ours, texts, strict=True)
    )


def make_pairs(texts: list[str], draw: random.Random) -> list[str]:
    """Three texts of each real one, unlike it by a share of words drawn evenly up to a fifth."""
    words = [word for text in texts for word in text.split()]
    long = [text for text in texts if len(text) > _LONG][: _PAIRED_TEXTS // 3]
    return [replace_words(text, draw.random() * 0.2, words, draw) for text in long * 3]


def compute_all_jaccards(texts: list[str], language: Language) -> NDArray[np.float64]:
    sets = [shingle(text, language) for text in texts]
    numbers: dict[str, int] = {}
    columns = [numbers.setdefault(one, len(numbers)) for each in sets for one in each]
    ends = np.cumsum([0, *map(len, sets)])
    ones = np.ones(len(columns), np.int32)
    table = csr_matrix((ones, columns, ends), (len(sets), len(numbers)))
    common = (table @ table.T).toarray()
    sizes = np.diff(ends)
    return common / (sizes[:, None] + sizes[None, :] - common)


def measure_pairs(texts: list[str], language: Language) -> Found:
    """Compare proposed pairs and decisions with the exact Jaccard of all pairs."""
    exact = compute_all_jaccards(texts, language)
    near = np.triu(exact >= THRESHOLD, 1)
    keys = hash_bands(texts, language, choose_bands(THRESHOLD))
    proposed = np.zeros_like(near)
    for band in keys:
        proposed |= band[:, None] == band[None, :]
    contested = find_contested(keys, 0)
    places = contested.places
    copies = find_copies(
        [texts[place] for place in places], contested.buckets, 0, language, THRESHOLD
    )
    dropped = np.flatnonzero(copies.of >= 0)
    scores = exact[places[dropped], places[copies.of[dropped]]]
    right = (scores >= THRESHOLD) & (scores == copies.jaccards[dropped])
    return Found(
        pairs=int(near.sum()),
        recall=float((near & proposed).sum() / near.sum()),
        dropped=len(dropped),
        precision=float(right.mean()),
    )


def run_ours(texts: list[str], language: Language) -> Cost:
    start = time.process_time()
    keys = hash_bands(texts, language, choose_bands(THRESHOLD))
    contested = find_contested(keys, 0)
    order = contested.places.tolist()
    copies = find_copies(
        [texts[place] for place in order], contested.buckets, 0, language, THRESHOLD
    )
    cpu_s = time.process_time() - start
    return Cost("ours", len(texts), cpu_s, int((copies.of >= 0).sum()))


def run_datasketch(texts: list[str], language: Language) -> Cost:
    """Its own loop with its own defaults: SHA-1, and a query and an insertion a record."""
    start = time.process_time()
    index = MinHashLSH(num_perm=PERMUTATIONS, params=choose_bands(THRESHOLD))
    flagged = 0
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=PERMUTATIONS, scheme="affine32")
        sketch.update_batch([one.encode() for one in shingle(text, language)])
        flagged += bool(index.query(sketch))
        index.insert(number, sketch)
    return Cost("datasketch", len(texts), time.process_time() - start, flagged)


def run_rensa(texts: list[str], language: Language, way: str, environments: Path) -> Cost:
    python = find_python("rensa", environments)
    ended = subprocess.run(
        [str(python), "-m", "benchmarks.peers.rensa_pairs", way, str(NGRAM[language])],
        input=json.dumps(texts),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise PeerError(ended.stderr.strip().rpartition("\n")[2][:200])
    report = json.loads(ended.stdout)
    return Cost(f"rensa, {way}", len(texts), report["cpu_s"], report["flagged"])


def compare_costs(texts: list[str], language: Language, arguments: argparse.Namespace) -> None:
    run_ours(texts[:100], language)
    ours = run_ours(texts, language)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    mean = sum(map(len, texts)) / len(texts)
    print(
        f"\n{language}: {len(texts):,} records of {mean:.0f} characters, {ours.flagged:,} dropped, "
        f"peak {peak_mb:,.0f} MB"
    )
    print("| engine | records | CPU-s | µs a record | ratio |\n|---|---|---|---|---|")
    part = texts[: arguments.peer_records]
    print_cost(ours, ours)
    ours = run_ours(part, language)
    print_cost(ours, ours)
    print_cost(run_datasketch(part, language), ours)
    for way in ("one", "bulk"):
        try:
            print_cost(run_rensa(part, language, way, arguments.environments), ours)
        except PeerError as error:
            print(f"| rensa, {way} | skipped: {error} | | | |")


def print_cost(cost: Cost, ours: Cost) -> None:
    each_us = cost.cpu_s / cost.records * 1e6
    ratio = each_us / (ours.cpu_s / ours.records * 1e6)
    print(
        f"| {cost.name} | {cost.records:,} | {cost.cpu_s:,.2f} | {each_us:,.1f} | {ratio:,.1f} |",
        flush=True,
    )


def compare_versions(texts: list[str], language: Language) -> None:
    """Time a thousand new records against fifty thousand known ones, loaded from a file."""
    records = [
        InstructionRecord(
            instruction="Task", output=text, language=language, provenance=_PROVENANCE
        )
        for text in texts[: _KNOWN + _NEW]
    ]
    config = NearDuplicatesConfig()
    known = NearDuplicateIndex(config)
    known.add(records[:_KNOWN])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "known"
        known.save(path)
        start = time.process_time()
        loaded = NearDuplicateIndex.load(path, config)
        load_s = time.process_time() - start
        size_mb = path.stat().st_size / 1e6
    start = time.process_time()
    result = drop_near_duplicates(records[_KNOWN:], config, loaded)
    print(
        f"{language}: {_NEW:,} new against {_KNOWN:,} known: {time.process_time() - start:.2f} "
        f"CPU-s, {len(result.dropped)} dropped; loading {size_mb:.0f} MB {load_s:.2f} CPU-s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--peer-records", type=int, default=10_000)
    parser.add_argument("--corpora", type=Path, default=CORPORA)
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-peers")
    arguments = parser.parse_args()
    if not arguments.corpora.is_dir():
        print(f"Skipped: needs LANGUAGE_instructions.jsonl.gz, none at {arguments.corpora}.")
        return
    draw = random.Random(0)  # noqa: S311 - a corpus, no secret
    for language in LANGUAGES:
        texts = make_corpus(read_texts(arguments.corpora, language), arguments.records, draw)
        compare_costs(texts, language, arguments)
        compare_versions(texts, language)
    for language in LANGUAGES:
        texts = read_texts(arguments.corpora, language)
        equal = count_equal_signatures(texts[:_COMPARED_TEXTS], language)
        found = measure_pairs(make_pairs(texts, draw), language)
        print(f"\n{language}: {equal:,} of {_COMPARED_TEXTS:,} signatures are datasketch's")
        print(
            f"{language}: {found.recall:.4f} of {found.pairs:,} pairs over {THRESHOLD} found, "
            f"{found.precision:.4f} of {found.dropped:,} drops right, by the exact Jaccard"
        )


if __name__ == "__main__":
    main()
