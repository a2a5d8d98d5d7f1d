"""What each rule costs: the records that would be kept without it."""

from collections import Counter
from collections.abc import Iterable

from schemas.records import Reason, Rejection


def cost_in_yield(rejections: Iterable[Rejection]) -> dict[Reason, int]:
    """Count for each rule the records that it alone rejected, dearest rule first.

    Records that break several rules are no single rule's cost. Later stages may still drop some
    of those counted, so this is an upper bound of what switching the rule off would keep.
    """
    alone: Counter[Reason] = Counter(
        rejection.reason
        for rejection in rejections
        if rejection.stage == "rules" and not rejection.also
    )
    return dict(alone.most_common())
