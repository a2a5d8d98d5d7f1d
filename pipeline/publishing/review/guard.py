"""Let only the reader in: everything that reaches the review passes here first.

The server listens on 127.0.0.1, which keeps other machines out but not the pages that the reader's
browser shows. What each check is against:

- Host: a foreign name that its owner points at 127.0.0.1 (DNS rebinding).
- Origin and Sec-Fetch-Site: another site's page that sends requests or embeds this one.
- Token, then a cookie that no script can read and no other site can have sent along: other users
  and programs of the machine. Browsers keep the cookies of all ports together, hence its name.
  Another page that knows the token is the reader's own (door.py).

No answer grants anything across origins, so that nothing of it can be read elsewhere either.
"""

import secrets
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# From the page that the browser was started with (door.py). A redirect would still be that page's
# request, for which browsers send no strict cookie; this one's is our own.
_STEP_IN = '<!doctype html><title>Pacaloom</title><meta http-equiv="refresh" content="0;url=/">'


class Guard:
    """Wraps an application; hands on what is proved to be the reader's own."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        """Guard an application that listens on a port of 127.0.0.1."""
        self._app = app
        self._token = token
        self._port = port
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._cookie = f"pacaloom_review_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or hand on one request; anything but HTTP is not spoken here."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        request = Request(scope)
        answer = self._refuse_foreigner(request) or self._ask_for_token(request)
        await (answer or self._app)(scope, receive, send_guarded)

    def _refuse_foreigner(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if host not in self._hosts:
            return _refuse(
                f"This server is {self._hosts[0]}, the request was for {host!r}. Through an SSH "
                f"tunnel, forward the same port: ssh -L {self._port}:127.0.0.1:{self._port} …"
            )
        origin = request.headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return _refuse(f"Requests of other pages are refused; this one is of {origin!r}.")
        if _is_led_here(request) and not self._brings_token(request):
            return _refuse("Another page led here. Paste the address into the address bar instead.")
        return None

    def _ask_for_token(self, request: Request) -> Response | None:
        if self._brings_token(request):
            answer = HTMLResponse(_STEP_IN) if _is_led_here(request) else RedirectResponse("/", 303)
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
            return answer
        if self._is_token(request.cookies.get(self._cookie, "")):
            return RedirectResponse("/", 303) if "token" in request.query_params else None
        return _refuse(
            "This page is for the reader who started it: open the address, token included, "
            "that `./pacaloom review` has printed."
        )

    def _brings_token(self, request: Request) -> bool:
        return request.method == "GET" and self._is_token(request.query_params.get("token", ""))

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._token.encode())


def _is_led_here(request: Request) -> bool:
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def _refuse(reason: str) -> Response:
    return PlainTextResponse(reason + "\n", 403)
