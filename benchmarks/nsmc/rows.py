"""One instruction record of the study before our own curation reads it, and the real data behind.

The data are public and lie outside the project (`DATA`); where they are absent, the study and its
tests say so and stop.
"""

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from schemas.errors import UserError
from schemas.records import Language

T = TypeVar("T")

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


class Review(NamedTuple):
    id: str
    text: str
    label: str


class Row(NamedTuple):
    """What `./pacaloom curate --input` reads, and what kind of task it is."""

    kind: str
    """For the table of what a mixture holds."""
    language: Language
    instruction: str
    input: str
    output: str

    @property
    def characters(self) -> int:
        """Length of all three texts."""
        return len(self.instruction + self.input + self.output)


class DataMissingError(UserError):
    """The public data are not on this machine."""


def read_lines(name: str, data: Path = DATA) -> list[dict[str, Any]]:
    """Read a JSONL file of the data folder.

    Raises:
        DataMissingError: It is not there.
    """
    path = data / name
    if not path.is_file():
        raise DataMissingError(
            f"{path} is missing: the study needs the public data set as JSON lines of id, text "
            "and label. Put it there or name its folder with --data."
        )
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def read_reviews(name: str, data: Path = DATA) -> list[Review]:
    """Read NSMC's reviews in file order."""
    return [Review(row["id"], row["text"], row["label"]) for row in read_lines(name, data)]


def take_balanced(reviews: Iterable[Review], count: int) -> list[Review]:
    """Take the first `count`, half of each label, in their order."""
    taken: list[Review] = []
    seen: dict[str, int] = {}
    for review in reviews:
        if seen.get(review.label, 0) < count // 2:
            seen[review.label] = seen.get(review.label, 0) + 1
            taken.append(review)
    return taken


def pick(generator: random.Random, weighted: "Sequence[tuple[float, T]]") -> "T":
    """Draw one by weight."""
    weights = [weight for weight, _ in weighted]
    return generator.choices([one for _, one in weighted], weights)[0]
