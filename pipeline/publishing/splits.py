"""Divide records into train and validation by their ids.

A record's side depends on its id alone, so it stays where it is when the dataset grows; only when
the draw leaves a side empty is one record moved. Cost: one comparison a record.
"""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.records import InstructionRecord

VALIDATION_SHARE = 0.1
"""Share of ids that fall on the validation side, in expectation."""

_ID_SPACE = 16**8


class Splits(NamedTuple):
    """Two disjoint parts that together hold every record, each in input order."""

    train: list[InstructionRecord]
    validation: list[InstructionRecord]


def split_records(records: Sequence[InstructionRecord]) -> Splits:
    """Split by id hash; from two records on, neither side is empty."""
    validation_ids = {record.id for record in records if _draw(record) < VALIDATION_SHARE}
    ordered = sorted(records, key=_draw)
    if len(ordered) > 1 and not validation_ids:
        validation_ids = {ordered[0].id}
    if len(ordered) > 1 and len(validation_ids) == len(ordered):
        validation_ids.remove(ordered[-1].id)
    return Splits(
        [record for record in records if record.id not in validation_ids],
        [record for record in records if record.id in validation_ids],
    )


def _draw(record: InstructionRecord) -> float:
    return int(record.id[:8], 16) / _ID_SPACE
