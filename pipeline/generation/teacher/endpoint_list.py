"""Read the addresses, weights and keys of several endpoints that serve one teacher.

``http://10.0.0.1:8000/v1*2 http://10.0.0.2:8000/v1``: separated by spaces or commas, a weight after
an asterisk. Entries are named by their number and not quoted where they may hold a password.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import SecretStr

from pipeline.generation.teacher.addresses import check_address
from schemas.errors import UserError

LIST_NAME = "PACALOOM_ENDPOINTS"
KEYS_NAME = "PACALOOM_ENDPOINT_KEYS"
NO_KEY = "none"
"""Stands in the list of keys for a server that wants none."""

_SEPARATORS = re.compile(r"[\s,]+")


class EndpointListError(UserError):
    """The list of endpoints cannot be used as it stands."""


class ListedEndpoint(NamedTuple):
    """One address."""

    base_url: str
    """Ends in ``/v1``."""
    api_key: SecretStr
    """Empty for a server that wants none."""
    weight: float = 1.0
    """Requests under way there, relative to the other endpoints."""


def read_endpoint_list(addresses: str, keys: str) -> tuple[ListedEndpoint, ...]:
    """Read the two lists, in the order of the first.

    Args:
        addresses: At least one, each with a weight or none.
        keys: One for all, one each, or empty.

    Raises:
        EndpointListError: No address, a bad weight, an address twice, or another number of keys.
        UnusableAddressError: No request can be made with an address or a key.
    """
    entries = _split(addresses)
    if not entries:
        raise EndpointListError(
            f"{LIST_NAME} names no endpoint: wanted addresses separated by spaces, as "
            "http://10.0.0.1:8000/v1*2 http://10.0.0.2:8000/v1 (the number after * is a weight)."
        )
    listed = tuple(
        _read_entry(number, entry, key)
        for number, (entry, key) in enumerate(
            zip(entries, _read_keys(keys, len(entries)), strict=True), start=1
        )
    )
    _check_twice(listed)
    return listed


def _split(text: str) -> list[str]:
    return [part for part in _SEPARATORS.split(text) if part]


def _read_keys(text: str, count: int) -> Sequence[str]:
    keys = ["" if key == NO_KEY else key for key in _split(text)] or [""]
    if len(keys) == 1:
        return keys * count
    if len(keys) != count:
        raise EndpointListError(
            f"{KEYS_NAME} has {len(keys)} keys for the {count} endpoints of {LIST_NAME}: wanted "
            f"one for all, or one each in the same order ({NO_KEY} for a server that wants none)."
        )
    return keys


def _read_entry(number: int, entry: str, key: str) -> ListedEndpoint:
    where = f"{LIST_NAME}, entry {number},"
    address, asterisk, weight = entry.rpartition("*")
    if not asterisk:
        address, weight = entry, "1"
    # What follows an asterisk may be the rest of a password, which no message may quote.
    for text in (entry, address) if "@" in entry else (address,):
        check_address(text, key, address_name=where, key_name=KEYS_NAME)
    return ListedEndpoint(address.rstrip("/"), SecretStr(key), _read_weight(weight, where))


def _read_weight(text: str, where: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise EndpointListError(
            f"{where} has the weight {text!r}: wanted a number above 0, as *2 or *0.5."
        )
    return weight


def _check_twice(listed: Sequence[ListedEndpoint]) -> None:
    from httpx2 import URL

    seen: dict[tuple[str, str, int | None, str], int] = {}
    for number, one in enumerate(listed, start=1):
        url = URL(one.base_url)  # lower case, and without the port that its scheme has anyway
        first = seen.setdefault((url.scheme, url.host, url.port, url.path), number)
        if first != number:
            raise EndpointListError(
                f"{LIST_NAME} names {one.base_url} twice, as entries {first} and {number}: give "
                "it once, with a higher weight."
            )
