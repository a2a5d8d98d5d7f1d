"""Decide how much of each part a mixture takes, which records, and which columns are ours.

Weights are relative. The mixture is the largest in which the parts stand in the ratio of their
weights and none is taken twice: the scarcest part comes whole and the others are cut. Which records
remain is a draw by the hash of each, so that it is the same on every machine, and what a larger cap
adds leaves what a smaller one took. Cost: n log n in the records of a part.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from pydantic import Field

from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.identity import short_id
from schemas.records import Draft, Language, Stage

OUR_COLUMNS = ("instruction", "input", "output")
_GUESSES: Mapping[str, tuple[str, ...]] = {
    "instruction": ("instruction", "instructions", "question", "prompt", "query", "질문", "지시"),
    "input": ("input", "inputs", "context", "입력", "지문"),
    "output": (
        "output", "outputs", "response", "answer", "completion", "target", "chosen", "답변", "응답",
    ),
}  # fmt: skip
_MOST_SHOWN = 12


class MixtureError(UserError):
    """A mixture cannot be made as it was asked for."""


class MixturePart(Frozen):
    """One source of a mixture."""

    ref: str = Field(min_length=1)
    """A version of ours (NAME, NAME/VERSION or its folder), a file (.jsonl, .json, .csv,
    .parquet), a folder that the datasets library reads, or a hub id (OWNER/NAME)."""
    weight: float | None = Field(default=None, gt=0)
    """Share of the mixture, relative to the other parts' weights: 3 and 1 are 0.75 and 0.25. All
    parts have one, or none has."""
    cap: int | None = Field(default=None, ge=1)
    """Most records that are taken."""
    language: Language | None = None
    """Language of all rows of an outside dataset; None asks each row, where Hangul is Korean."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Our column (instruction, input, output) to theirs; the rest is guessed from common names."""
    split: str | None = None
    """train, validation … of an outside dataset or of ours; None takes all of a version of ours,
    and ``train`` of an outside one."""
    subset: str | None = None
    """Configuration of a hub dataset that has several."""
    revision: str | None = None
    """Commit, tag or branch of a hub dataset; None takes the newest."""
    licence: str | None = None
    """As the Hugging Face Hub spells it; None takes what the part says of itself."""


class MixParams(Frozen):
    """Draw records from versions and outside datasets, curate them, and publish a new version."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    """Name of the mixture: a-z, 0-9, dot, dash, underscore."""
    part: tuple[MixturePart, ...] = Field(min_length=1)
    """Where the records come from; of two that repeat each other, the earlier part's is kept."""
    stage: tuple[Stage, ...] = ("duplicate", "near-duplicate", "contamination", "review")
    """Stages of curation that the drawn records pass, besides ``schema``."""
    licence: str | None = Field(default=None, min_length=1)
    """Licence of the mixture; None takes that of the parts where it is one, else ``other``."""
    card_language: Language | None = None
    """Language of the card; None takes that of most records."""


class Amount(NamedTuple):
    """What there is of a part, and what is wanted of it."""

    available: int
    weight: float | None
    cap: int | None


class LicenceChoice(NamedTuple):
    """Licence of a mixture."""

    licence: str
    warning: str
    """One line where the parts' licences are not all the mixture's; empty otherwise."""


def map_columns(source: str, found: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Find each of our columns among those of an outside dataset.

    Args:
        source: For messages.
        found: Its columns.
        given: Ours to theirs, by the user.

    Returns:
        Ours to theirs; without ``input`` where the dataset has nothing like it.

    Raises:
        MixtureError: Names a column that is not there, and what there is.
    """
    unknown = sorted(set(given) - set(OUR_COLUMNS))
    if unknown:
        raise MixtureError(
            f"{source}: {unknown[0]!r} is no column of ours; map {', '.join(OUR_COLUMNS)}."
        )
    names = {name.casefold(): name for name in reversed(found)}
    mapped: dict[str, str] = {}
    for ours in OUR_COLUMNS:
        theirs = given.get(ours)
        if theirs is None:
            theirs = next((names[one] for one in _GUESSES[ours] if one in names), None)
        elif theirs not in found:
            raise MixtureError(f"{source}: no column {theirs!r}. It has {_show(found)}.")
        if theirs is not None:
            mapped[ours] = theirs
        elif ours != "input":
            raise MixtureError(
                f"{source}: wanted a column of {ours}s, and none is called so. It has "
                f"{_show(found)}: name one with {ours}=COLUMN."
            )
    return mapped


def choose_counts(amounts: Sequence[Amount]) -> list[int]:
    """Decide how many records each part gives.

    Raises:
        MixtureError: Some parts have weights and others have none.
    """
    limits = [min(one.available, one.cap or one.available) for one in amounts]
    weights = [Fraction(str(one.weight)) for one in amounts if one.weight is not None]
    if not weights:
        return limits
    if len(weights) < len(amounts):
        raise MixtureError(
            f"{len(weights)} of {len(amounts)} parts have a weight: give one to all or to none."
        )
    # Records for one unit of weight, as the scarcest part allows.
    unit = min(limit / weight for limit, weight in zip(limits, weights, strict=True))
    return [int(unit * weight) for weight in weights]


def draw(drafts: Sequence[Draft], count: int) -> list[Draft]:
    """Draw so many by hash; they stay in order."""
    if count >= len(drafts):
        return list(drafts)
    # Salted: the plain hash of an id decides which side a record is on when a version is split.
    order = sorted(range(len(drafts)), key=lambda place: short_id("mixture", drafts[place].id))
    return [drafts[place] for place in sorted(order[:count])]


def choose_licence(asked: str | None, parts: Mapping[str, str]) -> LicenceChoice:
    """Take the licence asked for, that of all parts, or ``other``.

    Args:
        asked: By the user.
        parts: Licence of each source; empty where it is not known.
    """
    known = set(parts.values())
    licence = asked or (known.pop() if len(known) == 1 and "" not in known else "other")
    if set(parts.values()) == {licence}:
        return LicenceChoice(licence, "")
    told = ", ".join(f"{source} is {one or 'unknown'}" for source, one in parts.items())
    return LicenceChoice(
        licence,
        f"Licences differ: {told}; the mixture says {licence}. Whether they may be given on "
        "together is yours to find out.",
    )


def _show(columns: Sequence[str]) -> str:
    shown = ", ".join(one[:40] for one in columns[:_MOST_SHOWN])
    return (shown or "none") + (" …" if len(columns) > _MOST_SHOWN else "")
