"""Run an embedded model behind llama.cpp's own OpenAI-compatible server, in a guarded child.

The child listens on 127.0.0.1 only and ends with its parent. Resident memory is about twice the
file (2.2 GB for the 1.5B model at four slots): its pages, which the system may drop, and a copy
repacked for the processor. Starting costs 0.6 s for a model of 0.1 GB from a warm disk. Tokens a
second grow with the requests at once, less than in proportion: on 2 cores the 1.5B model writes 16
for one and 20 in all for four.
"""

import os
import select
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from threading import Timer
from typing import IO

from pydantic import Field

from embedded.child import last_lines, run_child
from schemas.errors import PacaloomError
from schemas.frozen import Frozen

_LAST_LINES = 4


class EngineError(PacaloomError):
    """The engine did not start, or died."""


class EngineDiedError(EngineError):
    """The engine died at work: it was killed, or memory ran out."""

    may_pass = True


class EngineOptions(Frozen):
    """How much of the machine the engine uses."""

    parallel: int = Field(default=4, ge=1, le=64)
    """Requests answered at once. More give more tokens a second in all, and each waits longer."""
    context_tokens: int = Field(default=3072, ge=256)
    """Prompt and answer of one request together, in tokens; longer ones are refused with 400."""
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Threads that compute. More than there are cores make it slower."""
    startup_timeout_s: float = Field(default=180.0, gt=0)
    """Seconds until the model must be loaded; raise it on a slow disk."""


class EngineCommand(Frozen):
    """What the child is told, as JSON in its only argument."""

    model_path: Path
    alias: str
    options: EngineOptions
    port: int = Field(default=0, ge=0, lt=2**16)
    """0 takes any free one."""


@contextmanager
def start_engine(
    model_path: Path,
    alias: str,
    options: EngineOptions | None = None,
    log: Path | None = None,
    port: int = 0,
) -> Generator[str]:
    """Serve a model until the block ends, and yield its base URL, ending in ``/v1``.

    Args:
        model_path: GGUF file.
        alias: The model name that the server reports.
        options: Size of the engine; None for the defaults.
        log: File that the server's messages are appended to; None keeps them for errors only.
        port: On 127.0.0.1; 0 takes any free one.

    Raises:
        EngineError: The server did not get ready; holds the last lines of its log.
        EngineDiedError: It died while the block ran (which then failed too); likewise.
    """
    command = EngineCommand(
        model_path=model_path.resolve(),
        alias=alias,
        options=options or EngineOptions(),
        port=port,
    )
    with _open_log(log) as messages:
        start = messages.seek(0, os.SEEK_END)
        with run_child("embedded.engine_child", command.model_dump_json(), messages) as child:
            address = _await_address(child, command.options.startup_timeout_s)
            if not address:
                last = _last_words(command, child, messages, start)
                raise EngineError(f"The engine for {command.alias} did not get ready: {last}")
            try:
                yield f"{address}/v1"
            except Exception as error:
                if not _is_ending(child):
                    raise
                last = _last_words(command, child, messages, start)
                raise EngineDiedError(f"The engine for {command.alias} died: {last}") from error


def _open_log(log: Path | None) -> IO[bytes]:
    if log is None:
        return tempfile.TemporaryFile()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("a+b")
    except OSError as error:
        raise EngineError(
            f"The engine's log {log} cannot be opened: {error.strerror}. Mend the permissions "
            "there, or choose another outputs folder."
        ) from error


def _await_address(child: Popen[bytes], timeout_s: float) -> str:
    """Read the line the child prints once it is healthy; empty when it dies or takes too long."""
    if child.stdout is None:
        return ""
    killer = Timer(timeout_s, child.kill)
    killer.start()
    try:
        return child.stdout.readline().decode().strip()
    finally:
        killer.cancel()


def _is_ending(child: Popen[bytes]) -> bool:
    """Whether the child has ended or is about to.

    Its clients may hear of it first: the kernel closes what a process holds, standard output before
    the sockets that were opened later, and only then tells the parent.
    """
    is_closed = child.stdout is not None and bool(select.select([child.stdout], [], [], 0)[0])
    return is_closed or child.poll() is not None


def _last_words(
    command: EngineCommand, child: Popen[bytes], messages: IO[bytes], start: int
) -> str:
    return (
        f"status {child.wait()}, "
        f"{command.options.startup_timeout_s:g} s allowed for its start, model "
        f"{command.model_path}. Its last words: {last_lines(messages, start, _LAST_LINES)}"
    )
