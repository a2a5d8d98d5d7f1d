"""Turn the many ways in which a hub says no into one line each, without the token.

Cost: constant.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from schemas.errors import PacaloomError, UserError

_BUSY = {408, 412, 425, 429, 500, 502, 503, 504}
"""412: the head moved between look and commit."""
_LONGEST_ANSWER = 200


class HubError(PacaloomError):
    """The hub failed, or could not be reached."""


class HubBusyError(HubError):
    """The hub failed in a way that may pass."""


class HubRefusalError(UserError):
    """The hub does not let the token's owner do this."""


@contextmanager
def asking(what: str, target: str, token: str | None) -> Generator[None]:
    """Translate what goes wrong inside.

    Args:
        what: What was wanted: "make the repository".
        target: ``OWNER/REPO at ENDPOINT``.
        token: Blotted out should the hub send it back.

    Raises:
        HubRefusalError: The hub says no: 400, 401, 403, 404, 413 and the like.
        HubBusyError: It may say yes later: 5xx, 408, 412, 429, no connection, one that broke.
        HubError: Its answer makes no sense.
    """
    import httpx2

    try:
        yield
    except PacaloomError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, httpx2.HTTPError) as error:
        # Not `from error`: its chain holds requests, and those hold the token.
        raise _translate(error, f"Cannot {what} ({target})", token) from None


def _translate(error: BaseException, where: str, token: str | None) -> PacaloomError:
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, HfHubHTTPError):
            said = _quote(cause.server_message or "", token)
            return _refusal(where, cause.response.status_code, said)
    if any(isinstance(cause, OfflineModeIsEnabled) for cause in causes):
        return HubRefusalError(f"{where}: HF_HUB_OFFLINE is set. Unset it to push.")
    said = _quote(f"{type(causes[-1]).__name__} {causes[-1]}", token)
    if any(isinstance(cause, httpx2.HTTPError) for cause in causes):
        return HubBusyError(
            f"{where}: no connection, or it broke{said}. Check the network and the endpoint, then "
            "run the same command again: what has arrived is not sent twice."
        )
    return HubError(
        f"{where}: this is no answer of a Hugging Face Hub{said}. Check the endpoint (HF_ENDPOINT)."
    )


def _refusal(where: str, status: int, said: str) -> PacaloomError:
    if status in _BUSY:
        return HubBusyError(
            f"{where}: the hub answered {status}{said}. Run the same command again later: what has "
            "arrived is not sent twice."
        )
    advice = {
        401: "HF_TOKEN is not accepted: make a write token in the hub's settings",
        403: "HF_TOKEN may not do this: it needs write access to that owner's datasets",
        404: "there is no such thing, or HF_TOKEN may not see it: check the name",
    }.get(status, "the hub does not accept the request")
    return HubRefusalError(f"{where}: {advice} (status {status}{said}).")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it, the latest first."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _quote(text: str, token: str | None) -> str:
    """Quote somebody else's words in one short line, never the token among them."""
    if token:
        text = text.replace(token, "[token]")
    words = " ".join(text.split())
    if len(words) > _LONGEST_ANSWER:
        words = words[:_LONGEST_ANSWER] + " …"
    return f": {words}" if words else ""
