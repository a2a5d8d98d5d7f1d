"""Move labels on a circle apart, each as little as it must."""

from collections.abc import Sequence


def spread(angles: Sequence[float], gaps: Sequence[float], room: float) -> list[float]:
    """Find places in the order of ``angles`` that are far enough apart and close to them.

    Least squares under the gaps by pooling neighbours that would touch (isotonic regression,
    Barlow et al. 1972); linear. What the circle's end presses together is pushed to both sides.

    Args:
        angles: Where the labels would best be, ascending, from 0 to ``room``.
        gaps: What each label needs, in the same unit; together at most ``room``.
        room: Once around.
    """
    # Taking each label's own needs off turns "apart by gaps" into "in order".
    needs: list[float] = []
    total = 0.0
    for gap in gaps:
        needs.append(total + gap / 2)
        total += gap
    pools: list[tuple[float, int]] = []
    for angle, need in zip(angles, needs, strict=True):
        pools.append((angle - need, 1))
        while len(pools) > 1 and _mean(pools[-2]) > _mean(pools[-1]):
            last, size = pools.pop()
            before, others = pools.pop()
            pools.append((before + last, others + size))
    levels = [_mean(pool) for pool in pools for _ in range(pool[1])]
    # Within [0, room - total] no label reaches over the start, where the last meets the first.
    slack = max(0.0, room - total)
    return [min(max(level, 0.0), slack) + need for level, need in zip(levels, needs, strict=True)]


def _mean(pool: tuple[float, int]) -> float:
    return pool[0] / pool[1]
