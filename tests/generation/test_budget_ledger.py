"""Caps over restarts: the disk allows for each request before it is sent, at whatever moment.

The law is checked against a book of its own that knows only what was promised and what came of it.
"""

import asyncio
from typing import Literal, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.generation.budget.budget import Budget, Reservation, worst_case
from pipeline.generation.budget.caps import BudgetSpentError, Caps, Spending
from schemas.errors import PacaloomError
from schemas.exchange import Decoding, Message, Prompt, Usage

PROMPT_TOKENS = 100


def make_prompt(max_tokens: int = 100) -> Prompt:
    """At worst 100 tokens of prompt and ``max_tokens`` of answer."""
    return Prompt(
        messages=(Message(role="user", content="x" * 20),),
        decoding=Decoding(max_tokens=max_tokens),
        strategy="structured",
        language="en",
    )


class Disk:
    """Takes a few turns of the loop for each write; what it holds survives a kill."""

    def __init__(self, turns: int = 2) -> None:
        self.spending = Spending()
        self.write_count = 0
        self.turns = turns

    async def write(self, spending: Spending) -> None:
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.spending = spending
        self.write_count += 1

    @property
    def tokens(self) -> int:
        return self.spending.prompt_tokens + self.spending.completion_tokens


class Sent(NamedTuple):
    """A request under way."""

    reservation: Reservation
    worst: int


class Step(NamedTuple):
    """Something that happens to a run."""

    kind: Literal["ask", "settle", "release", "forfeit", "cancel", "pass"]
    number: int
    """Which request, or how long the answer may be."""


class Run:
    """One process of a run, with a book of what it truly spent."""

    def __init__(self, caps: Caps, disk: Disk, requests: int, tokens: int) -> None:
        self.budget = Budget(caps, ledger=disk, spent=disk.spending)
        self.disk = disk
        self.requests = requests
        """Truly sent, by this process and those before."""
        self.tokens = tokens
        """Truly billed at most: settled, and the worst case of what is under way."""
        self.under_way: list[Sent] = []
        self.asking: dict[asyncio.Task[Reservation], int] = {}

    async def take(self, step: Step) -> None:
        if step.kind == "ask":
            prompt = make_prompt(16 + step.number)
            worst = worst_case(prompt)
            task = asyncio.create_task(self.budget.reserve(prompt))
            self.asking[task] = worst.prompt_tokens + worst.completion_tokens
        elif step.kind == "cancel" and self.asking:
            list(self.asking)[step.number % len(self.asking)].cancel()
        elif step.kind in ("settle", "release", "forfeit") and self.under_way:
            self._finish(step)
        await asyncio.sleep(0)
        self._collect()

    def _finish(self, step: Step) -> None:
        sent = self.under_way.pop(step.number % len(self.under_way))
        if step.kind == "forfeit":
            sent.reservation.forfeit()
            return
        used = 0 if step.kind == "release" else step.number % (sent.worst + 1)
        prompt = min(used, PROMPT_TOKENS)
        sent.reservation.settle(Usage(prompt_tokens=prompt, completion_tokens=used - prompt))
        self.tokens += used - sent.worst

    def _collect(self) -> None:
        """Book what became of those that asked; a reservation is sent at once."""
        for task in [task for task in self.asking if task.done()]:
            worst = self.asking.pop(task)
            if task.cancelled():
                continue
            error = task.exception()
            if error is None:
                self.under_way.append(Sent(task.result(), worst))
                self.requests += 1
                self.tokens += worst
            else:
                assert isinstance(error, PacaloomError)

    async def end(self) -> None:
        """Let everything come to its end: nobody waits for ever."""
        for number in range(10_000):
            if not self.asking:
                break
            await self.take(Step("settle", number))
        assert not self.asking
        for sent in self.under_way:
            sent.reservation.forfeit()
        await self.budget.close()


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(["ask", "ask", "ask", "settle", "settle", "release", "forfeit", "cancel"])
        | st.just("pass"),
        st.integers(0, 300),
    ),
    max_size=60,
)
caps_of_runs = st.builds(
    Caps,
    max_requests=st.none() | st.integers(1, 40),
    max_tokens=st.integers(420, 12_000),
    max_usd=st.none(),
    max_minutes=st.none(),
)


@given(lives=st.lists(steps, min_size=1, max_size=3), caps=caps_of_runs, turns=st.integers(0, 5))
def test_no_cap_is_passed_however_requests_and_kills_interleave(
    lives: list[list[Step]], caps: Caps, turns: int
) -> None:
    disk, requests, tokens = Disk(turns), 0, 0

    async def live(life: list[Step]) -> Run:
        run = Run(caps, disk, requests, tokens)
        for step in life:
            await run.take(step)
            assert run.requests <= (caps.max_requests or run.requests)
            assert run.tokens <= (caps.max_tokens or 0)
            # The disk allows for all that is under way, at every moment.
            assert disk.tokens >= run.tokens
            assert caps.max_requests is None or disk.spending.requests >= run.requests
            assert disk.tokens <= (caps.max_tokens or 0)
        for task in run.asking:  # killed: nothing of this process goes on
            task.cancel()
        return run

    for life in lives:
        run = asyncio.run(live(life))
        requests, tokens = run.requests, run.tokens


