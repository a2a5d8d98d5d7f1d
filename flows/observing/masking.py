"""Keep keys out of what is written down: the run log, notifications, events.

What cannot be written as UTF-8, lone surrogates in what a machine wrote, is spelt out.
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from pydantic import JsonValue, SecretStr

from flows.settings import Settings

_MASKED = "***"
_LONG = 8
"""Characters from which a secret is masked within words too; ``none`` and ``x``, which local
endpoints take for a key, only where they stand alone."""

_ADDRESS = re.compile(r"(?<=://)(?:(?!://)\S)+")
_UNWRITABLE = re.compile("[\ud800-\udfff]")


class Mask:
    """Replaces the secrets of the settings, however they are spelt."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {
            spelling
            for secret in secrets
            for spelling in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])
            if spelling
        }
        # The longest first: one may be a part of another.
        ordered = sorted(spellings, key=len, reverse=True)
        self._secret = re.compile("|".join(map(_match, ordered))) if ordered else None

    def hide(self, text: str) -> str:
        """Return the text without any secret, nor a name and password in an address."""
        hidden = hide_credentials(_UNWRITABLE.sub(_spell, text))
        return self._secret.sub(_MASKED, hidden) if self._secret else hidden

    def hide_within(self, value: JsonValue) -> JsonValue:
        """Return a value that is to become JSON, masked wherever it holds text."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, list):
            return [self.hide_within(one) for one in value]
        if isinstance(value, dict):
            return {self.hide(name): self.hide_within(one) for name, one in value.items()}
        return value


def make_mask(settings: Settings) -> Mask:
    """Make a mask of all secrets that the settings know."""
    secrets: list[str] = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
            secrets += [text, *(part for one in text.split() for part in _find_tokens(one))]
    return Mask(secrets)


def hide_credentials(text: str) -> str:
    """Mask name and password in each address of a text, whatever signs the password has.

    A host with a port and an @ in the path looks like a name with a slash in the password: then
    more is hidden than need be.
    """
    return _ADDRESS.sub(_hide_credentials, text)


def _hide_credentials(address: re.Match[str]) -> str:
    first = address[0].partition("/")[0]
    credentials = (address[0] if ":" in first else first).rpartition("@")[0]
    return _MASKED + address[0][len(credentials) :] if credentials else address[0]


def _spell(unwritable: re.Match[str]) -> str:
    return f"\\u{ord(unwritable[0]):04x}"


def _find_tokens(address: str) -> list[str]:
    """Find what is secret by itself in an address; in ``slack://…`` a token takes the host's place.

    Hosts and plain words stay: the log would be full of holes.
    """
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:  # no address at all; `notify` says so
        host = ""
    return [
        part
        for part in re.split(r"[/:@?&=]+", address)
        if len(part) >= _LONG
        and re.search(r"[A-Z0-9]", part)
        and not ("." in host and part.lower() == host)
    ]


def _match(secret: str) -> str:
    escaped = re.escape(secret)
    return escaped if len(secret) >= _LONG else rf"(?<!\w){escaped}(?!\w)"
