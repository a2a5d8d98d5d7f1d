"""Several real servers behind one teacher: shares, failures, deaths and returns."""

import asyncio
import random
from collections import Counter

import pytest
from pydantic import SecretStr

from benchmarks.scripted.connection import Behaviour
from benchmarks.scripted.faults import Fault, FaultPlan
from pipeline.generation.budget.budget import Budget, BudgetSpentError
from pipeline.generation.budget.caps import Caps
from pipeline.generation.teacher.endings import (
    TeacherFailedError,
    TeacherUnreachableError,
)
from pipeline.generation.teacher.endpoint_list import ListedEndpoint
from pipeline.generation.teacher.pool import TeacherPool
from pipeline.generation.teacher.waiting import Clock
from schemas.exchange import Completion
from tests.generation.mortal_server import QUICK, MortalServer, list_servers, serve_several
from tests.generation.teacher_room import KEY, MODEL, make_prompt
from tests.generation.virtual_time import SkippedTime


class Told(list[str]):
    """Lines for people."""

    def about(self, server: MortalServer) -> list[str]:
        return [line for line in self if server.base_url in line]


async def ask_all(pool: TeacherPool, count: int, budget: Budget | None = None) -> list[Completion]:
    """Ask so many different prompts at once."""
    budget = budget or Budget()
    return await asyncio.gather(*(pool.complete(make_prompt(n), budget) for n in range(count)))


def make_pool(
    servers: list[MortalServer],
    told: Told | None = None,
    *,
    weights: list[float] | None = None,
    concurrency: int = 12,
    clock: Clock | None = None,
    timeout_s: float = 20,
) -> TeacherPool:
    return TeacherPool(
        list_servers(servers, weights),
        MODEL,
        concurrency=concurrency,
        tell=(Told() if told is None else told).append,
        timeout_s=timeout_s,
        clock=clock,
    )


def check_each_answered_once(completions: list[Completion], count: int) -> None:
    assert [one.id for one in completions] == [make_prompt(n).key(MODEL) for n in range(count)]


@pytest.mark.parametrize("concurrency", [1, 3, 24])
async def test_healthy_endpoints_are_asked_by_their_weights(concurrency: int) -> None:
    async with serve_several(QUICK, QUICK, QUICK) as servers:
        pool = make_pool(servers, weights=[3, 2, 1], concurrency=concurrency)
        completions = await ask_all(pool, 300)
        await pool.close()

    check_each_answered_once(completions, 300)
    shares = [server.requests / 300 for server in servers]
    assert shares == pytest.approx([3 / 6, 2 / 6, 1 / 6], abs=0.06)
    assert all(one.attempts == 1 for one in completions)


async def test_endpoint_that_is_down_at_the_start_is_gone_without_and_told_of() -> None:
    told = Told()
    async with serve_several(QUICK, QUICK) as servers:
        servers[1].kill()
        pool = make_pool(servers, told)
        completions = await ask_all(pool, 40)
        await pool.close()

    check_each_answered_once(completions, 40)
    assert servers[0].requests == 40
    [line] = told.about(servers[1])
    assert "set aside for 1 s" in line
    assert "1 of 2 endpoints go on" in line


async def test_nothing_is_lost_when_endpoints_die_at_random_moments_and_come_back() -> None:
    rng = random.Random(8)  # noqa: S311 - when servers die
    time = SkippedTime()
    slow = Behaviour(latency_s=0.01)
    async with serve_several(slow, slow, slow, slow) as servers:
        pool = make_pool(servers, concurrency=32)
        is_over = asyncio.Event()

        async def disturb() -> None:
            # The last one lives on. Cancelled in mid-start, a server would leave its socket open.
            while not is_over.is_set():
                await asyncio.sleep(rng.uniform(0.005, 0.03))
                server = rng.choice(servers[:3])
                server.kill()
                await asyncio.sleep(rng.uniform(0.005, 0.03))
                await server.start()

        disturbing = asyncio.create_task(disturb())
        completions = await ask_all(pool, 800)
        is_over.set()
        await disturbing
        await pool.close()

    assert time.now == 0
    check_each_answered_once(completions, 800)
    answered = Counter(
        question
        for server in servers
        for question, count in server.tally.snapshot().questions.items()
        if count.answered
    )
    assert len(answered) == 800


async def test_endpoint_that_comes_back_is_asked_again() -> None:
    told = Told()
    time = SkippedTime()
    async with serve_several(QUICK, QUICK) as servers:
        pool = make_pool(servers, told, clock=time.clock)
        await ask_all(pool, 20)
        servers[1].kill()
        await ask_all(pool, 20)
        before = servers[1].requests
        await servers[1].start()
        while not any("answers again" in line for line in told):
            await asyncio.sleep(0.01)
        await ask_all(pool, 40)
        await pool.close()

    assert servers[1].requests > before + 10
    assert "2 of 2 endpoints go on" in told.about(servers[1])[-1]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.SERVER_ERROR,
        Fault.UNAVAILABLE,
        Fault.RATE_LIMIT,
        Fault.RESET,
        Fault.TRUNCATED,
        Fault.WRONG_TYPE,
        Fault.EMPTY_CHOICES,
    ],
)
async def test_endpoint_that_fails_everything_is_left_alone_soon_and_costs_no_prompt(
    fault: Fault,
) -> None:
    told = Told()
    broken = QUICK._replace(faults=FaultPlan({fault: 1.0}, faulty_attempts=10**6))
    async with serve_several(QUICK, broken, QUICK) as servers:
        pool = make_pool(servers, told)
        completions = await ask_all(pool, 300)
        await pool.close()

    check_each_answered_once(completions, 300)
    assert not told.about(servers[0])
    assert 3 <= servers[1].requests <= 40
    assert max(one.attempts for one in completions) <= 4


