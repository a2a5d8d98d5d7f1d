"""Apply a function to items in processes, each behind a pipe of its own.

The pool of concurrent.futures reads all results from one pipe: a worker that is killed while it
writes leaves half a message there, and who reads it waits for ever; an interrupted curation of ours
did. Here a worker's end is the end of its pipe. A worker is handed the next item when it has
answered, so no two ends of a pipe ever wait for each other. Cost: 20 µs a draft for the way there
and back.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple, TypeVar

from schemas.errors import PacaloomError

Item = TypeVar("Item")
Result = TypeVar("Result")


class LostProcessError(PacaloomError):
    """A process that examined drafts was killed from outside."""


class _Worker(NamedTuple):
    process: SpawnProcess
    pipe: "Connection[Any, Any]"


def map_in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Generator[Result]:
    """Yield the results in the order of the items; close it to end the processes.

    Args:
        function: One that a new process can import; what it raises is raised here.
        items: All of them are pickled, one by one, when their turn comes.
        workers: Processes at most.

    Raises:
        LostProcessError: A process was killed.
    """
    crew: list[_Worker] = []
    try:
        with _signals_held_back():
            crew += (_start(function) for _ in range(min(workers, len(items))))
        yield from _deal(crew, items)
    finally:
        # What is under way is of no use to anybody.
        for worker in crew:
            worker.process.terminate()
            worker.pipe.close()
        for worker in crew:
            worker.process.join()


def _start(function: Callable[[Item], Result]) -> _Worker:
    # Not forked: a copy of a process that has threads, as Prefect's and pyarrow's, may hang.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, function), daemon=True)
    process.start()
    # The other end is the worker's alone, so that it is closed when the worker ends.
    theirs.close()
    return _Worker(process, ours)


def _deal(crew: Sequence[_Worker], items: Sequence[Item]) -> Iterator[Any]:
    waiting = iter(enumerate(items))
    at_work: dict[Connection[Any, Any], int] = {}
    results: dict[int, Any] = {}
    yielded = 0
    for worker in crew:
        _hand_out(worker.pipe, waiting, at_work)
    while at_work:
        for pipe in wait(list(at_work)):
            assert isinstance(pipe, Connection)  # noqa: S101 - nothing else is waited for
            results[at_work.pop(pipe)] = _receive(pipe)
            _hand_out(pipe, waiting, at_work)
        while yielded in results:
            yield results.pop(yielded)
            yielded += 1


def _hand_out(
    pipe: "Connection[Any, Any]",
    waiting: Iterator[tuple[int, Any]],
    at_work: "dict[Connection[Any, Any], int]",
) -> None:
    for place, item in waiting:
        try:
            pipe.send(item)
        except OSError as error:
            raise _lost() from error
        at_work[pipe] = place
        return


def _receive(pipe: "Connection[Any, Any]") -> object:
    try:
        is_result, found = pipe.recv()
    except (EOFError, OSError) as error:
        raise _lost() from error
    if not is_result:
        raise found
    return found


def _lost() -> LostProcessError:
    return LostProcessError(
        "A process that looked at drafts was killed, most often for want of memory. Nothing is "
        "published: run the same command again, with a lower --processes if memory is short."
    )


def _serve(pipe: "Connection[Any, Any]", function: Callable[[Any], object]) -> None:
    """Answer items until the pipe is closed."""
    _end_with_parent()
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        try:
            answer = (True, function(item))
        except Exception as error:  # noqa: BLE001 - raised again where it was asked for
            answer = (False, error)
        pipe.send(answer)


def _end_with_parent() -> None:
    """End this process when the one that started it was killed and could not do so."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait_for_it() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_for_it, daemon=True).start()


@contextmanager
def _signals_held_back() -> Generator[None]:
    """Start processes that never see a Ctrl-C, which a terminal sends to all; ours comes later.

    They would end in tracebacks of their own; who is interrupted ends them.
    """
    came: list[int] = []
    # Started with the first process, it would unblock the signal for those after it.
    resource_tracker.ensure_running()
    # Blocking is inherited but holds nothing back here, where other threads take the signal.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    handlers = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
        if threading.current_thread() is threading.main_thread()
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number in came:
            signal.raise_signal(number)
