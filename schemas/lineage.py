"""Which side of a dataset the descendants of a seed task, document or record belong to.

Generation shows a prompt examples of one side only and publishing splits by the same draw, so that
no seed task has descendants in both training and validation data.
"""

import hashlib

from schemas.records import Provenance

VALIDATION_SHARE = 0.1
"""Share of lineage keys whose descendants are validation data, in expectation."""


def is_held_out(key: str) -> bool:
    """Tell whether the descendants of a seed task, document or record are validation data.

    The draw depends on the key alone, so that it is the same for every run and machine.
    """
    drawn = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8]
    return int.from_bytes(drawn, "big") < VALIDATION_SHARE * 2**64


def find_lineage_keys(record_id: str, provenance: Provenance) -> tuple[str, ...]:
    """Name what a record descends from: seed tasks, else its document or parent, else itself.

    A parent brings its own seed tasks along, so it counts only where there are none.
    """
    return provenance.seed_ids or (provenance.derived_from or record_id,)
