"""How fast the client asks: pauses are for everyone, overload halves, slow endpoints get time."""

import asyncio
from email.utils import formatdate

import pytest

from pipeline.generation.budget.budget import Budget
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.endings import TeacherFailedError, TeacherRefusedError
from tests.generation.scripted_server import Asked, ScriptedServer, Trick, serve
from tests.generation.teacher_room import KEY, MODEL, in_turn, make_prompt, refuse
from tests.generation.virtual_time import SkippedTime


async def ask_many(
    server: ScriptedServer, count: int, time: SkippedTime, *, concurrency: int = 4
) -> list[str]:
    """Ask so many prompts at once and return what was answered."""
    async with Teacher(
        server.base_url, MODEL, KEY, concurrency=concurrency, clock=time.clock
    ) as teacher:
        asks = [teacher.complete(make_prompt(n), Budget()) for n in range(count)]
        return [completion.text for completion in await asyncio.gather(*asks)]


async def test_retry_after_of_one_prompt_pauses_the_others_too() -> None:
    time = SkippedTime()
    sent_at: list[float] = []

    def refuse_first(number: int, _asked: Asked) -> Trick | None:
        sent_at.append(time.now)
        return Trick(status=429, headers=(("retry-after", "40"),)) if number == 1 else None

    with serve(refuse_first) as server:
        await ask_many(server, 6, time, concurrency=1)

    assert sent_at[0] == 0
    assert min(sent_at[1:]) >= 40


@pytest.mark.parametrize("our_clock_is_off_by_s", [0, 86_400, -86_400])
async def test_retry_after_date_is_read_by_the_clock_of_the_endpoint(
    our_clock_is_off_by_s: float,
) -> None:
    noon = 1_800_000_000.0
    time = SkippedTime()
    clock = time.clock._replace(time_of_day=lambda: noon + our_clock_is_off_by_s)
    headers = (
        ("date", formatdate(noon, usegmt=True)),
        ("retry-after", formatdate(noon + 40, usegmt=True)),
    )
    with serve(in_turn([Trick(status=503, headers=headers)])) as server:
        async with Teacher(server.base_url, MODEL, KEY, concurrency=1, clock=clock) as teacher:
            await teacher.complete(make_prompt(), Budget())

    assert 40 <= time.now < 42


