"""Ctrl-C and SIGTERM that wait for the end of a step, so that a checkpoint can be written first.

Prefect cancels a run with SIGTERM, and so do schedulers and the system's shutdown. What a signal
meant before is kept: after the checkpoint it is handled by whoever handled it, so that the command
line ends in its own line and status and Prefect in its own state.
"""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether a run was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self._asked: Callable[[], object] | None = None

    def __call__(self) -> bool:
        """Tell whether a signal came."""
        return self._asked is not None

    def obey(self) -> None:
        """End as the signal that came would have ended; does nothing when none came.

        Raises:
            KeyboardInterrupt: Ctrl-C, or a handler that did not raise by itself.
            SystemExit: SIGTERM that nobody handled; other handlers raise what they raise.
        """
        if self._asked is not None:
            self._asked()
            raise KeyboardInterrupt

    def note(self, signum: int, frame: FrameType | None, before: object) -> None:
        """Take a signal; the second one is handled at once."""

        def handle() -> object:
            if callable(before):
                return before(signum, frame)
            raise SystemExit(128 + signum)

        if self._asked is not None:
            handle()
        self._asked = handle


@contextmanager
def deferred_interrupt() -> Generator[StopRequest]:
    """Lend the request to stop that Ctrl-C or SIGTERM make; a second signal interrupts at once.

    Outside the main thread Python delivers no signals, and the answer is always no. A signal that
    was ignored before stays ignored, as Ctrl-C is for a shell's background jobs.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    taken = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    try:
        for number in taken:
            signal.signal(
                number,
                lambda signum, frame: request.note(signum, frame, before[signal.Signals(signum)]),
            )
        yield request
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
