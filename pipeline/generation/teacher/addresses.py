"""Refuse an address or key with which no request can be made, before one is.

The HTTP client would say so with the first request, in exceptions that hold the key or a password.
"""

from schemas.errors import UserError


class UnusableAddressError(UserError):
    """No request can be made with the address or the key."""


def check_address(
    base_url: str,
    api_key: str,
    *,
    address_name: str = "OPENAI_BASE_URL",
    key_name: str = "OPENAI_API_KEY",
) -> None:
    """Accept what requests can be made with; an empty key is for servers that want none.

    Args:
        base_url: Address ending in ``/v1``.
        api_key: What is sent with each request.
        address_name: Where the user wrote the address, as the subject of a sentence.
        key_name: Where the user wrote the key.

    Raises:
        UnusableAddressError: It quotes neither, since people mix the two up and an address may
            hold a password.
    """
    if not _is_address(base_url):
        raise UnusableAddressError(
            f"{address_name} is no address of an OpenAI-compatible server: wanted one like "
            "http://127.0.0.1:8000/v1, with http:// or https:// and a host."
        )
    if _has_password(base_url):
        raise UnusableAddressError(
            f"{address_name} has a user name or password in it, which would get into logs: take "
            f"it out and give the key in {key_name}."
        )
    if _has_query(base_url):
        raise UnusableAddressError(
            f"{address_name} has a ? or # in it, after which nothing can be added: wanted an "
            f"address that ends in /v1; give the key in {key_name}."
        )
    if not (api_key.isascii() and api_key.isprintable()):
        raise UnusableAddressError(
            f"{key_name} has characters that no key has (line breaks or letters outside "
            "ASCII): copy it again."
        )


def _is_address(text: str) -> bool:
    from httpx2 import URL, InvalidURL

    try:
        url = URL(text)
    except InvalidURL:
        return False
    is_port = url.port is None or 0 < url.port < 65_536
    return url.scheme in ("http", "https") and url.host.strip(".%") != "" and is_port


def _has_query(address: str) -> bool:
    return "?" in address or "#" in address


def _has_password(address: str) -> bool:
    return "@" in address.split("://", 1)[-1].split("/", 1)[0]
