"""The figures of a version: what its card, its pictures and its report tell, measured once.

They are written to ``statistics.json``, so that a later version can say what has changed.
"""

from typing import Literal

from pydantic import Field

from schemas.frozen import Frozen
from schemas.manifest import RoundYield, Share
from schemas.records import Language


class Histogram(Frozen):
    """Counts between edges: ``counts[i]`` lie in ``[edges[i], edges[i + 1])``, the last closed."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Lengths(Frozen):
    """Lengths of one column in characters, over the records where it is not empty."""

    filled: int = Field(ge=0)
    """Records where the column is not empty."""
    shortest: int
    p5: int
    median: int
    p95: int
    longest: int
    histogram: Histogram
    """With edges that grow by a constant factor, the same ones for each version."""


class Phrase(Frozen):
    """What an instruction asks for: English verb and direct object, Korean noun and predicate."""

    verb: str
    """Dictionary form: ``write``, ``작성하다``."""
    noun: str
    """Dictionary form; empty where the verb has no object."""
    count: int = Field(gt=0)


class Diversity(Frozen):
    """How much of the same thing is asked for again and again."""

    looked_at: int
    """Instructions that a tagger has read: all, or a fixed sample by id."""
    parsed: int
    """Those in which it found what is asked for."""
    phrases: tuple[Phrase, ...]
    """Commonest first, ties by text."""
    distinct_1: Share
    distinct_2: Share
    """Different words, and pairs of neighbouring words, of the sample's instructions by their
    count (distinct-n, Li et al., arXiv:1510.03055)."""


class Similarity(Frozen):
    """How similar records are to the most similar other one, by novelty's measure."""

    looked_at: int
    """Records that were compared with all others: all, or a fixed sample by id."""
    median: float
    p95: float
    histogram: Histogram
    """Twenty bins of 0.05."""


class LanguageFigures(Frozen):
    """The kept records of one language."""

    records: int = Field(ge=0)
    lengths: dict[Literal["instruction", "input", "output"], Lengths]
    """Columns that are empty in every record are absent."""
    task_types: dict[str, int]
    """Records by the kind of task asked for, commonest first."""
    strategies: dict[str, int]
    diversity: Diversity | None
    similarity: Similarity | None


class VersionStatistics(Frozen):
    """All figures of one version; languages without records are absent."""

    format: Literal["pacaloom-statistics/1"] = "pacaloom-statistics/1"
    languages: dict[Language, LanguageFigures]
    rounds: tuple[RoundYield, ...]
    """Of all generation runs, one after the other; empty for imports."""
