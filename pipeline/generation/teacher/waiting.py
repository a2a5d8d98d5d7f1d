"""How long an endpoint asks to wait, and the clock by which that is done.

Waiting is by the monotonic clock, which no correction of the system's time can move. The time of
day decides nothing but what a ``Retry-After`` date means, and only where the reply does not carry
the endpoint's own ``Date``.
"""

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from email.utils import parsedate_to_datetime
from typing import NamedTuple

LONGEST_WAIT_S = 300.0
"""An endpoint that asks for more is out of quota for the day: waiting in silence helps nobody."""

_LONGEST_DATED_WAIT_S = 86_400.0
"""A date further ahead is no wish to wait but a wrong clock, theirs or ours."""

# As OpenAI writes them: 1s, 6m0s, 20ms, 1h30m0s; others send a plain number of seconds.
_DURATION = re.compile(
    r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"
)
_UNIT_S = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)

_RATE_LIMIT = b"x-ratelimit-"


class Clock(NamedTuple):
    """Time as it passes; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    """Seconds since some moment; never jumps."""
    time_of_day: Callable[[], float] = time.time
    """Seconds since 1970, as far as the system knows."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def sleep_within(seconds: float, seconds_left: float | None, clock: Clock) -> None:
    """Wait, but not beyond the time that the run has left; None is without end."""
    wait = seconds if seconds_left is None else min(seconds, seconds_left)
    if wait > 0:
        await clock.sleep(wait)


def read_retry_after(header: str | None, now_s: float) -> float | None:
    """Read Retry-After, seconds or an HTTP date (RFC 9110, section 10.2.3).

    Args:
        header: Its value, if any.
        now_s: Time of day to which a date is compared, in seconds since 1970.

    Returns:
        Seconds, never negative; None where the header is missing or says nothing sensible.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        date_s = read_date(header)
        seconds = math.nan if date_s is None else date_s - now_s
        if seconds > _LONGEST_DATED_WAIT_S:
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def read_date(header: str) -> float | None:
    """Read an HTTP date as seconds since 1970."""
    try:
        return parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def read_exhaustion(headers: Iterable[tuple[bytes, bytes]]) -> float:
    """Return the seconds until a rate limit with nothing left is reset; 0 where there is room.

    Azure sends -1 for "no limit", so only an exact 0 is taken for an empty one.
    """
    limits = {
        name.lower(): value.strip().decode("latin-1")
        for name, value in headers
        if name[:12].lower() == _RATE_LIMIT
    }
    waits = [
        read_duration(limits.get(_RATE_LIMIT + b"reset-" + kind, ""))
        for kind in (b"requests", b"tokens")
        if limits.get(_RATE_LIMIT + b"remaining-" + kind) in ("0", "0.0")
    ]
    return max((wait for wait in waits if wait <= LONGEST_WAIT_S), default=0.0)


def read_duration(text: str) -> float:
    """Read a duration such as ``6m0s`` or ``1.5`` as seconds; 0 where it is none."""
    match = _DURATION.fullmatch(text)
    if match is not None:
        return sum(
            float(part) * unit for part, unit in zip(match.groups("0"), _UNIT_S, strict=True)
        )
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0
