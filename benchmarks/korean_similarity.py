"""Calibrate the similarity of Korean instructions on paraKQC, against plain syllable ROUGE-L.

paraKQC has groups of ten ways to say the same thing, each with a topic and an intent. Pairs within
a group should be caught. Pairs of different groups of one topic should not: those with the same
intent (``near``), and those with another (``far``). All pairs are compared, none is sampled. The
closed lists were made looking at one half of the groups (``made with``: group // 2 even, and about
20 groups of the other half); the figures of the other half (``held out``) are given beside.

    .venv/bin/python -m benchmarks.korean_similarity
"""

import argparse
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.novelty.index import Task
from pipeline.curation.novelty.korean_index import KoreanIndex
from pipeline.curation.novelty.tokens import tokenize

DATA = Path(__file__).parents[1] / "../shared/data"
FALSE_DROPS = 0.001
THRESHOLDS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
LENGTHS = ((1, 12), (13, 20), (21, 400))


class Question(NamedTuple):
    """A line of paraKQC."""

    group: int
    topic: int
    intent: int
    text: str


class Pairs(NamedTuple):
    """Similarities of pairs, and what the pairs are."""

    scores: NDArray[np.float64]
    same: NDArray[np.bool_]
    near: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    made_with: NDArray[np.bool_]
    syllables: NDArray[np.int64]
    """Mean length of the two."""


def syllable_f1(first: list[str], second: list[str]) -> float:
    """Return ROUGE-L F1, with Hyyrö's bit-parallel LCS."""
    places: dict[str, int] = {}
    for place, token in enumerate(first):
        places[token] = places.get(token, 0) | 1 << place
    free = full = (1 << len(first)) - 1
    for token in second:
        matched = free & places.get(token, 0)
        free = ((free + matched) | (free - matched)) & full
    return 2 * (len(first) - free.bit_count()) / (len(first) + len(second))


def compare_topic(
    questions: list[Question], scores_of: Callable[[list[str]], NDArray[np.float64]]
) -> Pairs:
    """Compare all pairs of one topic's questions."""
    first, second = np.triu_indices(len(questions), 1)
    group, intent = (np.array([question[column] for question in questions]) for column in (0, 2))
    lengths = np.array([len(question.text.replace(" ", "")) for question in questions])
    odd = group // 2 % 2 == 1
    same = group[first] == group[second]
    return Pairs(
        scores_of([question.text for question in questions])[first, second],
        same,
        ~same & (intent[first] == intent[second]),
        odd[first] & odd[second],
        ~odd[first] & ~odd[second],
        (lengths[first] + lengths[second]) // 2,
    )


def index_scores(texts: list[str]) -> NDArray[np.float64]:
    """Compare by the index, each text with all before it and after it."""
    index = KoreanIndex(0.5)
    index.add([Task(str(row), text, b"") for row, text in enumerate(texts)])
    scores = np.zeros((len(texts), len(texts)))
    for row, text in enumerate(texts):
        for match in index.survey(text, len(texts)).nearest:
            scores[row, int(match.id)] = match.score
    return scores


def rouge_scores(texts: list[str]) -> NDArray[np.float64]:
    """Compare by ROUGE-L over syllables."""
    tokens = [tokenize(text, "ko") for text in texts]
    scores = np.zeros((len(texts), len(texts)))
    for row, own in enumerate(tokens):
        for other in range(row + 1, len(tokens)):
            scores[row, other] = syllable_f1(own, tokens[other])
    return scores


def compare_all(
    questions: list[Question], scores_of: Callable[[list[str]], NDArray[np.float64]]
) -> Pairs:
    """Compare all pairs that share a topic."""
    topics = sorted({question.topic for question in questions})
    parts = [
        compare_topic([question for question in questions if question.topic == topic], scores_of)
        for topic in topics
    ]
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def least_threshold(scores: NDArray[np.float64]) -> float:
    """Return the least threshold that drops at most the allowed share of different questions."""
    ranked = np.sort(scores)[::-1]
    return float(ranked[int(len(ranked) * FALSE_DROPS)])


def print_calibration(name: str, pairs: Pairs) -> float:
    """Print what is caught at the allowed false drops; return it for all near pairs."""
    everything = np.ones(len(pairs.scores), np.bool_)
    caught_near = 0.0
    for part, chosen in (
        ("made with", pairs.made_with),
        ("held out", pairs.held_out),
        ("all", everything),
    ):
        for rivals, others in (("near", pairs.near), ("near and far", ~pairs.same)):
            threshold = least_threshold(pairs.scores[chosen & others])
            caught = float((pairs.scores[chosen & pairs.same] > threshold).mean())
            print(f"{name:12} {part:10} {rivals:13} {threshold:9.3f} {caught:8.1%}")
            if rivals == "near":
                caught_near = caught
    return caught_near


def print_curve(pairs: Pairs) -> None:
    """Print shares of pairs above each threshold, and of the paraphrases by length."""
    names = "  ".join(f"{low}-{high}" for low, high in LENGTHS)
    print(f"\nthreshold  near     far      paraphrases  by syllables {names}")
    for threshold in THRESHOLDS:
        above = pairs.scores > threshold
        by_length = "  ".join(
            f"{above[pairs.same & (pairs.syllables >= low) & (pairs.syllables <= high)].mean():.1%}"
            for low, high in LENGTHS
        )
        print(
            f"{threshold:9.2f}  {above[pairs.near].mean():.4%}  "
            f"{above[~pairs.same & ~pairs.near].mean():.4%}  {above[pairs.same].mean():8.1%}"
            f"     {by_length}"
        )


def print_corpus(path: Path, threshold: float) -> None:
    """Print what a corpus of real instructions loses, and the CPU time."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["instruction"] for line in lines]
    KoreanIndex(threshold).sift([Task("a", "서울 날씨", b""), Task("b", "서울의 날씨", b"")])
    start = time.process_time()
    index = KoreanIndex(threshold)
    standings = index.sift([Task(str(row), text, b"") for row, text in enumerate(texts)])
    cpu_s = time.process_time() - start
    repeats = sum(standing.kind == "repeat" for standing in standings)
    print(f"\n{len(texts)} real instructions at {threshold}: {repeats} repeats, {cpu_s:.1f} CPU-s")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threshold", type=float, default=0.7)
    arguments = parser.parse_args()
    pairs_file = DATA / "parakqc/dev.jsonl"
    if not pairs_file.is_file():
        print(f"Skipped: needs paraKQC, none at {pairs_file}.")
        return
    lines = pairs_file.read_text(encoding="utf-8").splitlines()
    questions = [Question(**json.loads(line)) for line in lines]
    print(
        f"measure      groups     other pairs   threshold   caught at {FALSE_DROPS:.1%} false drops"
    )
    plain = print_calibration("ROUGE-L", compare_all(questions, rouge_scores))
    pairs = compare_all(questions, index_scores)
    ours = print_calibration("KoreanIndex", pairs)
    print(f"ratio, all groups, near pairs: {ours / plain:.2f}")
    print_curve(pairs)
    corpus = DATA / "corpora/ko_instructions.jsonl.gz"
    if corpus.is_file():
        print_corpus(corpus, arguments.threshold)


if __name__ == "__main__":
    main()
