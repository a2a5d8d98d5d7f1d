"""Go on while Prefect's server is away: killed, restarted, or its machine out of reach.

A run needs the server to begin, to tell what it has reached, and to end; in between it works
without. Prefect tries a request again for a minute, and not at all with a client that has reached
nothing before, which is every client that shows an artifact or emits an event.
"""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import httpx

Result = TypeVar("Result")

WAITS_S = (1.0, 2.0, 5.0, 10.0, *[15.0] * 38)
"""Ten minutes in all; who restarts a server has done so by then."""
_LONGEST_S = 600.0
"""With the requests: where a network swallows them, Prefect waits minutes for each."""


def outlast(
    call: Callable[[], Result],
    say: Callable[[str], None],
    waits_s: Sequence[float] = WAITS_S,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Ask the server, again and again while nobody answers.

    Args:
        call: Makes the request; may be called many times.
        say: Told one line when the wait begins, and one when it is over.
        waits_s: Before each further attempt.
        clock: Monotonic seconds; after ten minutes of them no further attempt is made.

    Raises:
        httpx.TransportError: Nobody has answered all the time.
    """
    until = clock() + _LONGEST_S
    attempt = 0
    while True:
        try:
            answer = call()
        except httpx.TransportError:
            if attempt == len(waits_s) or clock() >= until:
                raise
            if attempt == 0:
                say(
                    "Prefect's server does not answer; the run waits for it, at most "
                    f"{_LONGEST_S / 60:.0f} min. `make up` starts it again."
                )
            time.sleep(waits_s[attempt])
            attempt += 1
        else:
            if attempt > 0:
                say("Prefect's server answers again.")
            return answer
