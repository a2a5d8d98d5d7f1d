"""Novelty against Alpaca's loop: the same decisions, how much less CPU, how it grows.

The loop of Stanford Alpaca's ``generate_instruction.py`` compares each instruction with all that
were kept, through ``rouge_score``. Its cost for a corpus is its time a pair, measured in this run
on a sample of the corpus's own pairs, times the pairs that it would compare. Ours is the whole way
from strings to decisions, single-threaded, after one warming call that loads the compiled loops.

    .venv/bin/python -m benchmarks.novelty --rows 25000
    .venv/bin/python -m benchmarks.novelty --check 5000      # runs Alpaca's loop: 4 min
    .venv/bin/python -m benchmarks.novelty --growth 50000 200000 1000000

``--growth`` perturbs real instructions: in each a random number of words, up to three quarters of
them, is replaced, inserted, deleted or moved; two thirds of a million are still new.
"""

import argparse
import gzip
import json
import math
import random
import resource
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rouge_score import rouge_scorer
from rouge_score.tokenizers import DefaultTokenizer

from pipeline.curation.novelty.index import Standing, Task
from pipeline.curation.novelty.novelty import NoveltyConfig
from pipeline.curation.novelty.token_index import TokenIndex

CORPUS = Path(__file__).parents[1] / "../shared/data/corpora/en_instructions.jsonl.gz"
SAMPLED_PAIRS = 20_000
BOUNDARY_CASES = 5_000
LONGEST_BOUNDARY_CASE = 130
THRESHOLD = NoveltyConfig().threshold
TOKENIZER = DefaultTokenizer(use_stemmer=False)


class Run(NamedTuple):
    """One pass over a corpus."""

    standings: list[Standing]
    kept: list[str]
    pairs: int
    """Pairs that Alpaca's loop would compare."""
    cpu_s: float


def read_corpus(path: Path, rows: int) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["instruction"] for line in islice(lines, rows)]


def run_ours(texts: list[str]) -> Run:
    start = time.process_time()
    index = TokenIndex(THRESHOLD, "en")
    standings = index.sift([Task(str(row), text, b"") for row, text in enumerate(texts)])
    cpu_s = time.process_time() - start
    kept: list[str] = []
    pairs = 0
    for text, standing in zip(texts, standings, strict=True):
        pairs += len(kept)
        if standing.kind == "new":
            kept.append(text)
    return Run(standings, kept, pairs, cpu_s)


def f1_by_alpaca(new: Sequence[str], old: Sequence[str]) -> float:
    """Call what the loop calls; its tokens of kept ones are ready as ours are here."""
    return rouge_scorer._score_lcs(new, old).fmeasure  # pyright: ignore[reportPrivateUsage]


def tokenize(text: str) -> list[str]:
    """Cut as the loop does; no token of ours has a part in what ours are compared with."""
    return TOKENIZER.tokenize(text)


def run_alpaca(texts: list[str]) -> list[bool]:
    """Decide as ``generate_instruction.py``: is each text new?"""
    kept: list[list[str]] = []
    decisions: list[bool] = []
    for text in texts:
        tokens = tokenize(text)
        decisions.append(not kept or max(f1_by_alpaca(tokens, old) for old in kept) <= THRESHOLD)
        if decisions[-1]:
            kept.append(tokens)
    return decisions


def make_boundary_cases(count: int) -> Iterator[tuple[str, str]]:
    """Make pairs whose F1 is exactly 7/10, of many lengths, the common words spread at random."""
    draw = random.Random(0)  # noqa: S311 - test cases, no secret
    while count:
        first, second = (draw.randint(1, LONGEST_BOUNDARY_CASE) for _ in range(2))
        common, rest = divmod(7 * (first + second), 20)
        if rest or common > min(first, second):
            continue
        texts: list[str] = []
        for name, length in (("a", first), ("b", second)):
            text = [f"{name}{place}" for place in range(length)]
            for number, place in enumerate(sorted(draw.sample(range(length), common))):
                text[place] = f"s{number}"
            texts.append(" ".join(text))
        yield texts[0], texts[1]
        count -= 1


