"""What a run may spend, what it has spent, and the words in which a cap ends it."""

from typing import Literal, NamedTuple

from schemas.errors import PacaloomError, UserError
from schemas.exchange import Usage

Cap = Literal["max-requests", "max-tokens", "max-usd", "max-minutes"]


class Caps(NamedTuple):
    """The most that a run may spend, with its restarts; None is no cap."""

    max_requests: int | None = None
    max_tokens: int | None = None
    """Of prompts and answers together."""
    max_usd: float | None = None
    max_minutes: float | None = None


class Spending(NamedTuple):
    """What a run has spent, with its restarts."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    """From the first request of each process to its end, by a clock that nobody sets."""


class BudgetSpentError(PacaloomError):
    """A cap leaves no room for another request; whatever was answered is kept."""

    def __init__(self, cap: Cap, message: str) -> None:
        """Say which cap it was."""
        super().__init__(message)
        self.cap: Cap = cap


class CapTooSmallError(UserError):
    """A cap has no room for even one request, so nothing was asked."""


def explain_spent(
    cap: Cap, caps: Caps, spent: Spending, worst: Usage, usd: float
) -> BudgetSpentError:
    """Say that a cap has no room beside what was spent.

    Args:
        cap: The cap that is in the way.
        caps: All of them.
        spent: What counts so far.
        worst: The most that the next request may take.
        usd: The most that it may cost.
    """
    tokens = spent.prompt_tokens + spent.completion_tokens
    worst_tokens = worst.prompt_tokens + worst.completion_tokens
    words = {
        "max-requests": f"{caps.max_requests or 0:,} requests is reached, restarts included",
        "max-tokens": f"{caps.max_tokens or 0:,} tokens is reached: {tokens:,} are spent and the "
        f"next request may take {worst_tokens:,}",
        "max-usd": f"${caps.max_usd} is reached: {_show_usd(spent.usd)} are spent and the next "
        f"request may cost {_show_usd(usd)}",
        "max-minutes": f"{caps.max_minutes} minutes is reached: {spent.seconds / 60:,.1f} have "
        "passed in asking",
    }
    return BudgetSpentError(
        cap,
        f"The cap of {words[cap]}. Raise {cap.replace('-', '_')} and run the same command again: "
        "every answer so far is in the journal.",
    )


def explain_too_small(cap: Cap, caps: Caps, worst: Usage, usd: float) -> CapTooSmallError:
    """Say that a cap is smaller than the worst case of one request."""
    tokens = worst.prompt_tokens + worst.completion_tokens
    parts = (
        f"{worst.prompt_tokens:,} tokens of prompt and {worst.completion_tokens:,} of answer at "
        "worst"
    )
    name = cap.replace("-", "_")
    if cap == "max-usd":
        return CapTooSmallError(
            f"A cap of ${caps.max_usd} has no room for one request, which takes {parts} and may "
            f"cost {_show_usd(usd)}. Set {name} to at least {_show_usd(usd)[1:]}, or lower "
            "decoding.max_tokens."
        )
    return CapTooSmallError(
        f"A cap of {caps.max_tokens or 0:,} tokens has no room for one request, which takes "
        f"{parts}. Set {name} to at least {tokens}, or lower decoding.max_tokens."
    )


def _show_usd(usd: float) -> str:
    """Round up, so that a cap set to what is shown is large enough."""
    digits = 2
    while digits < 12 and usd * 10**digits < 100:
        digits += 1
    return f"${-(-round(usd * 10**12) // 10 ** (12 - digits)) / 10**digits:,.{digits}f}"