async def test_limit_with_nothing_left_is_waited_for_before_the_next_request() -> None:
    headers = (("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "1m5s"))
    time = SkippedTime()
    with serve(in_turn([Trick(answer=True, headers=headers)])) as server:
        await ask_many(server, 2, time, concurrency=1)

    assert 65 <= time.now < 67


async def test_cap_on_requests_a_minute_is_kept() -> None:
    time = SkippedTime()
    sent_at: list[float] = []

    def note(_number: int, _asked: Asked) -> None:
        sent_at.append(time.now)

    with serve(note) as server:
        async with Teacher(
            server.base_url, MODEL, KEY, concurrency=1, requests_per_minute=6, clock=time.clock
        ) as teacher:
            for number in range(4):
                await teacher.complete(make_prompt(number), Budget())

    assert sent_at == pytest.approx([0, 10, 20, 30], abs=1)


async def test_overloaded_endpoint_is_asked_fewer_at_once_and_answers_all() -> None:
    most = 0
    refused = 0

    def allow_eight(_number: int, _asked: Asked) -> Trick:
        nonlocal most, refused
        most = max(most, server.under_way)
        refused += server.under_way > 8
        busy = Trick(status=429)
        return busy if server.under_way > 8 else Trick(answer=True, delay_s=0.02)

    with serve(allow_eight) as server:
        answers = await ask_many(server, 200, SkippedTime(), concurrency=64)

    assert len(set(answers)) == 200
    assert most > 8  # it was tried, and given up: one that insists is refused most of the time
    assert refused < 200


async def test_prompt_refused_for_overload_is_not_given_up_while_others_are_answered() -> None:
    def pick_on_one(_number: int, asked: Asked) -> Trick | None:
        is_picked = asked.body["seed"] == 0 and len(server.asked) < 40
        return Trick(status=429) if is_picked else None

    with serve(pick_on_one) as server:
        answers = await ask_many(server, 60, SkippedTime(), concurrency=2)

    assert len(set(answers)) == 60


async def test_endpoint_that_is_overloaded_for_ever_ends_the_run() -> None:
    time = SkippedTime()
    with (
        serve(lambda _number, _asked: Trick(status=429, body="busy")) as server,
        pytest.raises(TeacherFailedError, match=r"answered nothing for 3\d\d seconds.*busy"),
    ):
        await ask_many(server, 1, time)
    assert 300 <= time.now <= 331  # the longest delay is 30 s


async def test_model_that_loads_for_minutes_is_waited_for_by_all_with_few_requests() -> None:
    time = SkippedTime()

    def load(_number: int, _asked: Asked) -> Trick | None:
        return Trick(status=503, body="Loading model") if time.now < 200 else None

    with serve(load) as server:
        answers = await ask_many(server, 100, time, concurrency=64)

    assert len(set(answers)) == 100
    # Delays of 1, 2, 4, 8 and 16 s make 31 s at most and half of it at least; then 15 to 30 s each.
    assert len(server.asked) - 100 <= 4 + 2 + 1 + 20


async def test_wait_that_an_endpoint_asks_for_again_and_again_grows() -> None:
    time = SkippedTime()
    trick = Trick(status=429, body="busy", headers=(("retry-after", "0"),))
    with serve(lambda _number, _asked: trick) as server:
        with pytest.raises(TeacherFailedError, match="busy"):
            await ask_many(server, 1, time)
        assert len(server.asked) <= 30
    assert time.now >= 300


async def test_server_that_goes_away_is_waited_for_and_costs_no_requests() -> None:
    time = SkippedTime()
    budget = Budget()
    with serve() as server:
        teacher = Teacher(server.base_url, MODEL, KEY, concurrency=4, clock=time.clock)
        await teacher.complete(make_prompt(), budget)
    async with teacher:
        with pytest.raises(TeacherFailedError, match="no connection"):
            await teacher.complete(make_prompt(1), budget)

    assert time.now >= 300
    # The first may be written to the old connection before its end is seen.
    assert budget.requests_sent <= 2


async def test_gateway_that_times_out_for_one_prompt_ends_the_run_though_others_are_answered() -> (
    None
):
    def time_out_on_one(_number: int, asked: Asked) -> Trick | None:
        return Trick(status=504, body="gateway") if asked.body["seed"] == 0 else None

    with serve(time_out_on_one) as server:
        with pytest.raises(TeacherFailedError, match="gateway"):
            await ask_many(server, 100, SkippedTime(), concurrency=2)
        seeds = [asked.body["seed"] for asked in server.asked]
    assert seeds.count(0) == 6


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_not_active"])
async def test_account_without_credit_ends_the_run_at_once(code: str) -> None:
    trick = refuse("You exceeded your current quota", status=429, code=code)
    with serve(lambda _number, _asked: trick) as server:
        with pytest.raises(TeacherRefusedError, match="exceeded your current quota") as caught:
            await ask_many(server, 1, SkippedTime())
        assert len(server.asked) == 1
    assert "Top up" in str(caught.value)


async def test_slow_endpoint_is_given_more_time_at_each_attempt() -> None:
    # 0.7 s of patience, 1.4 at the second attempt, 2.1 from the third on: the answer takes 0.9 s.
    with serve(lambda _number, _asked: Trick(answer=True, delay_s=0.9)) as server:
        async with Teacher(
            server.base_url, MODEL, KEY, concurrency=1, timeout_s=0.7, clock=SkippedTime().clock
        ) as teacher:
            answer = await teacher.complete(make_prompt(), Budget())

    assert answer.attempts >= 2


async def test_answers_with_the_same_id_are_two_answers() -> None:
    with serve() as server:
        answers = await ask_many(server, 20, SkippedTime())
    assert len(set(answers)) == 20


async def test_connection_lost_before_the_first_answer_is_not_called_unreachable() -> None:
    # The transport reports it as a failed connection; but the request was sent and may be billed.
    budget = Budget()
    with serve(in_turn([Trick(drop=True)])) as server:
        async with Teacher(
            server.base_url, MODEL, KEY, concurrency=1, clock=SkippedTime().clock
        ) as teacher:
            answer = await teacher.complete(make_prompt(), budget)

    assert answer.attempts == 2
    assert budget.spent.prompt_tokens > 11
