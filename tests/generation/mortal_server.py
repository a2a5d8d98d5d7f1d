"""Real servers on 127.0.0.1 that can be killed, hang, and come up again at their old address."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from benchmarks.scripted.connection import Behaviour, Connection
from benchmarks.scripted.tally import Tally
from pipeline.generation.teacher.endpoint_list import ListedEndpoint

QUICK = Behaviour(latency_s=0.002)


class _Tracked(Connection):
    """A connection that dies with its server."""

    def __init__(self, server: "MortalServer") -> None:
        super().__init__(server.behaviour, server.tally)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        self._own = transport
        self._server.transports.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._server.transports.discard(self._own)


class MortalServer:
    """Lives in the event loop of the test; what it was asked stays counted over its deaths."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.tally = Tally()
        self.transports: set[asyncio.Transport] = set()
        self._port = 0
        self._server: asyncio.Server | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def requests(self) -> int:
        return self.tally.requests

    async def start(self) -> None:
        """Listen, at the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Tracked(self), "127.0.0.1", self._port, reuse_address=True
        )
        self._port = self._server.sockets[0].getsockname()[1]

    def kill(self) -> None:
        """Refuse connections and cut what is under way, as a killed process does."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in [*self.transports]:
            transport.abort()


@asynccontextmanager
async def serve_several(*behaviours: Behaviour) -> AsyncGenerator[list[MortalServer]]:
    """Run one server for each behaviour."""
    async with AsyncExitStack() as stack:
        servers = [MortalServer(behaviour) for behaviour in behaviours]
        for server in servers:
            await server.start()
            stack.callback(server.kill)
        yield servers


def list_servers(
    servers: list[MortalServer], weights: list[float] | None = None
) -> list[ListedEndpoint]:
    """Name servers as the settings would."""
    return [
        ListedEndpoint(server.base_url, SecretStr(""), weight)
        for server, weight in zip(servers, weights or [1.0] * len(servers), strict=True)
    ]