async def test_hanging_endpoint_is_waited_for_once_and_then_set_aside() -> None:
    told = Told()
    hanging = QUICK._replace(faults=FaultPlan({Fault.HANG: 1.0}, faulty_attempts=10**6))
    async with serve_several(QUICK, hanging) as servers:
        pool = make_pool(servers, told, timeout_s=0.3, concurrency=4)
        completions = await ask_all(pool, 60)
        await pool.close()

    check_each_answered_once(completions, 60)
    assert max(one.attempts for one in completions) <= 4


async def test_endpoint_that_hangs_from_the_start_is_waited_for_as_long_as_the_others_take() -> (
    None
):
    told = Told()
    hanging = QUICK._replace(faults=FaultPlan({Fault.HANG: 1.0}, faulty_attempts=10**6))
    async with serve_several(QUICK, hanging) as servers:
        # Twice a twentieth of the first patience, which is the shortest that is learnt.
        pool = make_pool(servers, told, timeout_s=20, concurrency=8)
        completions = await asyncio.wait_for(ask_all(pool, 60), 15)
        await pool.close()

    check_each_answered_once(completions, 60)
    assert servers[1].requests <= 12


async def test_endpoint_that_asks_to_wait_is_left_alone_while_others_answer() -> None:
    busy = QUICK._replace(
        faults=FaultPlan({Fault.RATE_LIMIT_WITH_RETRY_AFTER: 1.0}, faulty_attempts=10**6),
        retry_after_s=60,
    )
    async with serve_several(QUICK, busy) as servers:
        pool = make_pool(servers)
        completions = await asyncio.wait_for(ask_all(pool, 100), 20)
        await pool.close()

    check_each_answered_once(completions, 100)
    assert servers[1].requests <= 6  # those under way when it first asked to wait


async def test_run_ends_at_once_when_no_endpoint_was_ever_reached() -> None:
    async with serve_several(QUICK, QUICK) as servers:
        for server in servers:
            server.kill()
        pool = make_pool(servers)
        with pytest.raises(TeacherUnreachableError) as caught:
            await ask_all(pool, 3)
        await pool.close()

    assert all(server.base_url in str(caught.value) for server in servers)
    assert caught.value.may_pass


async def test_run_ends_after_minutes_when_all_have_died_and_names_each() -> None:
    time = SkippedTime()
    async with serve_several(QUICK, QUICK) as servers:
        pool = make_pool(servers, clock=time.clock)
        await ask_all(pool, 10)
        for server in servers:
            server.kill()
        with pytest.raises(TeacherFailedError) as caught:
            await ask_all(pool, 10)
        await pool.close()

    assert all(server.base_url in str(caught.value) for server in servers)
    assert caught.value.may_pass
    assert 300 <= time.now < 600


async def test_minutes_of_the_budget_end_the_wait_for_endpoints() -> None:
    async with serve_several(QUICK) as servers:
        pool = make_pool(servers)
        await ask_all(pool, 2)
        servers[0].kill()
        budget = Budget(Caps(max_minutes=0.01))
        with pytest.raises(BudgetSpentError):
            await pool.complete(make_prompt(), budget)
        await pool.close()


async def test_prompt_that_every_endpoint_fails_ends_the_run() -> None:
    time = SkippedTime()
    broken = QUICK._replace(faults=FaultPlan({Fault.TRUNCATED: 1.0}, faulty_attempts=10**6))
    async with serve_several(broken, broken) as servers:
        pool = make_pool(servers, clock=time.clock)
        with pytest.raises(TeacherFailedError):
            await pool.complete(make_prompt(), Budget())
        await pool.close()


async def test_requests_that_were_cut_count_for_the_budget_with_their_worst_case() -> None:
    budget = Budget()
    cutting = QUICK._replace(faults=FaultPlan({Fault.RESET: 1.0}, faulty_attempts=10**6))
    async with serve_several(QUICK, cutting) as servers:
        pool = make_pool(servers, concurrency=2)
        completions = await ask_all(pool, 6, budget)
        await pool.close()

    counted = sum(one.usage.completion_tokens for one in completions)
    cut = servers[1].requests
    assert cut >= 1
    assert budget.requests_sent == 6 + cut
    assert budget.spent.completion_tokens >= counted + cut * make_prompt().decoding.max_tokens


async def test_cap_on_requests_a_minute_holds_for_all_endpoints_together() -> None:
    time = SkippedTime()
    async with serve_several(QUICK, QUICK) as servers:
        pool = TeacherPool(
            list_servers(servers, [3, 1]),
            MODEL,
            concurrency=4,
            tell=Told().append,
            requests_per_minute=60,
            clock=time.clock,
        )
        await ask_all(pool, 60)
        await pool.close()

    assert time.now >= 55


async def test_no_key_is_told() -> None:
    told = Told()
    async with serve_several(QUICK, QUICK) as servers:
        servers[1].kill()
        listed = [ListedEndpoint(one.base_url, SecretStr(KEY)) for one in servers]
        pool = TeacherPool(listed, MODEL, concurrency=4, tell=told.append)
        await ask_all(pool, 8)
        await pool.close()

    assert told
    assert not any(KEY in line for line in [*told, repr(listed)])
