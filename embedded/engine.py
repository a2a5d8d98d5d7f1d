"""Run an embedded model behind llama.cpp's own OpenAI-compatible server, in a guarded child.

The child holds the model (about its file size in memory), listens on 127.0.0.1 only, and cannot
outlive its parent: it holds the reading end of a pipe whose writing end only the parent has, and
the kernel closes that one however the parent dies. A parent-death signal would not do: Linux sends
it when the *thread* that started the child ends, and flows start engines from worker threads.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer
from typing import IO

from pydantic import Field

from schemas.errors import PacaloomError
from schemas.frozen import Frozen

_ROOT = Path(__file__).resolve().parents[1]
_STOP_TIMEOUT_S = 5.0
_LOG_LINES = 5


class EngineError(PacaloomError):
    """The engine did not start."""


class EngineOptions(Frozen):
    """How much of the machine the engine uses."""

    parallel: int = Field(default=4, ge=1, le=64)
    """Requests answered at once. More give more tokens a second in all, and each waits longer."""
    context_tokens: int = Field(default=3072, ge=256)
    """Prompt and answer of one request together, in tokens; longer ones are refused with 400."""
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Threads that compute. More than there are cores make it slower."""
    startup_timeout_s: float = Field(default=180.0, gt=0)
    """Seconds until the model must be loaded; a slow disk may need more."""


class EngineCommand(Frozen):
    """What the child is told, as JSON in its only argument."""

    model_path: Path
    alias: str
    options: EngineOptions


@contextmanager
def start_engine(
    model_path: Path,
    alias: str,
    options: EngineOptions = EngineOptions(),  # noqa: B008  # frozen
    log: Path | None = None,
) -> Generator[str]:
    """Serve a model until the block ends, and yield its base URL, ending in ``/v1``.

    Args:
        model_path: GGUF file.
        alias: The model name that the server reports.
        options: Size of the engine.
        log: File that the server's messages are appended to; None keeps them for errors only.

    Raises:
        EngineError: The server did not become healthy; holds the last lines of its log.
    """
    command = EngineCommand(model_path=model_path.resolve(), alias=alias, options=options)
    with ExitStack() as stack:
        messages = stack.enter_context(_open_log(log))
        start = messages.seek(0, os.SEEK_END)
        child = _spawn(command, messages)
        stack.callback(_stop, child)
        address = _await_address(child, options.startup_timeout_s)
        if not address:
            raise EngineError(
                f"The engine for {alias} did not get ready within {options.startup_timeout_s:g} s "
                f"({model_path}); its last words: {_last_lines(messages, start)}"
            )
        yield f"{address}/v1"


def _open_log(log: Path | None) -> IO[bytes]:
    if log is None:
        return tempfile.TemporaryFile()
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.open("a+b")


def _spawn(command: EngineCommand, messages: IO[bytes]) -> subprocess.Popen[bytes]:
    # From the root, because the packages are not installed and -m looks in the working directory.
    return subprocess.Popen(  # noqa: S603  # our own module
        [sys.executable, "-m", "embedded.engine_child", command.model_dump_json()],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=messages,
    )


def _await_address(child: subprocess.Popen[bytes], timeout_s: float) -> str:
    """Read the line the child prints once it is healthy; empty when it dies or takes too long."""
    assert child.stdout is not None  # noqa: S101  # for the type checker
    killer = Timer(timeout_s, child.kill)
    killer.start()
    try:
        return child.stdout.readline().decode().strip()
    finally:
        killer.cancel()


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Let go of the child's pipe, which ends it, and make sure."""
    with child:
        assert child.stdin is not None  # noqa: S101  # for the type checker
        child.stdin.close()
        try:
            child.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()


def _last_lines(messages: IO[bytes], start: int) -> str:
    messages.seek(start)
    lines = messages.read().decode(errors="replace").splitlines()
    return " | ".join(line.strip() for line in lines[-_LOG_LINES:] if line.strip()) or "none"
