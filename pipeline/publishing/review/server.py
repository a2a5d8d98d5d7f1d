"""Listen on this machine alone, until Ctrl-C."""

import asyncio
import errno
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from schemas.errors import UserError


class PortTakenError(UserError):
    """The review cannot listen where it was told to."""


def listen(port: int) -> socket.socket:
    """Take a port of 127.0.0.1, so that its number is known before anybody asks; 0 takes any.

    Raises:
        PortTakenError: Another program has it, or only the administrator may take it.
    """
    ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Without it the port of a review that has just ended would be closed for a minute.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.bind(("127.0.0.1", port))
        ours.listen()
    except OSError as error:
        ours.close()
        what = "is taken by another program" if error.errno == errno.EADDRINUSE else error.strerror
        raise PortTakenError(
            f"Port {port} of 127.0.0.1 cannot be listened on: {what}. Name another with --port, or "
            "leave --port out to take any free one."
        ) from error
    return ours


class _Server(uvicorn.Server):
    """Leaves no connection open, not even of a reader who takes nothing of what is sent."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in [*self.server_state.connections]:
            connection.transport.abort()
        # A turn of the loop, in which they are closed.
        await asyncio.sleep(0)


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Make a server that logs no request, because the first address holds the token.

    Nor does it log faults: the application does, and a request that Ctrl-C cuts is none.
    """
    return _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            log_level="critical",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=3,
        )
    )


def serve(app: ASGIApp, ours: socket.socket) -> None:
    """Serve until Ctrl-C; decisions that are being written are finished first."""
    with suppress(KeyboardInterrupt):
        make_server(app).run(sockets=[ours])
