"""Divide records into train and validation by what they descend from.

Records are tied together by a common seed task, by a document or source record, and to the records
made from them; what hangs together is one family and stays on one side. A family is validation
data when each of its roots is drawn for it (:func:`schemas.lineage.is_held_out`): the seed tasks of
its records, else what a record was made from, else the record itself. The draw knows nothing of
other records, so that a record stays on its side when the dataset grows, unless a new record ties
its family to one of the training side.

Where the draw leaves a side empty, which happens to small datasets, whole families are moved. Where
all records are one family, as when every prompt mixes seed tasks of both sides, only the records
themselves can be held apart. Cost: linear in records and their keys, with near-constant look-ups
(union-find with path halving).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from schemas.identity import short_id
from schemas.lineage import VALIDATION_SHARE, find_lineage_keys, is_held_out
from schemas.records import InstructionRecord

_LARGEST_SHARE = 0.5
"""No family is moved to the validation side that would make it larger than this share."""


class Splits(NamedTuple):
    """Two disjoint parts that together hold every record, each in input order."""

    train: list[InstructionRecord]
    validation: list[InstructionRecord]
    by: Literal["lineage", "record"] = "lineage"
    """``lineage``: no seed task, document or source record has descendants on both sides.
    ``record``: only the records themselves are apart."""


class _Family(NamedTuple):
    """Records that hang together."""

    members: list[int]
    """Places in the input, rising."""
    roots: set[str]
    """Their lineage keys. What a record was made from is one only where no seed task is, so that
    reworking and editing records does not draw again for all their relatives."""


def split_records(records: Sequence[InstructionRecord]) -> Splits:
    """Split by lineage; neither side is empty when there are two different records."""
    families = _find_families(records)
    if len(families) == 1:
        return _split_by_record(records)
    held_out = [all(map(is_held_out, family.roots)) for family in families]
    if len(set(held_out)) == 1:
        held_out = _hold_out_some(families, len(records))
    sides = [False] * len(records)
    for family, is_out in zip(families, held_out, strict=True):
        for place in family.members:
            sides[place] = is_out
    return _divide(records, sides, "lineage")


def _find_families(records: Sequence[InstructionRecord]) -> list[_Family]:
    """Gather records that share a key, in the order of their first members."""
    chief: dict[str, str] = {}
    for record in records:
        # Also where it descends from nothing: another record may have been made from it.
        own = _find_chief(chief, record.id)
        for key in (*record.provenance.seed_ids, record.provenance.derived_from):
            if key:
                own = _join(chief, own, key)
    families: dict[str, _Family] = {}
    for place, record in enumerate(records):
        family = families.setdefault(_find_chief(chief, record.id), _Family([], set()))
        family.members.append(place)
        family.roots.update(find_lineage_keys(record.id, record.provenance))
    return list(families.values())


def _join(chief: dict[str, str], first: str, key: str) -> str:
    """Make one family of a chief's and a key's, and return who stands for it."""
    second = _find_chief(chief, key)
    # The key's own chief stays the chief: most records meet the seed tasks of many before them,
    # and look-ups stay short.
    chief[first] = second
    return second


def _find_chief(chief: dict[str, str], key: str) -> str:
    """Follow a key to the one that stands for its family, halving the path on the way."""
    above = chief.setdefault(key, key)
    while above != key:
        chief[key] = chief[above]
        key = chief[key]
        above = chief[key]
    return key


def _hold_out_some(families: Sequence[_Family], record_count: int) -> list[bool]:
    """Hold out families in the order of their hashes until the usual share is reached.

    The smallest family is at most half of the records, so that one can always be held out.
    """
    order = sorted(range(len(families)), key=lambda place: _draw(families[place]))
    held_out = [False] * len(families)
    count = 0
    for place in order:
        size = len(families[place].members)
        if count < VALIDATION_SHARE * record_count and count + size <= (
            _LARGEST_SHARE * record_count
        ):
            held_out[place] = True
            count += size
    return held_out


def _draw(family: _Family) -> str:
    return min(map(short_id, family.roots))


def _split_by_record(records: Sequence[InstructionRecord]) -> Splits:
    """Split by the records' own ids; one side is empty only when all are the same record."""
    ids = sorted({record.id for record in records}, key=short_id)
    if len(ids) == 1:
        return Splits(list(records), [])
    held_out = {id_ for id_ in ids if is_held_out(id_)}
    if len(held_out) in (0, len(ids)):
        held_out = {ids[0]}
    return _divide(records, [record.id in held_out for record in records], "record")


def _divide(
    records: Sequence[InstructionRecord],
    sides: Sequence[bool],
    by: Literal["lineage", "record"],
) -> Splits:
    return Splits(
        [record for record, is_out in zip(records, sides, strict=True) if not is_out],
        [record for record, is_out in zip(records, sides, strict=True) if is_out],
        by,
    )
