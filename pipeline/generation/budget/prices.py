"""What a teacher costs: the table ``prices.json``, and the user's own prices before it.

Each row of the table names the page and the day on which it was seen. A price of the table applies
only at the provider's own host: the same name behind another address is another bill, and a server
of one's own sends none. Where a prompt token can be billed at several rates, the row has the
highest that our short prompts can meet, because a cap that is hard must assume it.
"""

import re
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from pipeline.generation.config import Price
from schemas.errors import UserError
from schemas.frozen import Frozen

_TABLE = Path(__file__).with_name("prices.json")
_DATED = re.compile(r"-20\d\d-[01]\d-[0-3]\d$")


class PriceMissingError(UserError):
    """A cap in US dollars was set for a teacher whose price nobody knows."""


class PriceRow(Frozen):
    """The price of one model."""

    model: str
    """Its name without a date, which stands for all its dated names."""
    input: float = Field(gt=0)
    """US dollars for a million tokens of prompts."""
    output: float = Field(gt=0)
    """US dollars for a million tokens of answers."""
    seen: date
    """When the page was last known to say so."""
    source: str
    note: str = ""


class Provider(Frozen):
    """The prices of one provider."""

    host: str
    """The only host at which they apply."""
    batch_factor: float = Field(gt=0, le=1)
    """What a token costs through the Batch API, as a share of its price."""
    batch_source: str
    models: tuple[PriceRow, ...]


class PriceTable(Frozen):
    """All prices that ship with the program."""

    providers: tuple[Provider, ...]


def read_price_table() -> PriceTable:
    return PriceTable.model_validate_json(_TABLE.read_bytes())


def find_price(
    model: str,
    *,
    own: Price | None,
    endpoint: str,
    is_batch: bool = False,
    is_needed: bool = False,
) -> Price | None:
    """Find what a teacher charges; None when nobody knows, as for a server of one's own.

    Args:
        model: Name as the endpoint knows it; with a date at its end it is looked up without.
        own: The user's prices, taken as they are: for batches too, they are what is paid.
        endpoint: Base URL.
        is_batch: Requests travel through the Batch API.
        is_needed: A cap in US dollars stands on it.

    Raises:
        PriceMissingError: It is needed and unknown.
    """
    if own is not None:
        return own
    host = urlsplit(endpoint).hostname
    family = _DATED.sub("", model)
    for provider in read_price_table().providers:
        for row in provider.models:
            if provider.host == host and row.model == family:
                factor = provider.batch_factor if is_batch else 1.0
                return Price(input=row.input * factor, output=row.output * factor)
    if is_needed:
        raise PriceMissingError(
            f"max_usd needs the price of {model!r} at {endpoint}, and the price table has none. "
            "Give --price.input and --price.output, in US dollars for a million tokens."
        )
    return None
