"""The way to one endpoint: a body out, the bytes of its reply back.

What a busy or restarting server does (429, 5xx, timeouts, lost connections) is asked again, at
most eight times over three quarters of a minute, and as late as ``Retry-After`` asks; the openai
package does that. None of its exceptions leaves this module, because they carry the request and
so the key; and the key is masked in whatever the endpoint says.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx2
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    RequestOptions,
)
from pydantic import JsonValue

from schemas.errors import PacaloomError, UserError
from training.evaluation.endpoint.reference import EndpointReference

RETRIES = 8
_QUOTED = 160
_SHORTEST_KEY_IN_ERRORS = 4
_SHORTEST_KEY_IN_ANSWERS = 16
"""Local servers are given words for a key, which an answer may well contain."""


class EndpointError(PacaloomError):
    """An endpoint that cannot be reached, or breaks."""


class EndpointRefusalError(UserError):
    """An endpoint that refuses a request, or cannot do what is wanted."""


class KeyRefusedError(EndpointRefusalError):
    """An endpoint that wants another key."""


class Exchange:
    """Belongs to the event loop in which it is opened."""

    def __init__(
        self, reference: EndpointReference, api_key: str, timeout_s: float = 120.0
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            reference: Whom.
            api_key: Empty for servers that want none.
            timeout_s: Patience with one reply.
        """
        self.reference = reference
        self._api_key = api_key
        self._client = AsyncOpenAI(
            base_url=reference.base_url,
            api_key=api_key or "none",
            max_retries=RETRIES,
            timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, 20.0)),
        )

    async def __aenter__(self) -> Self:
        """Open."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._client.close()

    async def post(self, path: str, body: Mapping[str, JsonValue], retries: int = RETRIES) -> bytes:
        """Send a body and return the reply's.

        Args:
            path: Below the base address, or a whole address on the same server.
            body: JSON.
            retries: After the first request.

        Raises:
            EndpointRefusalError: The endpoint says that the request is wrong.
            EndpointError: It cannot be reached, or still fails after all retries.
        """
        return await self._send("POST", path, body, retries)

    async def get(self, path: str, retries: int = RETRIES) -> bytes:
        """Do the same without a body."""
        return await self._send("GET", path, None, retries)

    async def _send(
        self, method: str, path: str, body: Mapping[str, JsonValue] | None, retries: int
    ) -> bytes:
        options: RequestOptions = {"max_retries": retries}
        client = self._client
        try:
            if method == "GET":
                response = await client.get(path, cast_to=httpx2.Response, options=options)
            else:
                response = await client.post(
                    path, cast_to=httpx2.Response, body=body, options=options
                )
        except (APIStatusError, APIConnectionError) as error:
            failure = self._describe(path, error, retries)
        else:
            return self._mask(response.content, _SHORTEST_KEY_IN_ANSWERS)
        raise failure

    def _describe(
        self, path: str, error: APIStatusError | APIConnectionError, retries: int
    ) -> PacaloomError:
        where = f"{self.reference.base_url} ({path.removeprefix(self.reference.root_url)})"
        if isinstance(error, APITimeoutError):
            return EndpointError(
                f"{where} gave no answer in time, {retries + 1} times. Ask fewer at once, or look "
                "at the server; finished cells are kept."
            )
        if not isinstance(error, APIStatusError):
            cause = type(error.__cause__ or error).__name__
            return EndpointError(
                f"{where} cannot be reached ({cause}). Start the server, or mend the address; "
                "finished cells are kept."
            )
        said = self._quote(error.response.content)
        if error.status_code in (401, 403):
            return KeyRefusedError(
                f"{where} refuses the key with {error.status_code}: {said}. Set OPENAI_API_KEY."
            )
        if error.status_code == 429 or error.status_code >= 500:
            return EndpointError(
                f"{where} still answers {error.status_code} after {retries} retries: {said}. Try "
                "again later; finished cells are kept."
            )
        return EndpointRefusalError(f"{where} answers {error.status_code}: {said}")

    def _quote(self, body: bytes) -> str:
        text = self._mask(body, _SHORTEST_KEY_IN_ERRORS).decode(errors="replace")
        shown = " ".join(text.split())
        return (shown[:_QUOTED] + "…") if len(shown) > _QUOTED else shown or "nothing"

    def _mask(self, body: bytes, shortest: int) -> bytes:
        key = self._api_key.encode()
        return body.replace(key, b"***") if len(key) >= shortest else body
