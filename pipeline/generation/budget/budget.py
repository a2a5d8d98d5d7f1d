"""Hard caps on a run with its restarts: the worst case of a request is reserved before it is sent.

The worst case of a prompt is one token for each UTF-8 byte of its text and schema (no byte-level
or byte-fallback tokenizer makes more), 16 for each message and 64 for what a chat template adds,
and ``decoding.max_tokens`` for the answer. What an answer did not use comes back when it is
settled, so near a cap fewer requests are under way at once.

No cap is exceeded by an endpoint that counts honestly and keeps to ``max_tokens``. What nobody can
promise: one that bills more than it reports, thinks beyond ``max_tokens``, puts long texts of its
own before the prompt, or a tokenizer that first expands ligatures. A request that may have been
billed without an answer (cut off, timed out, 500) counts with its worst case. Minutes end what is
asked and awaited, not what the endpoint goes on computing.

Cost: O(1) a request, and reading its text once. How caps survive a kill is told in ``lease``, how
people hear that a cap comes near in ``warning``.
"""

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from pipeline.generation.budget.caps import (
    BudgetSpentError,
    Cap,
    Caps,
    Spending,
    explain_spent,
    explain_too_small,
)
from pipeline.generation.budget.lease import NOTHING, Amount, Lease
from pipeline.generation.budget.warning import Tell, Warner, tell_nobody
from pipeline.generation.config import Price
from schemas.errors import PacaloomError
from schemas.exchange import Prompt, Usage

_TOKENS_A_MESSAGE = 16
_TOKENS_A_PROMPT = 64
_PICO = 10**12
_TICK_S = 1.0
_NO_CAPS = Caps()
_NOTHING_SPENT = Spending()


class Ledger(Protocol):
    """Where spending outlives the process; the journal implements it."""

    async def write(self, spending: Spending) -> None:
        """Replace what was written before; on the disk when it returns."""
        ...


def worst_case(prompt: Prompt) -> Usage:
    """Count the most tokens that one request for this prompt may take."""
    texts = [prompt.raw, *(message.content for message in prompt.messages)]
    if prompt.response_schema is not None:
        texts.append(json.dumps(prompt.response_schema))
    size = sum(len(text.encode(errors="surrogatepass")) for text in texts)
    framing = _TOKENS_A_PROMPT + _TOKENS_A_MESSAGE * len(prompt.messages)
    return Usage(prompt_tokens=size + framing, completion_tokens=prompt.decoding.max_tokens)


class Reservation:
    """Room for one request. Its first word counts; later ones do nothing.

    So ``finally: reservation.forfeit()`` is a safe end for whatever may go wrong.
    """

    def __init__(self, worst: Usage, close: Callable[[Usage | None], None]) -> None:
        """Made by :meth:`Budget.reserve`; ``close(None)`` is for what was never sent."""
        self._worst = worst
        self._close: Callable[[Usage | None], None] | None = close

    def settle(self, usage: Usage) -> None:
        """Count what the endpoint says it took; the rest comes back."""
        self._end(usage)

    def withdraw(self) -> None:
        """Give everything back: the request was never sent."""
        self._end(None)

    def release(self) -> None:
        """Give the tokens back: the endpoint refused before it worked. The request counts."""
        self._end(Usage())

    def forfeit(self) -> None:
        """Count the worst case: the request may have been billed."""
        self._end(self._worst)

    def _end(self, usage: Usage | None) -> None:
        close, self._close = self._close, None
        if close is not None:
            close(usage)


