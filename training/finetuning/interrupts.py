"""Ctrl-C and SIGTERM that wait for the end of a step, so that a checkpoint can be written first.

Prefect cancels a run with SIGTERM, and so do schedulers and the system's shutdown. What a signal
meant before is kept: after the checkpoint it is handled by whoever handled it, so that the command
line ends in its own line and status and Prefect in its own state.

A person who presses Ctrl-C can wait for the end of a step, or press it again. Who sends SIGTERM
kills soon after, Prefect and Kubernetes after 30 s: so a step that takes longer than a few seconds,
or the questions that are asked before the first one, are not waited for.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE_S = 8.0


class StopRequest:
    """Whether a run was asked to stop, and by which signal."""

    def __init__(self, patience_s: float) -> None:
        """Wait after SIGTERM for at most so many seconds."""
        self._asked: Callable[[], object] | None = None
        self._patience_s = patience_s
        self._reminder: threading.Timer | None = None

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
        if signum == signal.SIGTERM:
            self._reminder = threading.Timer(self._patience_s, os.kill, (os.getpid(), signum))
            self._reminder.daemon = True
            self._reminder.start()

    def forget_reminder(self) -> None:
        """Send no second signal any more."""
        if self._reminder is not None:
            self._reminder.cancel()


@contextmanager
def deferred_interrupt(patience_s: float = _PATIENCE_S) -> Generator[StopRequest]:
    """Lend the request to stop that Ctrl-C or SIGTERM make; a second signal interrupts at once.

    SIGTERM is followed by a second one of our own when nobody has obeyed it in time. Outside the
    main thread Python delivers no signals, and the answer is always no. A signal that was ignored
    before stays ignored, as Ctrl-C is for a shell's background jobs.
    """
    request = StopRequest(patience_s)
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
        request.forget_reminder()
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
