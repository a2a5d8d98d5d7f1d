"""Tell people, once for each cap, when most of it is used: there is time to raise it.

What is settled counts, not what is reserved: near a cap of dollars the worst cases that are under
way would make the warning come early. Cost: one comparison of four numbers a request.
"""

import math
from collections.abc import Callable

from pipeline.generation.budget.caps import Cap
from pipeline.generation.budget.lease import Amount

_MOSTLY = 0.8
"""Share of a cap at which people are told."""

_SURELY_TOLD = 0.85
"""A restart that begins beyond this was told before it. What the disk allows for is some hundredths
of a cap ahead of what was spent, so a process that was killed just before 80 % has not told."""

_PICO = 1e12

_ROUNDING = 1 - 1e-12
"""Four of five requests are 80 %, whatever 0.8 is in binary."""

Tell = Callable[[Cap, float, float], None]
"""Takes a cap, what of it is used, and the cap itself: requests, tokens, US dollars or minutes."""


def tell_nobody(cap: Cap, used: float, limit: float) -> None:
    """Do nothing."""


class Warner:
    """Looks at what one run has settled."""

    def __init__(self, limits: Amount, spent: Amount, tell: Tell) -> None:
        """Set the marks.

        Args:
            limits: Infinite where there is no cap.
            spent: By the earlier processes of the run.
            tell: Must return at once and never raise.
        """
        self._limits = limits
        self._tell = tell
        self._marks = Amount(
            *(
                math.inf if used >= _SURELY_TOLD * limit else _MOSTLY * limit * _ROUNDING
                for used, limit in zip(spent, limits, strict=True)
            )
        )

    def look(self, settled: Amount) -> None:
        """Tell of each cap whose mark was passed, and of each only once."""
        if settled.fits(self._marks):
            return
        caps: tuple[Cap, ...] = ("max-requests", "max-tokens", "max-usd", "max-minutes")
        units = Amount(1, 1, _PICO, 60)
        for cap, used, mark, limit, unit in zip(
            caps, settled, self._marks, self._limits, units, strict=True
        ):
            if used > mark:
                self._tell(cap, used / unit, limit / unit)
        self._marks = Amount(
            *(
                math.inf if used > mark else mark
                for used, mark in zip(settled, self._marks, strict=True)
            )
        )