class Budget:
    """What one run may spend and has spent. Requests wait for room in the order they came.

    Lives in one event loop; ``spent``, ``seconds_left`` and ``requests_sent`` are for any thread.
    """

    def __init__(
        self,
        caps: Caps = _NO_CAPS,
        price: Price | None = None,
        *,
        ledger: Ledger | None = None,
        spent: Spending = _NOTHING_SPENT,
        tell: Tell = tell_nobody,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin where the run's earlier processes ended.

        Args:
            caps: Hard.
            price: What tokens cost; with None they cost nothing, so a cap in USD needs one.
            ledger: Makes caps hold over restarts; without one they hold for this process.
            spent: What the ledger held at the start.
            tell: Called once for each cap of which most is used, from the loop's thread.
            clock: Monotonic, so that a clock set forward or back changes nothing.

        Raises:
            ValueError: A cap in USD without a price.
        """
        if caps.max_usd is not None and price is None:
            raise ValueError("wanted a price for the cap in US dollars, found none")
        self._caps = caps
        self._limits = _to_limits(caps)
        self._pico_a_token = (
            _to_pico_a_token(price.input if price else 0.0),
            _to_pico_a_token(price.output if price else 0.0),
        )
        self._ledger = ledger
        self._clock = clock
        self._seconds_before = spent.seconds
        self._started_at: float | None = None
        self._ended_at: float | None = None
        self._used = Usage(
            prompt_tokens=spent.prompt_tokens, completion_tokens=spent.completion_tokens
        )
        self._settled = Amount(spent.requests, _sum(self._used), round(spent.usd * _PICO))
        self._under_way = NOTHING
        self._warner = Warner(self._limits, self._settled._replace(seconds=spent.seconds), tell)
        self._queue: deque[tuple[asyncio.Future[None], Usage]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._lease = Lease(self._write, self._limits, self._get_taken, clock) if ledger else None
        self.requests_sent = 0
        """By this process; refused and failed ones too."""

    @property
    def spent(self) -> Spending:
        """Settled so far, in this process and before."""
        return Spending(
            int(self._settled.requests),
            self._used.prompt_tokens,
            self._used.completion_tokens,
            self._settled.picodollars / _PICO,
            self._get_seconds(),
        )

    @property
    def seconds_left(self) -> float | None:
        """Seconds that asking may still take; 0 when over, None without a cap on minutes."""
        if self._caps.max_minutes is None:
            return None
        return max(0.0, self._limits.seconds - self._get_seconds())

    async def reserve(self, prompt: Prompt) -> Reservation:
        """Take the room for the worst case of one request, waiting while room may come back.

        Raises:
            BudgetSpentError: There is no room, whatever the requests under way give back.
            CapTooSmallError: The request alone exceeds a cap, and nothing was spent before.
        """
        worst = worst_case(prompt)
        self._start_clock()
        await self._wait_for_room(worst)
        try:
            await self._cover(worst)
        except BaseException:
            self._give_back(worst)
            raise
        self._tend()
        self.requests_sent += 1
        return Reservation(worst, lambda usage: self._end(worst, usage))

    async def close(self) -> None:
        """Write exactly what was spent; requests still under way count with their worst case."""
        if self._timer is not None:
            self._timer.cancel()
        if self._started_at is None or self._ended_at is not None:
            return
        self._ended_at = self._clock()
        if self._lease is not None:
            await self._lease.close()

    def _end(self, worst: Usage, usage: Usage | None) -> None:
        if usage is None:
            self.requests_sent -= 1
        else:
            self._count(usage)
        self._give_back(worst)
        self._tend()

    def _count(self, usage: Usage) -> None:
        self._used = Usage(
            prompt_tokens=self._used.prompt_tokens + usage.prompt_tokens,
            completion_tokens=self._used.completion_tokens + usage.completion_tokens,
        )
        self._settled = self._settled.plus(self._to_need(usage))
        self._warner.look(self._settled._replace(seconds=self._get_seconds()))

    def _give_back(self, worst: Usage) -> None:
        self._under_way = self._under_way.minus(self._to_need(worst))
        self._serve_queue()

    async def _wait_for_room(self, worst: Usage) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((turn, worst))
        self._serve_queue()
        try:
            await turn
        except asyncio.CancelledError:
            # It may have become this one's turn in the very moment in which it was cancelled.
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back(worst)
            self._serve_queue()
            raise

    async def _cover(self, worst: Usage) -> None:
        if self._lease is not None:
            # The next tick must find it still allowed for.
            taken, need = self._get_taken(), self._to_need(worst)
            seconds = min(taken.seconds + _TICK_S, self._limits.seconds)
            await self._lease.cover(
                taken._replace(seconds=max(taken.seconds, seconds)),
                need._replace(seconds=_TICK_S),
            )
        if self.seconds_left == 0:  # waiting for the disk took the last of it
            raise self._make_spent_error("max-minutes", worst)

    def _serve_queue(self) -> None:
        while self._queue:
            turn, worst = self._queue[0]
            if not turn.done():  # done: its caller was cancelled
                error = self._find_end(worst)
                if error is not None:
                    turn.set_exception(error)
                elif self._has_room(worst):
                    self._under_way = self._under_way.plus(self._to_need(worst))
                    turn.set_result(None)
                else:
                    return
            self._queue.popleft()

    def _has_room(self, worst: Usage) -> bool:
        return self._get_taken().plus(self._to_need(worst)).fits(self._limits)

    def _find_end(self, worst: Usage) -> PacaloomError | None:
        """Say why a request can never be sent; None when it can, now or later."""
        if self.seconds_left == 0:
            return self._make_spent_error("max-minutes", worst)
        need = self._to_need(worst)
        # Of what is under way, tokens may come back; requests do not, unless the run is cancelled.
        least = self._settled.plus(Amount(self._under_way.requests, 0, 0)).plus(need)
        if least.fits(self._limits):
            return None
        if not need.fits(self._limits) and least == need:
            cap = _find_exceeded(need, self._limits)
            return explain_too_small(cap, self._caps, worst, need.picodollars / _PICO)
        return self._make_spent_error(_find_exceeded(least, self._limits), worst)

    def _make_spent_error(self, cap: Cap, worst: Usage) -> BudgetSpentError:
        usd = self._to_need(worst).picodollars / _PICO
        return explain_spent(cap, self._caps, self.spent, worst, usd)

    def _to_need(self, usage: Usage) -> Amount:
        per_prompt, per_completion = self._pico_a_token
        cost = usage.prompt_tokens * per_prompt + usage.completion_tokens * per_completion
        return Amount(1, _sum(usage), cost)

    def _get_taken(self) -> Amount:
        taken = self._settled.plus(self._under_way)
        return taken._replace(seconds=self._get_seconds())

    def _get_seconds(self) -> float:
        if self._started_at is None:
            return self._seconds_before
        now = self._clock() if self._ended_at is None else self._ended_at
        return self._seconds_before + now - self._started_at

    def _start_clock(self) -> None:
        if self._started_at is None:
            self._started_at = self._clock()
            self._tick()

    def _tick(self) -> None:
        """Keep the room of minutes ahead of a long wait, and end the queue when they are over."""
        if self.seconds_left is not None:
            self._timer = asyncio.get_running_loop().call_later(
                min(_TICK_S, self.seconds_left + 0.001), self._tick
            )
            self._warner.look(Amount(0, 0, 0, self._get_seconds()))
            self._serve_queue()
            self._tend()

    def _tend(self) -> None:
        if self._lease is not None and self._ended_at is None:
            self._lease.tend()

    async def _write(self, room: Amount) -> None:
        """Write the room where there is a cap, elsewhere what is settled."""
        # What is reserved has not shown yet of which kind it will be.
        tokens = self._settled.tokens if math.isinf(room.tokens) else room.tokens
        requests = self._settled.requests if math.isinf(room.requests) else room.requests
        pico = self._settled.picodollars if math.isinf(room.picodollars) else room.picodollars
        seconds = self._get_seconds() if math.isinf(room.seconds) else room.seconds
        prompt_tokens = self._used.prompt_tokens
        spending = Spending(
            math.ceil(requests),
            prompt_tokens,
            math.ceil(tokens) - prompt_tokens,
            math.ceil(pico) / _PICO,
            seconds,
        )
        if self._ledger is not None:
            await self._ledger.write(spending)


def _sum(usage: Usage) -> int:
    return usage.prompt_tokens + usage.completion_tokens


def _to_pico_a_token(usd_a_million: float) -> int:
    return math.ceil(round(usd_a_million * 1e6, 3))


def _to_limits(caps: Caps) -> Amount:
    return Amount(
        math.inf if caps.max_requests is None else caps.max_requests,
        math.inf if caps.max_tokens is None else caps.max_tokens,
        math.inf if caps.max_usd is None else round(caps.max_usd * _PICO),
        math.inf if caps.max_minutes is None else caps.max_minutes * 60,
    )


def _find_exceeded(amount: Amount, limits: Amount) -> Cap:
    if amount.requests > limits.requests:
        return "max-requests"
    return "max-tokens" if amount.tokens > limits.tokens else "max-usd"
