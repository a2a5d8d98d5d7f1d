"""Take the API key out of what an endpoint says, which may quote it.

Local servers are given words such as "ollama" for a key, which an answer may well contain; no real
key is shorter than 16 characters. An error message loses nothing by more caution.
"""

_SHORTEST_IN_ANSWERS = 16
_SHORTEST_IN_ERRORS = 4


class KeyMask:
    """Knows one API key; put it over bytes before anything is cut out of them."""

    def __init__(self, api_key: str) -> None:
        """An empty key masks nothing."""
        self._key = api_key.encode()

    def in_answer(self, body: bytes) -> bytes:
        """Mask the key in what may be an answer."""
        return self._mask(body, _SHORTEST_IN_ANSWERS)

    def in_error(self, body: bytes) -> bytes:
        """Mask the key in the words of an error."""
        return self._mask(body, _SHORTEST_IN_ERRORS)

    def _mask(self, body: bytes, shortest: int) -> bytes:
        return body.replace(self._key, b"***") if len(self._key) >= shortest else body


NO_KEY = KeyMask("")
