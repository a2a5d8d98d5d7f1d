"""Hard caps: what a request may take at worst, who waits, and in which words a cap ends a run."""

import asyncio

import pytest

from pipeline.generation.budget.budget import Budget, worst_case
from pipeline.generation.budget.caps import BudgetSpentError, Caps, CapTooSmallError, Spending
from pipeline.generation.config import Price
from schemas.exchange import Decoding, Message, Prompt, Usage
from schemas.records import Language

ANSWER = Usage(prompt_tokens=20, completion_tokens=10)
PRICE = Price(input=1.0, output=2.0)


def make_prompt(text: str = "x" * 20, max_tokens: int = 100, language: Language = "en") -> Prompt:
    """One message; at worst 64 + 16 + its bytes of prompt, here 100, and ``max_tokens``."""
    return Prompt(
        messages=(Message(role="user", content=text),),
        decoding=Decoding(max_tokens=max_tokens),
        strategy="structured",
        language=language,
    )


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("text", "language", "prompt_tokens"),
    [
        pytest.param("Name a fruit.", "en", 64 + 16 + 13, id="en"),
        pytest.param("과일 하나를 말해 줘.", "ko", 64 + 16 + 8 * 3 + 4, id="ko-three-bytes-each"),
        pytest.param("\u1112\u1161\u11ab", "ko", 64 + 16 + 9, id="ko-decomposed"),
        pytest.param("\ud800", "en", 64 + 16 + 3, id="lone-surrogate"),
    ],
)
def test_the_worst_case_is_a_token_for_each_byte_and_the_longest_answer(
    text: str, language: Language, prompt_tokens: int
) -> None:
    prompt = make_prompt(text, max_tokens=500, language=language)

    assert worst_case(prompt) == Usage(prompt_tokens=prompt_tokens, completion_tokens=500)


def test_the_worst_case_counts_schemas_and_raw_text() -> None:
    decoding = Decoding(max_tokens=16)
    raw = Prompt(raw="<|user|>", decoding=decoding, strategy="magpie", language="en")
    structured = make_prompt("").model_copy(update={"response_schema": {"type": "object"}})

    assert worst_case(raw).prompt_tokens == 64 + 8
    assert worst_case(structured).prompt_tokens == 64 + 16 + len('{"type": "object"}')


async def test_spending_adds_up_answers_refusals_and_worst_cases() -> None:
    budget = Budget(price=PRICE)

    (await budget.reserve(make_prompt())).settle(ANSWER)
    (await budget.reserve(make_prompt())).release()
    (await budget.reserve(make_prompt())).forfeit()

    spent = budget.spent
    assert spent[:3] == (3, 20 + 100, 10 + 100)
    assert spent.usd == pytest.approx((120 * 1.0 + 110 * 2.0) / 1e6)
    assert budget.requests_sent == 3


async def test_request_that_was_never_sent_leaves_its_room_to_another() -> None:
    budget = Budget(Caps(max_requests=1))

    (await budget.reserve(make_prompt())).withdraw()
    (await budget.reserve(make_prompt())).settle(ANSWER)

    assert budget.spent[:3] == (1, 20, 10)
    assert budget.requests_sent == 1


async def test_only_the_first_word_on_a_reservation_counts() -> None:
    budget = Budget()
    reservation = await budget.reserve(make_prompt())

    reservation.settle(ANSWER)
    reservation.forfeit()

    assert budget.spent[:3] == (1, 20, 10)


async def test_a_request_waits_until_those_under_way_give_back_what_it_needs() -> None:
    budget = Budget(Caps(max_tokens=450))
    first, second = [await budget.reserve(make_prompt()) for _ in range(2)]

    third = asyncio.create_task(budget.reserve(make_prompt()))
    fourth = asyncio.create_task(budget.reserve(make_prompt(max_tokens=16)))
    await asyncio.sleep(0)
    assert not third.done()
    assert not fourth.done()  # it would fit the 50 that are left, but the third was first
    first.settle(ANSWER)

    assert (await asyncio.wait([third, fourth], return_when="FIRST_COMPLETED"))[0] == {third}
    second.settle(ANSWER)
    (await third).settle(ANSWER)
    (await fourth).settle(ANSWER)
    assert budget.spent[:3] == (4, 80, 40)