def check(texts: list[str]) -> None:
    """Print in how many decisions Alpaca's loop and the index differ."""
    ours = [standing.kind == "new" for standing in run_ours(texts).standings]
    start = time.process_time()
    wrong = sum(a != b for a, b in zip(ours, run_alpaca(texts), strict=True))
    cpu_s = time.process_time() - start
    print(f"{len(texts):,} real instructions: {wrong} differences (the loop: {cpu_s:,.0f} CPU-s)")
    wrong = sum(
        [one.kind == "new" for one in run_ours([first, second]).standings]
        != run_alpaca([first, second])
        for first, second in make_boundary_cases(BOUNDARY_CASES)
    )
    print(f"{BOUNDARY_CASES:,} pairs with F1 = 7/10: {wrong} differences")


def time_alpaca_pair(texts: list[str], kept: list[str]) -> float:
    """Measure CPU seconds a pair of the loop's own calls."""
    draw = random.Random(0)  # noqa: S311 - a sample, no secret
    pairs = [
        (tokenize(text), tokenize(old))
        for text, old in zip(draw.choices(texts, k=2000), draw.choices(kept, k=2000), strict=True)
    ]
    repeats = SAMPLED_PAIRS // len(pairs)
    start = time.process_time()
    for _ in range(repeats):
        for new, old in pairs:
            f1_by_alpaca(new, old)
    return (time.process_time() - start) / (repeats * len(pairs))


def compare(texts: list[str]) -> None:
    """Print our cost and that of Alpaca's loop."""
    ours = run_ours(texts)
    pair_s = time_alpaca_pair(texts, ours.kept)
    alpaca_s = pair_s * ours.pairs
    row_us = ours.cpu_s / len(texts) * 1e6
    print(f"{len(texts):,} instructions, {len(ours.kept):,} kept, {ours.pairs:,} pairs")
    print(f"Alpaca's loop  {pair_s * 1e6:8.1f} µs a pair  {alpaca_s:10,.1f} CPU-s")
    print(f"ours           {row_us:8.1f} µs a row   {ours.cpu_s:10,.2f} CPU-s")
    print(f"ratio          {alpaca_s / ours.cpu_s:8,.0f}")


def perturb(texts: list[str], count: int) -> list[str]:
    draw = random.Random(0).random  # noqa: S311 - test data, no secret
    words = [word for text in texts for word in text.split()]
    perturbed: list[str] = []
    for _ in range(count):
        text = texts[int(draw() * len(texts))].split() or ["?"]
        for _ in range(int(draw() * len(text) * 0.75) + 1):
            what, place, other = draw(), int(draw() * len(text)), int(draw() * len(text))
            if what < 0.5:
                text[place] = words[int(draw() * len(words))]
            elif what < 0.7:
                text.insert(place, words[int(draw() * len(words))])
            elif what < 0.85 and len(text) > 1:
                del text[place]
            else:
                text[place], text[other] = text[other], text[place]
        perturbed.append(" ".join(text))
    return perturbed


def grow(texts: list[str], sizes: list[int]) -> None:
    """Print the cost of perturbed corpora and between two sizes the exponent of its growth."""
    print("       rows       kept    CPU-s  exponent  peak MB")
    before: tuple[int, float] | None = None
    for size in sizes:
        _, kept, _, cpu_s = run_ours(perturb(texts, size))
        growth = (
            f"{math.log(cpu_s / before[1]) / math.log(size / before[0]):8.2f}" if before else ""
        )
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{size:11,}{len(kept):11,}{cpu_s:9.2f}  {growth:8}{peak_mb:9,.0f}", flush=True)
        before = size, cpu_s


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--check", type=int, metavar="ROWS", help="compare decisions instead")
    parser.add_argument("--growth", type=int, nargs="+", metavar="ROWS", help="measure instead")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    arguments = parser.parse_args()
    if not arguments.corpus.is_file():
        print(f"Skipped: needs instructions as .jsonl.gz, none at {arguments.corpus}.")
        return
    texts = read_corpus(arguments.corpus, arguments.check or arguments.rows)
    run_ours(texts[:300])
    if arguments.check:
        check(texts)
    elif arguments.growth:
        grow(texts, arguments.growth)
    else:
        compare(texts)


if __name__ == "__main__":
    main()
