"""How long work tells its caller where it stands; flows turn it into bars and log lines."""

from typing import Protocol


class Progress(Protocol):
    """Called after each unit of work; must be cheap. What it raises ends the work like Ctrl-C."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report ``done`` of ``total`` units; ``note`` is a few words on what is going on."""
        ...


def no_progress(done: int, total: int, note: str = "") -> None:
    """Report to nobody."""
