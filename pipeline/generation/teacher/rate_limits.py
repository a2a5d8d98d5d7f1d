"""Caps on requests and tokens a minute, and pauses that hold back every request.

Requests are spaced evenly, because endpoints apply a minute's limit to shorter spans as well.
Tokens are counted over the last 60 seconds, each request with an estimate until its usage is
known, so that no span of 60 seconds holds more than either cap. Only the first in the queue
watches the clock, so a wait costs the same with one request held back as with a thousand.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from pipeline.generation.teacher.waiting import Clock
from schemas.exchange import Prompt

_MINUTE_S = 60.0
_LOOK_AGAIN_S = 0.25
"""Longest sleep of the first in the queue, who then looks for tokens that came back, for new
pauses, and for the end of the run."""

_BYTES_PER_TOKEN = 3
"""English text has about 4 and Korean about 2.5 with the vocabularies of today."""


class TokenClaim:
    """Tokens that a request counts for in the minute after it was sent."""

    __slots__ = ("is_over", "sent_at", "tokens")

    def __init__(self, sent_at: float, tokens: int) -> None:
        self.sent_at = sent_at
        self.tokens = tokens
        self.is_over = False


class Caps(NamedTuple):
    """What an endpoint allows in a minute."""

    requests: float | None = None
    tokens: float | None = None

    def share(self, part: float) -> "Caps":
        """Return the part of them that one of several endpoints is given."""
        return Caps(*(None if cap is None else cap * part for cap in self))


class RateLimits:
    """The gate before every request; belongs to one event loop."""

    def __init__(self, caps: Caps, clock: Clock) -> None:
        self._spacing_s = _MINUTE_S / caps.requests if caps.requests else 0.0
        self._token_cap = caps.tokens
        self.counts_tokens = caps.tokens is not None
        """Whether estimates matter."""
        self._is_capped = bool(caps.requests or caps.tokens)
        self._clock = clock
        self._paused_until = 0.0
        self._next_request_at = 0.0
        self._claims: deque[TokenClaim] = deque()
        self._claimed = 0
        self._turn = asyncio.Lock()

    @property
    def pause_s(self) -> float:
        """Seconds that the pause for every request still lasts."""
        return max(0.0, self._paused_until - self._clock.now())

    def pause(self, seconds: float) -> None:
        """Hold back every request for so long; a shorter pause does not end a longer one."""
        if seconds > 0:
            self._paused_until = max(self._paused_until, self._clock.now() + seconds)

    async def pass_through(self, tokens: int, may_wait: Callable[[], bool]) -> TokenClaim | None:
        """Wait until a request may be sent, in the order of asking.

        Args:
            tokens: Estimate of what it will use. More than the cap passes alone.
            may_wait: Asked before each wait: whether the run goes on at all.

        Returns:
            The claim to correct once the usage is known; None where waiting has lost its sense.
        """
        now = self._clock.now()
        if not self._is_capped and now >= self._paused_until and not self._turn.locked():
            return TokenClaim(now, tokens)
        async with self._turn:
            while (wait := self._find_wait(tokens)) > 0:
                if not may_wait():
                    return None
                await self._clock.sleep(min(wait, _LOOK_AGAIN_S))
            return self._claim(tokens)

    def correct(self, claim: TokenClaim, used: int) -> None:
        """Put the usage in the place of the estimate."""
        if self._token_cap is not None and not claim.is_over:
            self._claimed += used - claim.tokens
        claim.tokens = used

    def _find_wait(self, tokens: int) -> float:
        now = self._clock.now()
        until = max(self._paused_until, self._next_request_at)
        if self._token_cap is not None:
            until = max(until, self._find_room(self._token_cap - tokens, now))
        return until - now

    def _find_room(self, room: float, now: float) -> float:
        """Return when the claims of the last minute are down to ``room``, or none are left."""
        while self._claims and self._claims[0].sent_at + _MINUTE_S <= now:
            over = self._claims.popleft()
            over.is_over = True
            self._claimed -= over.tokens
        claimed = self._claimed
        free_at = now
        for claim in self._claims:
            if claimed <= room:
                break
            claimed -= claim.tokens
            free_at = claim.sent_at + _MINUTE_S
        return free_at

    def _claim(self, tokens: int) -> TokenClaim:
        now = self._clock.now()
        claim = TokenClaim(now, tokens)
        self._next_request_at = now + self._spacing_s
        if self._token_cap is not None:
            self._claims.append(claim)
            self._claimed += tokens
        return claim


def estimate_tokens(prompt: Prompt) -> int:
    """Estimate what a request will use: its text, and an answer of the full length."""
    texts = [prompt.raw, *(message.content for message in prompt.messages)]
    length = sum(len(text.encode()) for text in texts)
    return length // _BYTES_PER_TOKEN + prompt.decoding.max_tokens
