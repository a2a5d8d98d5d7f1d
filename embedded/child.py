"""Child processes that cannot outlive their parent, however it dies.

A child's standard input is a pipe whose writing end only the parent has: the kernel closes it when
the parent is gone, killed or not, and the child ends. That works on every system and from every
thread; Linux's parent-death signal fires when the *thread* that started the child ends, and flows
start children from worker threads.
"""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import IO

_ROOT = Path(__file__).resolve().parents[1]
_STOP_TIMEOUT_S = 5.0
_PARENT_POLL_S = 1.0


@contextmanager
def run_child(
    module: str, argument: str, messages: IO[bytes], output: IO[bytes] | int = subprocess.PIPE
) -> Generator[subprocess.Popen[bytes]]:
    """Run ``python -m module argument`` for at most as long as the block lasts.

    Args:
        module: It calls :func:`exit_with_parent` first.
        argument: What the child is told.
        messages: Takes its standard error.
        output: Takes its standard output; by default a pipe that the caller reads.
    """
    # From the root, because the packages are not installed and -m looks in the working directory.
    with subprocess.Popen(  # noqa: S603  # our own modules
        [sys.executable, "-m", module, argument],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=messages,
    ) as child:
        try:
            yield child
        finally:
            _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Let go of the child's pipe, which ends it, and make sure."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()


def exit_with_parent() -> None:
    """Watch, in the child, that the parent is alive; end at once when it is not."""
    for watch in (_await_closed_pipe, _await_adoption):
        Thread(target=watch, daemon=True).start()


def _await_closed_pipe() -> None:
    # Not sys.stdin.read(): it would hold a lock that the interpreter wants when it ends normally.
    os.read(sys.stdin.fileno(), 1)
    # Nothing to save, and unwinding native threads in the middle of work may hang.
    os._exit(1)


def _await_adoption() -> None:
    """End when another process becomes the parent.

    A process that the parent forked, such as a data loader's worker, has a copy of the pipe's
    writing end and may live on.
    """
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_S)
    os._exit(1)


def last_lines(messages: IO[bytes], start: int, count: int) -> str:
    """Join the last lines that a child wrote since ``start``, for an error of one line."""
    messages.seek(start)
    lines = [line.strip() for line in messages.read().decode(errors="replace").splitlines()]
    return " | ".join([line for line in lines if line][-count:]) or "nothing"
