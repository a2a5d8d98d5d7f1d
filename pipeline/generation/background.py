"""An event loop in a thread of its own, so that requests go on while the caller does other work."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class BackgroundLoop:
    """A running event loop; :meth:`close` cancels what is left and ends the thread."""

    def __init__(self) -> None:
        started: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._stop = asyncio.Event()
        # A daemon, so that a caller who forgets to close cannot keep the process alive.
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(started)), name="generation", daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    def submit(self, coroutine: Coroutine[Any, Any, Result]) -> concurrent.futures.Future[Result]:
        """Start a coroutine in the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self) -> None:
        """Cancel every task, wait until they have ended, end the thread. Idempotent."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    async def _run(self, started: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        started.set_result(asyncio.get_running_loop())
        await self._stop.wait()
