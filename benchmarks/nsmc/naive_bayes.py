"""A trivial learner on the same reviews: multinomial naive Bayes over character n-grams.

It reads no instruction and answers nothing else, so what it reaches is the share of a student's
score that is plain supervised learning. N-grams of one to three characters of the text without
spaces, counted once a text, add-one smoothing. Linear in the characters.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from benchmarks.nsmc.rows import Review

LONGEST_GRAM = 3


def classify(train: Sequence[Review], texts: Sequence[str]) -> list[dict[str, float]]:
    """Learn from labelled reviews; return each text's unnormalised log-probability by label."""
    counts: dict[str, Counter[str]] = {}
    documents: Counter[str] = Counter()
    for review in train:
        counts.setdefault(review.label, Counter()).update(_grams(review.text))
        documents[review.label] += 1
    known = {gram for counter in counts.values() for gram in counter}
    totals = {label: counter.total() + len(known) for label, counter in counts.items()}
    return [
        {
            label: math.log(documents[label] / len(train))
            + sum(
                math.log((counts[label][gram] + 1) / totals[label])
                for gram in _grams(text)
                if gram in known
            )
            for label in counts
        }
        for text in texts
    ]


def _grams(text: str) -> Iterable[str]:
    letters = "".join(text.split())
    return {
        letters[start : start + size]
        for size in range(1, LONGEST_GRAM + 1)
        for start in range(len(letters) - size + 1)
    }
