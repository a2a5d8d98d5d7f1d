"""The address of a Redis: checked with the config, long before anything is connected."""

from typing import NamedTuple
from urllib.parse import urlsplit

from schemas.errors import UserError

_DEFAULT_PORT = 6379


class StorageAddressError(UserError):
    """The address of the shared index cannot be used."""


class Address(NamedTuple):
    """Where a Redis listens."""

    host: str
    port: int
    database: int
    encrypted: bool


def check_address(url: str) -> str:
    """Return the address when it is one that may be written down.

    Raises:
        StorageAddressError: It is none, or it holds a password.
    """
    parse_address(url)
    return url


def parse_address(url: str) -> Address:
    """Take an address apart.

    Raises:
        StorageAddressError: It is none, or it holds a password.
    """
    # The config is written into manifests and logs, and so would be the password; nor is it shown.
    if "@" in url or "?" in url:
        raise StorageAddressError(
            "near_duplicates.storage holds a user, password or options, which would be written "
            "into each manifest. Give redis://HOST:PORT/DATABASE, and the password as "
            "PACALOOM_REDIS_PASSWORD in the environment or in .env."
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = parts = None
    database = parts.path.strip("/") if parts is not None else ""
    if (
        parts is None
        or parts.scheme not in ("redis", "rediss")
        or host is None
        or not (database or "0").isdecimal()
    ):
        raise StorageAddressError(
            f"near_duplicates.storage is {url!r}; wanted redis://HOST:PORT/DATABASE, such as "
            "redis://127.0.0.1:6379/0, or rediss:// for TLS."
        )
    return Address(host, port or _DEFAULT_PORT, int(database or "0"), parts.scheme == "rediss")
