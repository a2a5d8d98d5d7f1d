"""Which request goes wrong, and how: decided by hash, so that a run can be repeated.

What befalls the transport depends on the question and on how often it was asked, so that asking
again helps. What the answer says (cut at the limit, filtered) depends on the question alone: an
answer that was sent and lost comes back the same, as the byte-identity of a continued run needs.
"""

import hashlib
from enum import StrEnum
from typing import NamedTuple


class Fault(StrEnum):
    """What can go wrong."""

    RATE_LIMIT = "429"
    RATE_LIMIT_WITH_RETRY_AFTER = "429-retry-after"
    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    HANG = "hang"
    RESET = "reset"
    TRUNCATED = "truncated"
    WRONG_TYPE = "wrong-type"
    EMPTY_CHOICES = "empty-choices"
    SLOW = "slow"
    LENGTH = "length"
    CONTENT_FILTER = "content-filter"


_OF_THE_ANSWER = (Fault.LENGTH, Fault.CONTENT_FILTER)


class FaultPlan(NamedTuple):
    """How often each fault befalls a request."""

    shares: dict[Fault, float] = {}  # noqa: RUF012 - a NamedTuple's default, never written to
    """Probability of each fault; together at most 1."""
    seed: int = 0
    faulty_attempts: int = 3
    """Requests of one question that may fail in transport; the next one is answered."""

    def find(self, question: str, attempt: int) -> Fault | None:
        """Tell what befalls the ``attempt``-th request (from 1) of a question."""
        if not self.shares:
            return None
        answer_faults = {name: self.shares.get(name, 0.0) for name in _OF_THE_ANSWER}
        others = {n: share for n, share in self.shares.items() if n not in _OF_THE_ANSWER}
        if attempt <= self.faulty_attempts:
            drawn = _pick(others, f"{self.seed}/{question}/{attempt}")
            if drawn is not None:
                return drawn
        return _pick(answer_faults, f"{self.seed}/{question}")


def _pick(shares: dict[Fault, float], name: str) -> Fault | None:
    left = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64
    for fault, share in shares.items():
        left -= share
        if left < 0:
            return fault
    return None
