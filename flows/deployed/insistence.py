"""Try again what a network or an overloaded endpoint kept from succeeding, with longer waits.

The transports retry single requests for seconds; this is for the teacher that is down at three in
the morning. An attempt has to continue by itself, as all our stages do, so nothing is paid again.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from schemas.errors import PacaloomError

Result = TypeVar("Result")

WAITS_S = (60.0, 300.0, 900.0, 1800.0)
"""Between five attempts: 51 minutes are enough for a restart, and short enough for a night."""


def insist(
    label: str,
    attempt: Callable[[], Result],
    waits_s: Sequence[float],
    wait: Callable[[str, float], None],
    say: Callable[[str], None],
) -> Result:
    """Call until it succeeds, fails for good, or every wait is over; the last error is its own.

    Args:
        label: Names the attempt for people.
        attempt: Only what it raises with ``may_pass`` is tried again.
        waits_s: Seconds between the attempts, one fewer than there are attempts.
        wait: Given a line for people and the seconds.
        say: Tells people one line.
    """
    for number, seconds in enumerate(waits_s, start=1):
        try:
            return attempt()
        except PacaloomError as error:
            if not error.may_pass:
                raise
            say(f"{label}, attempt {number} of {len(waits_s) + 1}: {error}")
        wait(f"wait {describe_wait(seconds)}, then {label} again", seconds)
    try:
        return attempt()
    except PacaloomError as error:
        if error.may_pass and waits_s:
            say(
                f"{label} was tried {len(waits_s) + 1} times over {describe_wait(sum(waits_s))} "
                "and is given up. What was done is kept: run it again to continue."
            )
        raise


def describe_wait(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:g} s"
