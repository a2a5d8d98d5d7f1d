"""The requests of the Batch API, one method each: files, batches, contents.

``AsyncOpenAI`` does the uploads and lists: they are few, so its cost does not matter. Every way a
request can end is a value: no HTTP client's exception, which drags the API key along, leaves this
module. Output files are streamed and split at line feeds only; the package's own ``iter_lines``
also splits at U+2028 and its like, which JSON strings may hold unescaped.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from typing import Protocol

import httpx2
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, DefaultAioHttpClient

from pipeline.generation.batch.lines import CHAT_PATH
from pipeline.generation.batch.state import (
    BatchPage,
    BatchState,
    Upload,
    read_batch,
    read_page,
    read_upload,
)
from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.connection import (
    NO_REPLY,
    read_connection_error,
    read_error_reply,
)
from pipeline.generation.teacher.masking import KeyMask
from pipeline.generation.teacher.waiting import Clock

_PAGE = 100
"""Batches a list request returns; the most that OpenAI allows."""
_CLOCK_MARGIN_S = 3600.0
"""Batches older than the upload by more than this cannot be its own; the machines that name the
two times at the endpoint may differ by seconds."""

_NO_SUCCESS = (APIStatusError, APIConnectionError, *NO_REPLY)
"""The package wraps what goes wrong before the first byte of a body, and nothing after it."""


class _RawResponse(Protocol):
    @property
    def content(self) -> bytes: ...


class BatchApi:
    """Belongs to the event loop of its first request; close it there."""

    def __init__(self, base_url: str, api_key: str, timeout_s: float, clock: Clock) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            base_url: Address ending in ``/v1``.
            api_key: Empty for local servers that want none.
            timeout_s: Patience with one request, an upload of the largest file included.
            clock: Tells the time of day.
        """
        self.was_reached = False
        """The endpoint has ever answered anything."""
        self.key_mask = KeyMask(api_key)
        """For the words of the endpoint."""
        self._clock = clock
        self._client = AsyncOpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            max_retries=0,
            timeout=timeout_s,
            http_client=DefaultAioHttpClient(
                timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, 20.0))
            ),
        )

    async def upload(self, lines: bytes) -> Upload | Failure:
        """Upload an input file; costs nothing until a batch is created from it."""
        files = self._client.files.with_raw_response
        body = await self._send(files.create(file=("prompts.jsonl", lines), purpose="batch"))
        return read_upload(body) if isinstance(body, bytes) else body

    async def create(self, file_id: str) -> BatchState | Failure:
        """Start a batch: from here on its prompts are paid for."""
        batches = self._client.batches.with_raw_response
        body = await self._send(
            batches.create(completion_window="24h", endpoint=CHAT_PATH, input_file_id=file_id)
        )
        return read_batch(body) if isinstance(body, bytes) else body

    async def retrieve(self, batch_id: str) -> BatchState | Failure:
        """Ask how far a batch is."""
        body = await self._send(self._client.batches.with_raw_response.retrieve(batch_id))
        return read_batch(body) if isinstance(body, bytes) else body

    async def find(self, upload: Upload) -> BatchState | Failure | None:
        """Find the batch that was created from an upload; None when there is none.

        One request a hundred batches. Lists are newest first, so a page of which every batch is
        older than the upload ends the search.
        """
        after: str | None = None
        while True:
            page = await self._read_page(after)
            if isinstance(page, Failure):
                return page
            for batch in page.data:
                if batch.input_file_id == upload.id:
                    return batch
            oldest_of_interest = upload.created_at - _CLOCK_MARGIN_S
            is_past = all(batch.created_at < oldest_of_interest for batch in page.data)
            if is_past or not page.has_more:
                return None
            after = page.data[-1].id

    async def read_lines(self, file_id: str) -> AsyncGenerator[bytes | Failure]:
        """Stream the lines of a file; when it breaks off, the last thing said is why."""
        content = self._client.files.with_streaming_response.content(file_id)
        failure: Failure | None = None
        try:
            async with content as response:
                async for line in _split_lines(response.iter_bytes()):
                    yield self.key_mask.in_answer(line)
        except _NO_SUCCESS as error:
            failure = self._describe(error)
        if failure is not None:
            yield failure

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _read_page(self, after: str | None) -> BatchPage | Failure:
        batches = self._client.batches.with_raw_response
        if after is None:
            body = await self._send(batches.list(limit=_PAGE))
        else:
            body = await self._send(batches.list(limit=_PAGE, after=after))
        return read_page(body) if isinstance(body, bytes) else body

    async def _send(self, request: Awaitable[_RawResponse]) -> bytes | Failure:
        """Send one request; every way it can end is a value."""
        try:
            response = await request
        except _NO_SUCCESS as error:
            return self._describe(error)
        self.was_reached = True
        return self.key_mask.in_answer(response.content)

    def _describe(self, error: Exception) -> Failure:
        if isinstance(error, APIStatusError):
            self.was_reached = True
            # The package has read the body: it quotes it in the words of its exception.
            now_s = self._clock.time_of_day()
            told = read_error_reply(error.response, self.key_mask, now_s)
            # Only a prompt can be answered by a content filter, and none is sent here.
            return told if isinstance(told, Failure) else Failure(Fault.REFUSED, told.finish_reason)
        return read_connection_error(error, self.key_mask)


async def _split_lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Cut a stream at its line feeds; blank lines are left out."""
    pieces: list[bytes] = []
    async for chunk in chunks:
        # Joined once a line, not once a chunk: a long line would cost the square of its length.
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line = b"".join([*pieces, end])
            pieces = []
            if line.strip():
                yield line
        pieces.append(rest)
    line = b"".join(pieces)
    if line.strip():
        yield line
