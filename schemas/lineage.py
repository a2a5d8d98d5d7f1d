"""Which side of a dataset the descendants of a seed task, document or record belong to.

Generation shows a prompt examples of one side only and publishing splits by the same draw, so that
no seed task has descendants in both training and validation data.
"""

import hashlib

VALIDATION_SHARE = 0.1
"""Share of lineage keys whose descendants are validation data, in expectation."""


def is_held_out(key: str) -> bool:
    """Tell whether the descendants of a seed task, document or record are validation data.

    The draw depends on the key alone, so that it is the same for every run and machine.
    """
    drawn = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8]
    return int.from_bytes(drawn, "big") < VALIDATION_SHARE * 2**64
