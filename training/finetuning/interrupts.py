"""Ctrl-C that waits for the end of a step, so that a checkpoint can be written between two."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred_interrupt() -> Generator[Callable[[], bool]]:
    """Lend a function that says whether Ctrl-C was pressed; a second press interrupts at once.

    Outside the main thread Python delivers no signals, and the answer is always no.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = False

    def ask(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    previous = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, previous or signal.default_int_handler)
