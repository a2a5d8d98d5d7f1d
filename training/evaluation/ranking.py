"""How well scores rank right answers above wrong ones, wherever the model draws its line.

A model that likes one label too much picks it everywhere, and its accuracy is that of a guess;
whether it saw a difference between the items shows in their order. The area under the ROC curve is
that order's quality: the chance that a right pair of item and label is scored above a wrong one
(Hanley & McNeil 1982, Radiology 143:29), ties counting half. Cost: a sort a label.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def auc(scores: Sequence[Sequence[float]], right: Sequence[int]) -> float | None:
    """Return the mean over labels of the area under the curve, one against the rest.

    Args:
        scores: ``(items, labels)`` in nats, from ``Answered.scores``; what ranks an item is a
            label's lead over all others, so one whose answers are all likely ranks no higher.
        right: The index of each item's label.

    Returns:
        None where there are not two labels among the items. Labels that no item has, do not count.
    """
    import numpy as np

    rows = np.asarray(scores, dtype=np.float64)
    truth = np.asarray(right)
    present = np.unique(truth)
    if len(present) < 2:
        return None
    return float(np.mean([_area(_lead(rows, label), truth == label) for label in present]))


def _lead(rows: "NDArray[np.float64]", label: int) -> "NDArray[np.float64]":
    """Return the log-odds of a label; its share would round to 1 where the model is certain."""
    import numpy as np

    return rows[:, label] - np.logaddexp.reduce(np.delete(rows, label, axis=1), axis=1)


def _area(values: "NDArray[np.float64]", is_right: "NDArray[np.bool_]") -> float:
    """Compute the Mann-Whitney statistic from mid-ranks, as a share of all pairs."""
    import numpy as np

    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[place]
    rights = int(is_right.sum())
    wrongs = len(values) - rights
    return float((ranks[is_right].sum() - rights * (rights + 1) / 2) / (rights * wrongs))
