"""One HTTP exchange with an endpoint: bytes out, an answer or a failure back.

The openai package's own HTTP client on aiohttp, without the rest of the package: building its
request and reading its answer take three quarters of a core that asks 256 prompts at once (1,250
requests a second through ``AsyncOpenAI.post``; the package's default transport spends 44 % of its
time scanning its connection pool, and ``create()`` walks a TypedDict and builds models that nobody
reads). The figures of today are in benchmarks/README.md.

The API key stands in one header, and is kept for one other purpose: to mask it in the words of the
endpoint, which may quote it. Every way an exchange can end is a value, and no exception of an HTTP
client, which would carry the request and so the key, leaves this module.
"""

import asyncio
from typing import NamedTuple

import aiohttp
import httpx2
from openai import DefaultAioHttpClient

from pipeline.generation.teacher.addresses import check_address
from pipeline.generation.teacher.answers import Answer, Failure, Fault, read_answer, read_failure
from pipeline.generation.teacher.error_bodies import one_line
from pipeline.generation.teacher.masking import NO_KEY, KeyMask
from pipeline.generation.teacher.served_models import ServedModel, read_models
from pipeline.generation.teacher.waiting import Clock, read_date, read_exhaustion

_EXTENSIONS = {"timeout": httpx2.Timeout(None, connect=20.0).as_dict()}

# uvicorn, and with it most local servers, closes an idle connection after 5 s. A request sent at
# that very moment is lost and may be billed, so ours are given up a little sooner.
_KEEPALIVE_S = 4.0

NO_REPLY = (httpx2.HTTPError, aiohttp.ClientError)
"""How a request ends without a reply. The package's transport translates most of aiohttp's
exceptions, and lets those through that tell of a broken reply: a bad status line, a header of more
than 8,190 bytes."""


class Reply(NamedTuple):
    """How an exchange ended."""

    outcome: Answer | Failure
    exhausted_s: float = 0.0
    """Seconds until a rate limit that has nothing left is reset."""


class Connection:
    """The way to one endpoint; belongs to the event loop of its first request."""

    def __init__(self, base_url: str, api_key: str, concurrency: int, clock: Clock) -> None:
        """Prepare to connect.

        Args:
            base_url: Address ending in ``/v1``.
            api_key: Empty for local servers that want none.
            concurrency: Connections at once, at most.
            clock: Tells the time of day.

        Raises:
            UnusableAddressError: No request can be made with the address or the key.
        """
        check_address(base_url, api_key)
        self.base_url = base_url.rstrip("/")
        self._key_mask = KeyMask(api_key)
        self._clock = clock
        self._headers = {
            "authorization": f"Bearer {api_key or 'none'}",
            "content-type": "application/json",
            "accept": "application/json",
            "user-agent": "pacaloom",
        }
        self._urls: dict[str, httpx2.URL] = {}
        self._deadlines: set[asyncio.Timeout] = set()
        self._client = DefaultAioHttpClient(
            limits=httpx2.Limits(max_connections=concurrency, keepalive_expiry=_KEEPALIVE_S)
        )

    async def post(self, path: str, body: bytes, timeout_s: float) -> Reply:
        """Send one request and wait so long for the whole of its reply."""
        if path not in self._urls:
            self._urls[path] = httpx2.URL(self.base_url + path)  # reading one takes 30 µs
        request = httpx2.Request(
            "POST", self._urls[path], headers=self._headers, content=body, extensions=_EXTENSIONS
        )
        started = self._clock.now()
        deadline = asyncio.timeout(timeout_s)
        self._deadlines.add(deadline)
        try:
            async with deadline:
                response = await self._client.send(request)
        except TimeoutError:
            waited_s = min(timeout_s, self._clock.now() - started)
            return Reply(Failure(Fault.TIMEOUT, f"no answer within {waited_s:,.1f} s"))
        except NO_REPLY as error:
            return Reply(read_connection_error(error, self._key_mask))
        finally:
            self._deadlines.discard(deadline)
        if response.is_success:
            body = self._key_mask.in_answer(response.content)
            outcome = read_answer(body, response.headers.get("content-type", ""))
        else:
            outcome = read_error_reply(response, self._key_mask, self._clock.time_of_day())
        return Reply(outcome, read_exhaustion(response.headers.raw))

    def hurry(self, seconds: float) -> None:
        """Wait no longer than so from now on for what is under way."""
        latest = asyncio.get_running_loop().time() + seconds
        for deadline in self._deadlines:
            when = deadline.when()
            if when is not None and when > latest:
                deadline.reschedule(latest)

    async def list_models(self, timeout_s: float) -> tuple[ServedModel, ...] | Failure:
        """Ask which models are served, which costs nothing.

        Returns:
            Empty where it answers and has no such list.
        """
        request = httpx2.Request(
            "GET", self.base_url + "/models", headers=self._headers, extensions=_EXTENSIONS
        )
        try:
            async with asyncio.timeout(timeout_s):
                response = await self._client.send(request)
        except TimeoutError:
            return Failure(Fault.TIMEOUT, f"no list of models within {timeout_s:,.0f} s")
        except NO_REPLY as error:
            return read_connection_error(error, self._key_mask)
        if response.is_success:
            return read_models(self._key_mask.in_error(response.content))
        outcome = read_error_reply(response, self._key_mask, self._clock.time_of_day())
        if isinstance(outcome, Answer) or outcome.fault in (Fault.ABSENT, Fault.PARAMETER):
            return ()
        return outcome

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def read_error_reply(
    response: httpx2.Response, key_mask: KeyMask, now_s: float
) -> Answer | Failure:
    """Sort a reply with another status than success.

    Args:
        response: Read to its end.
        key_mask: For the words of the endpoint.
        now_s: Our time of day in seconds since 1970. The endpoint's own, where the reply tells it,
            goes before: then a wrong clock of ours changes nothing.
    """
    sent_at = read_date(response.headers.get("date", ""))
    return read_failure(
        response.status_code,
        key_mask.in_error(response.content),
        response.headers.get("retry-after"),
        now_s if sent_at is None else sent_at,
    )


def read_connection_error(error: Exception, key_mask: KeyMask = NO_KEY) -> Failure:
    """Tell a connection that never came about from one that broke with the request under way."""
    # The transport calls every lost connection a ConnectTimeout; what aiohttp said is beneath.
    original: BaseException = error
    while original.__cause__ is not None and not isinstance(original, aiohttp.ClientError):
        original = original.__cause__
    # A broken reply is quoted, and it may quote the key.
    said = key_mask.in_error(str(original).encode(errors="replace")).decode()
    words = f"{type(original).__name__}: {one_line(said)}"
    if isinstance(original, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return Failure(Fault.UNREACHABLE, f"no connection ({words})", may_be_billed=False)
    return Failure(Fault.RETRY, f"connection lost ({words})")
