"""Prices: which apply where, and what a cap in dollars needs."""

from datetime import date

import pytest

from pipeline.generation.budget.prices import PriceMissingError, find_price, read_price_table
from pipeline.generation.config import Price

OPENAI = "https://api.openai.com/v1"
MINI = Price(input=0.25, output=2.0)


@pytest.mark.parametrize(
    ("model", "endpoint", "price"),
    [
        pytest.param("gpt-5-mini", OPENAI, MINI, id="by-name"),
        pytest.param("gpt-5-mini-2025-08-07", OPENAI, MINI, id="dated"),
        pytest.param("gpt-5-mini-turbo", OPENAI, None, id="longer-name"),
        pytest.param("gpt-5-mini-2025-08-07-ft", OPENAI, None, id="more-after-the-date"),
        pytest.param("ft:gpt-5-mini", OPENAI, None, id="fine-tuned"),
        pytest.param("gpt-5", OPENAI, None, id="shorter-name"),
        pytest.param("gpt-5-mini", "http://127.0.0.1:8080/v1", None, id="own-server"),
        pytest.param("gpt-5-mini", "https://api.openai.com.example.org/v1", None, id="other-host"),
        pytest.param("gpt-5-mini", "https://eu.api.openai.com/v1", None, id="regional-surcharge"),
    ],
)
def test_a_price_of_the_table_applies_to_its_model_at_its_providers_own_host(
    model: str, endpoint: str, price: Price | None
) -> None:
    assert find_price(model, own=None, endpoint=endpoint) == price


def test_own_prices_come_first_and_are_not_discounted() -> None:
    own = Price(input=7, output=9)

    assert find_price("gpt-5-mini", own=own, endpoint=OPENAI, is_batch=True) == own
    assert find_price("my-model", own=own, endpoint="http://127.0.0.1/v1") == own


def test_a_batch_costs_half() -> None:
    price = find_price("gpt-5-mini", own=None, endpoint=OPENAI, is_batch=True)

    assert price == Price(input=0.125, output=1.0)


def test_a_cap_in_dollars_without_a_price_names_the_model_and_the_flags() -> None:
    with pytest.raises(PriceMissingError, match=r"'qwen' at http://127\.0\.0\.1/v1.*price table"):
        find_price("qwen", own=None, endpoint="http://127.0.0.1/v1", is_needed=True)
    with pytest.raises(PriceMissingError, match=r"--price\.input and --price\.output"):
        find_price("gpt-9", own=None, endpoint=OPENAI, is_needed=True)


def test_each_row_says_where_and_when_it_was_seen_and_stands_once() -> None:
    rows = [row for provider in read_price_table().providers for row in provider.models]

    assert len({row.model for row in rows}) == len(rows)
    assert all(row.source.startswith("https://") for row in rows)
    assert all(date(2026, 1, 1) <= row.seen <= date(2027, 12, 31) for row in rows)
    assert all(row.output > row.input for row in rows)