# The first gives back, while the disk is written, more than the next block holds.
@example(
    life=[
        *(Step("ask", number) for number in (58, 0, 0)),
        Step("cancel", 0),
        *(Step("ask", number) for number in (0, 0, 3, 114)),
    ],
    caps=Caps(max_tokens=813),
    turns=2,
)
@given(life=steps, caps=caps_of_runs, turns=st.integers(0, 5))
def test_everyone_is_answered_and_the_end_is_written_exactly(
    life: list[Step], caps: Caps, turns: int
) -> None:
    disk = Disk(turns)

    async def live() -> Run:
        run = Run(caps, disk, 0, 0)
        for step in life:
            await run.take(step)
        await run.end()
        return run

    run = asyncio.run(live())

    assert disk.tokens == run.tokens
    assert disk.spending.requests == run.requests == run.budget.requests_sent


async def ask(budget: Budget, count: int, at_once: int) -> None:
    slots = asyncio.Semaphore(at_once)

    async def ask_one() -> None:
        async with slots:
            reservation = await budget.reserve(make_prompt())
            await asyncio.sleep(0)
            reservation.settle(Usage(prompt_tokens=20, completion_tokens=20))

    await asyncio.gather(*(ask_one() for _ in range(count)))


@pytest.mark.parametrize("at_once", [1, 64])
async def test_a_kill_loses_a_block_and_what_came_back_since(at_once: int) -> None:
    disk = Disk()
    budget = Budget(Caps(max_requests=6400, max_tokens=640_000), ledger=disk)

    await ask(budget, 2000, at_once)

    spent = budget.spent
    # A block is a 64th of the cap: 100 requests and 10,000 tokens; a request is 200 at worst.
    assert 0 <= disk.spending.requests - spent.requests <= 100
    lost = disk.tokens - spent.prompt_tokens - spent.completion_tokens
    assert 0 <= lost <= 10_000 + at_once * 200
    await budget.close()


async def test_the_disk_is_written_far_more_seldom_than_requests_are_sent() -> None:
    disk = Disk()
    budget = Budget(Caps(max_requests=6400, max_tokens=640_000), ledger=disk)

    await ask(budget, 6400, at_once=64)
    await budget.close()

    assert budget.spent.requests == 6400
    assert disk.write_count <= 200


async def test_without_caps_only_the_end_is_written() -> None:
    disk = Disk()
    budget = Budget(ledger=disk)

    await ask(budget, 50, at_once=4)
    assert disk.write_count == 0
    await budget.close()

    assert disk.spending[:3] == (50, 1000, 1000)


async def test_a_run_that_asked_nothing_writes_nothing() -> None:
    disk = Disk()
    budget = Budget(Caps(max_requests=5), ledger=disk)

    await budget.close()

    assert disk.write_count == 0


async def test_totals_grow_over_restarts() -> None:
    disk = Disk()
    for _ in range(3):
        budget = Budget(ledger=disk, spent=disk.spending)
        await ask(budget, 10, at_once=2)
        await budget.close()

    assert disk.spending[:3] == (30, 600, 600)


async def test_a_cap_holds_for_all_processes_of_a_run_together() -> None:
    disk = Disk()
    caps = Caps(max_requests=25)
    for _ in range(2):
        budget = Budget(caps, ledger=disk, spent=disk.spending)
        await ask(budget, 10, at_once=2)
        await budget.close()
    budget = Budget(caps, ledger=disk, spent=disk.spending)

    with pytest.raises(BudgetSpentError):
        await ask(budget, 10, at_once=1)

    assert budget.requests_sent == 5
    await budget.close()


async def test_seconds_of_a_long_wait_are_on_the_disk_before_it_ends() -> None:
    disk = Disk()
    now = [0.0]
    budget = Budget(Caps(max_minutes=64.0), ledger=disk, clock=lambda: now[0])

    (await budget.reserve(make_prompt())).release()

    # A block of 64 minutes is one minute.
    assert disk.spending.seconds == 60.0
    now[0] = 45.0
    (await budget.reserve(make_prompt())).release()
    now[0] = 50.0
    await budget.close()
    assert disk.spending.seconds == 50.0


async def test_an_endpoint_that_bills_beyond_the_worst_case_ends_the_run_all_the_same() -> None:
    disk = Disk()
    budget = Budget(Caps(max_tokens=1000), ledger=disk)
    reservations = [await budget.reserve(make_prompt()) for _ in range(3)]
    waiting = asyncio.create_task(budget.reserve(make_prompt()))

    for reservation in reservations:
        reservation.settle(Usage(prompt_tokens=100, completion_tokens=400))

    with pytest.raises(BudgetSpentError):
        await waiting
    await budget.close()
    assert disk.tokens == 1500


async def test_a_disk_that_fails_ends_the_asking_with_its_own_words() -> None:
    class FullDisk(Disk):
        async def write(self, spending: Spending) -> None:
            raise PacaloomError("no space left")

    budget = Budget(Caps(max_requests=5), ledger=FullDisk())

    for _ in range(2):
        with pytest.raises(PacaloomError, match="no space left"):
            await budget.reserve(make_prompt())
    assert budget.requests_sent == 0
