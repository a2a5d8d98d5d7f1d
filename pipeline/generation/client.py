"""Ask a teacher over the OpenAI protocol: the only network code of generation.

``AsyncOpenAI`` with aiohttp as its transport and its low-level ``post``: 1,203 requests a second
of one core against 327 with the package's default transport, which spends 44 % of its time
scanning its connection pool, and 756 with ``create()``, which walks a TypedDict and builds models
that nobody reads. Retries are ours, because the package's honour Retry-After only up to a minute
and do not count against a budget.

The API key is given to the package and kept for one other purpose: to mask it in the words of the
endpoint, which may quote it. No exception raised here has an HTTP client's exception in its chain.
"""

import asyncio
import logging
import random
import time
from types import TracebackType
from typing import Any, Self

import httpx2
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAioHttpClient,
)

from pipeline.generation.answers import (
    Answer,
    Failure,
    Fault,
    one_line,
    read_answer,
    read_failure,
)
from pipeline.generation.budget import Budget
from pipeline.generation.endings import find_end
from schemas.errors import PacaloomError
from schemas.exchange import Completion, Prompt, Usage

_LOG = logging.getLogger(__name__)

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0


# Local servers are given words such as "ollama" for a key, which an answer may well contain; no
# real key is shorter than 16 characters. An error message loses nothing by more caution.
_MASKED_IN_ANSWERS = 16
_MASKED_IN_ERRORS = 4


class Teacher:
    """A model behind an OpenAI-compatible endpoint, asked with bounded concurrency.

    Belongs to the event loop of its first request; close it there.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        *,
        concurrency: int,
        timeout_s: float = 600.0,
        max_attempts: int = 6,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            base_url: Address ending in ``/v1``.
            model: Name as the endpoint knows it.
            api_key: Empty for local servers that want none.
            concurrency: Requests under way at once.
            timeout_s: Patience with one request; a local server with a long queue is slow.
            max_attempts: Requests for one prompt before the run gives up.
        """
        self.base_url = base_url.rstrip("/")
        self.model = model
        self._api_key = api_key
        self._max_attempts = max_attempts
        self._slots = asyncio.Semaphore(concurrency)
        self._has_schema_support = True
        self._was_reached = False
        self._end: PacaloomError | None = None
        # Its jitter only spreads retries over time; nothing that is kept depends on it.
        self._jitter = random.Random()  # noqa: S311
        self._client = AsyncOpenAI(
            base_url=self.base_url,
            api_key=api_key or "none",
            max_retries=0,
            timeout=timeout_s,
            http_client=DefaultAioHttpClient(
                timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, 20.0)),
                limits=httpx2.Limits(max_connections=concurrency),
            ),
        )

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Ask one prompt, waiting and asking again where that may help.

        Raises:
            TeacherRefusedError: At once, and from then on for every prompt.
            TeacherUnreachableError: Nothing has ever answered at the address.
            TeacherFailedError: No answer after ``max_attempts`` requests.
            BudgetSpentError: The budget has no room for another request.
        """
        async with self._slots:
            return await self._complete(prompt, budget)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _complete(self, prompt: Prompt, budget: Budget) -> Completion:
        attempts = 0
        while True:
            if self._end is not None:
                raise self._end
            budget.reserve()
            attempts += 1
            started = time.monotonic()
            with_schema = prompt.response_schema is not None and self._has_schema_support
            outcome = await self._post(self._body(prompt, with_schema=with_schema))
            if isinstance(outcome, Answer):
                return self._to_completion(prompt, outcome, time.monotonic() - started, attempts)
            if outcome.fault is Fault.SCHEMA and with_schema:
                self._ask_without_schema(outcome.words)
                continue
            delay = self._decide(outcome, attempts)
            _LOG.info("teacher: %s; asking again in %.1f s", outcome.words, delay)
            await asyncio.sleep(delay)

    async def _post(self, body: dict[str, Any]) -> Answer | Failure:
        """Send one request; every way it can end is a value."""
        try:
            response = await self._client.post(
                "/chat/completions", cast_to=httpx2.Response, body=body
            )
            outcome = read_answer(
                self._mask(response.content, _MASKED_IN_ANSWERS),
                response.headers.get("content-type", ""),
            )
        except APITimeoutError as error:
            outcome = _connection_failure(error, "timed out")
        except APIConnectionError as error:
            outcome = _connection_failure(error, "connection failed")
        except APIStatusError as error:
            outcome = read_failure(
                error.status_code,
                self._mask(error.response.content, _MASKED_IN_ERRORS),
                error.response.headers.get("retry-after"),
                time.time(),
            )
        if not (isinstance(outcome, Failure) and outcome.fault is Fault.UNREACHABLE):
            self._was_reached = True
        return outcome

    def _ask_without_schema(self, words: str) -> None:
        if self._has_schema_support:
            self._has_schema_support = False
            _LOG.warning("teacher: no structured answers (%s); asking in plain text", words)

    def _decide(self, failure: Failure, attempts: int) -> float:
        """Return the seconds to wait before asking again, or raise what ends the run."""
        self._end = find_end(
            failure,
            where=f"The teacher {self.model!r} at {self.base_url}",
            attempts=attempts,
            max_attempts=self._max_attempts,
            was_reached=self._was_reached,
        )
        if self._end is not None:
            raise self._end
        if failure.retry_after_s is not None:
            return failure.retry_after_s
        ceiling = min(_FIRST_DELAY_S * 2 ** (attempts - 1), _LONGEST_DELAY_S)
        return ceiling * (0.5 + 0.5 * self._jitter.random())

    def _body(self, prompt: Prompt, *, with_schema: bool) -> dict[str, Any]:
        decoding = prompt.decoding
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [message.model_dump() for message in prompt.messages],
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "max_tokens": decoding.max_tokens,
            "seed": prompt.sample_index,
        }
        if decoding.stop:
            body["stop"] = list(decoding.stop)
        if with_schema:
            schema = {"name": "record", "strict": True, "schema": prompt.response_schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def _to_completion(
        self, prompt: Prompt, answer: Answer, latency_s: float, attempts: int
    ) -> Completion:
        return Completion(
            id=prompt.key(self.model),
            model=self.model,
            text=answer.text,
            finish_reason=answer.finish_reason,
            usage=Usage(
                prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens
            ),
            latency_s=latency_s,
            attempts=attempts,
        )

    def _mask(self, body: bytes, min_length: int) -> bytes:
        key = self._api_key.encode()
        return body.replace(key, b"***") if len(key) >= min_length else body


def _connection_failure(error: APIConnectionError, what: str) -> Failure:
    cause = error.__cause__
    never_connected = isinstance(cause, (httpx2.ConnectError, httpx2.ConnectTimeout))
    words = f"{what} ({type(cause).__name__}: {one_line(str(cause))})" if cause else what
    return Failure(Fault.UNREACHABLE if never_connected else Fault.RETRY, words)
