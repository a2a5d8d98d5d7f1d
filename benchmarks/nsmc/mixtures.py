"""The three training sets: reviews in one wording, general records, and the mixture."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from benchmarks.nsmc.own_rows import make_own_rows
from benchmarks.nsmc.public_rows import make_parakqc_rows, read_general_rows
from benchmarks.nsmc.rows import DATA, Review, Row, read_reviews, take_balanced
from benchmarks.nsmc.sentiment_rows import make_plain_rows, make_varied_rows
from benchmarks.nsmc.task import SEEN, SHOT_REVIEWS

SetName = Literal["reviews", "general", "mixture"]

SEED = 0
_LONGEST_REVIEW = 120
"""Characters; NSMC's longest are 140 and cost most of the time."""


class Sizes(NamedTuple):
    """How many records of each kind are made before curation."""

    reviews: int = 3200
    plain_reviews: int = 2000
    """Of the set that asks in one wording, the first ones of the same; it learns faster."""
    parakqc: int = 300
    own: int = 240
    general_output: int = 60
    """Characters of a general record's answer in the mixture. Loss is a mean over answer tokens: a
    poem weighs as much as sixty labels, and the task is not learned."""
    general_length: int = 300
    """Characters of a general record in the mixture."""


def training_reviews(count: int, data: Path = DATA) -> list[Review]:
    """Return the reviews that students learn from; worked examples are not among them."""
    usable = read_reviews("nsmc/train.jsonl", data)[:-SHOT_REVIEWS]
    return take_balanced((one for one in usable if len(one.text) <= _LONGEST_REVIEW), count)


def make_rows(name: SetName, sizes: Sizes, data: Path = DATA) -> list[Row]:
    """Make a set's rows, shuffled."""
    general = read_general_rows(data)
    if name == "reviews":
        reviews = training_reviews(sizes.plain_reviews, data)
        rows = make_plain_rows(reviews, SEEN[0].instruction)
    elif name == "general":
        rows = general
    else:
        short = [
            row
            for row in general
            if len(row.output) <= sizes.general_output and row.characters <= sizes.general_length
        ]
        rows = [
            *make_varied_rows(training_reviews(sizes.reviews, data), SEED),
            *make_parakqc_rows(sizes.parakqc, SEED, data),
            *make_own_rows(sizes.own, SEED),
            *short,
        ]
    random.Random(SEED).shuffle(rows)  # noqa: S311 - a reproducible order, not a secret
    return rows


def count_kinds(rows: Sequence[Row]) -> dict[str, int]:
    """Count the kinds of task, the most frequent first."""
    return dict(Counter(row.kind for row in rows).most_common())