async def test_those_that_wait_hear_at_once_that_no_room_will_come() -> None:
    budget = Budget(Caps(max_tokens=450))
    first, second = [await budget.reserve(make_prompt()) for _ in range(2)]
    waiting = [asyncio.create_task(budget.reserve(make_prompt())) for _ in range(3)]
    await asyncio.sleep(0)

    first.forfeit()
    second.forfeit()
    ends = await asyncio.gather(*waiting, return_exceptions=True)

    assert all(isinstance(end, BudgetSpentError) and end.cap == "max-tokens" for end in ends)
    assert budget.requests_sent == 2


async def test_a_cancelled_wait_gives_its_place_to_the_next() -> None:
    budget = Budget(Caps(max_tokens=250))
    first = await budget.reserve(make_prompt())
    second, third = [asyncio.create_task(budget.reserve(make_prompt())) for _ in range(2)]
    await asyncio.sleep(0)

    first.release()
    second.cancel()  # in the moment in which the room was its own

    (await third).settle(ANSWER)
    assert second.cancelled()
    assert budget.spent.requests == 2


async def test_256_at_once_never_pass_a_cap_on_requests() -> None:
    budget = Budget(Caps(max_requests=1000))

    async def ask() -> None:
        reservation = await budget.reserve(make_prompt())
        await asyncio.sleep(0)
        reservation.release()

    ends = await asyncio.gather(*(ask() for _ in range(1256)), return_exceptions=True)

    assert ends.count(None) == budget.requests_sent == budget.spent.requests == 1000


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        pytest.param(
            Caps(max_requests=1), r"cap of 1 requests is reached.*Raise max_requests", id="requests"
        ),
        pytest.param(
            Caps(max_tokens=229),
            r"229 tokens is reached: 30 are spent and the next request may take 200\. Raise",
            id="tokens",
        ),
        pytest.param(
            Caps(max_usd=0.0003),
            r"\$0\.0003 is reached: \$0\.0000400 are spent and the next request may cost",
            id="usd",
        ),
    ],
)
async def test_a_spent_cap_says_what_is_spent_and_how_to_go_on(caps: Caps, words: str) -> None:
    budget = Budget(caps, PRICE)
    (await budget.reserve(make_prompt())).settle(ANSWER)

    with pytest.raises(BudgetSpentError, match=words) as raised:
        await budget.reserve(make_prompt())

    assert "every answer so far is in the journal" in str(raised.value)


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        pytest.param(
            Caps(max_tokens=199), r"cap of 199 tokens.*Set max_tokens to at least 200,", id="tokens"
        ),
        pytest.param(
            Caps(max_usd=0.0002), r"cap of \$0\.0002.*Set max_usd to at least 0\.000300,", id="usd"
        ),
    ],
)
async def test_a_cap_too_small_for_one_request_names_the_smallest_that_works(
    caps: Caps, words: str
) -> None:
    with pytest.raises(CapTooSmallError, match=words):
        await Budget(caps, PRICE).reserve(make_prompt())


@pytest.mark.parametrize("caps", [Caps(max_tokens=200), Caps(max_usd=0.0003)])
async def test_the_smallest_cap_that_was_named_works(caps: Caps) -> None:
    (await Budget(caps, PRICE).reserve(make_prompt())).forfeit()


def test_a_cap_in_dollars_needs_a_price() -> None:
    with pytest.raises(ValueError, match="price"):
        Budget(Caps(max_usd=1.0))


async def test_minutes_are_counted_from_the_first_request_and_over_restarts() -> None:
    clock = Clock()
    budget = Budget(Caps(max_minutes=2.0), spent=Spending(seconds=30.0), clock=clock)
    clock.now += 500
    assert budget.seconds_left == 90.0

    reservation = await budget.reserve(make_prompt())
    clock.now += 60
    reservation.settle(ANSWER)
    assert budget.seconds_left == 30.0
    clock.now += 31

    with pytest.raises(BudgetSpentError, match=r"2\.0 minutes.*2\.0 have passed.*max_minutes"):
        await budget.reserve(make_prompt())
    assert budget.seconds_left == 0.0
    await budget.close()
    clock.now += 1000
    assert budget.spent.seconds == 30.0 + 91.0


async def test_those_that_wait_hear_when_the_minutes_are_over() -> None:
    budget = Budget(Caps(max_tokens=250, max_minutes=0.05 / 60))
    under_way = await budget.reserve(make_prompt())

    with pytest.raises(BudgetSpentError) as raised:
        await budget.reserve(make_prompt())

    assert raised.value.cap == "max-minutes"
    under_way.forfeit()
    await budget.close()


def test_without_a_cap_on_minutes_no_seconds_are_left_to_count() -> None:
    assert Budget().seconds_left is None
