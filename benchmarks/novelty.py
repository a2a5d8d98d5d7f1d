"""Novelty against Alpaca's loop: the same decisions, how much less CPU.

The loop of Stanford Alpaca's ``generate_instruction.py`` compares each instruction with all that
were kept, through ``rouge_score``. Its cost for a corpus is its time a pair, measured in this run
on a sample of the corpus's own pairs, times the pairs that it would compare. Ours is the whole way
from strings to decisions, single-threaded, after one warming call that loads the compiled loops.

    .venv/bin/python -m benchmarks.novelty --rows 25000
"""

import argparse
import gzip
import json
import random
import time
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rouge_score import rouge_scorer

from pipeline.curation.novelty.index import Task
from pipeline.curation.novelty.novelty import NoveltyConfig
from pipeline.curation.novelty.token_index import TokenIndex
from pipeline.curation.novelty.tokens import tokenize

CORPUS = Path(__file__).parents[1] / "../shared/data/corpora/en_instructions.jsonl.gz"
SAMPLED_PAIRS = 20_000


class Run(NamedTuple):
    """One pass over the corpus."""

    kept: list[str]
    pairs: int
    """Pairs that Alpaca's loop would compare."""
    cpu_s: float


def read_corpus(path: Path, rows: int) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["instruction"] for line in islice(lines, rows)]


def run_ours(texts: list[str]) -> Run:
    start = time.process_time()
    index = TokenIndex(NoveltyConfig().threshold, "en")
    standings = index.sift([Task(str(row), text, b"") for row, text in enumerate(texts)])
    cpu_s = time.process_time() - start
    kept: list[str] = []
    pairs = 0
    for text, standing in zip(texts, standings, strict=True):
        pairs += len(kept)
        if standing.kind == "new":
            kept.append(text)
    return Run(kept, pairs, cpu_s)


def time_alpaca_pair(texts: list[str], kept: list[str]) -> float:
    """Measure CPU seconds a pair of the loop's own calls, tokens of kept ones ready as there."""
    draw = random.Random(0)  # noqa: S311 - a sample, no secret
    pairs = [
        (tokenize(draw.choice(texts), "en"), tokenize(draw.choice(kept), "en"))
        for _ in range(SAMPLED_PAIRS)
    ]
    start = time.process_time()
    for new, old in pairs:
        rouge_scorer._score_lcs(new, old)  # pyright: ignore[reportPrivateUsage] - as the loop does
    return (time.process_time() - start) / SAMPLED_PAIRS


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    arguments = parser.parse_args()
    if not arguments.corpus.is_file():
        print(f"Skipped: needs instructions as .jsonl.gz, none at {arguments.corpus}.")
        return
    texts = read_corpus(arguments.corpus, arguments.rows)
    run_ours(texts[:10])
    ours = run_ours(texts)
    pair_s = time_alpaca_pair(texts, ours.kept)
    alpaca_s = pair_s * ours.pairs
    print(f"{len(texts):,} instructions, {len(ours.kept):,} kept, {ours.pairs:,} pairs")
    print(f"Alpaca's loop  {pair_s * 1e6:8.1f} µs a pair  {alpaca_s:10,.1f} CPU-s")
    print(
        f"ours           {ours.cpu_s / len(texts) * 1e6:8.1f} µs a row   {ours.cpu_s:10,.2f} CPU-s"
    )
    print(f"ratio          {alpaca_s / ours.cpu_s:8,.0f}")


if __name__ == "__main__":
    main()
