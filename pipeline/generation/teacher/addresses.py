"""Refuse an address or key with which no request can be made, before one is.

The HTTP client would say so with the first request, in exceptions that hold the key or a password.
"""

from schemas.errors import UserError


class UnusableAddressError(UserError):
    """No request can be made with the address or the key."""


def check_address(base_url: str, api_key: str) -> None:
    """Accept what requests can be made with; an empty key is for servers that want none.

    Raises:
        UnusableAddressError: It quotes neither, since people mix the two up and an address may
            hold a password.
    """
    if not _is_address(base_url):
        raise UnusableAddressError(
            "OPENAI_BASE_URL is no address of an OpenAI-compatible server: wanted one like "
            "http://127.0.0.1:8000/v1, with http:// or https:// and a host."
        )
    if _has_password(base_url):
        raise UnusableAddressError(
            "OPENAI_BASE_URL has a user name or password in it, which would get into logs: take "
            "it out and give the key in OPENAI_API_KEY."
        )
    if not (api_key.isascii() and api_key.isprintable()):
        raise UnusableAddressError(
            "OPENAI_API_KEY has characters that no key has (line breaks or letters outside "
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


def _has_password(address: str) -> bool:
    return "@" in address.split("://", 1)[-1].split("/", 1)[0]
