"""Examine drafts in shards: one after the other, side by side in processes, or on a cluster.

Schema, language and rules ask each draft alone (:mod:`pipeline.curation.examination`), so a shard
can be examined anywhere. What comes back is in the order of the drafts, hence every way gives the
same records. Cost: the examination's own, over the processes, and some 20 µs a draft for sending
it there and back; a process takes about two seconds to start, so few drafts are examined here.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache

from pipeline.curation.config import CurationConfig
from pipeline.curation.examination import Examined, Examiner
from schemas.errors import PacaloomError
from schemas.progress import Progress
from schemas.records import Draft, Rejection

Finding = Examined | Rejection
Examination = Callable[[Sequence[Draft], CurationConfig, Progress], list[Finding]]
"""Examines all drafts of a curation; findings come in their order."""

SHARD_SIZE = 1000
_FEWEST_FOR_PROCESSES = 8000
"""Below this, starting processes takes longer than they save."""


class LostProcessError(PacaloomError):
    """A process that examined drafts was killed from outside."""


def cut(drafts: Sequence[Draft], size: int = SHARD_SIZE) -> Iterator[Sequence[Draft]]:
    """Cut drafts into shards, in order."""
    return (drafts[start : start + size] for start in range(0, len(drafts), size))


def examine_shard(drafts: Sequence[Draft], config: CurationConfig) -> list[Finding]:
    """Examine one shard, in whichever process this is called."""
    examiner = _get_examiner(config.model_dump_json())
    return [examiner.examine(draft) for draft in drafts]


def examine_here(
    drafts: Sequence[Draft], config: CurationConfig, progress: Progress
) -> list[Finding]:
    """Examine one shard after the other in this process."""
    findings = (examine_shard(shard, config) for shard in cut(drafts))
    return gather(findings, len(drafts), progress)


def examine_in_processes(workers: int) -> Examination:
    """Examine with so many processes; in this one where there are few drafts or one worker."""

    def examine(
        drafts: Sequence[Draft], config: CurationConfig, progress: Progress
    ) -> list[Finding]:
        if workers == 1 or len(drafts) < _FEWEST_FOR_PROCESSES:
            return examine_here(drafts, config, progress)
        # Not forked: a copy of a process that has threads, as Prefect's and pyarrow's, may hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_end_with_parent) as pool:
            return _examine_in(pool, drafts, config, progress)

    return examine


def _examine_in(
    pool: ProcessPoolExecutor, drafts: Sequence[Draft], config: CurationConfig, progress: Progress
) -> list[Finding]:
    others = set(multiprocessing.active_children())
    try:
        with _signals_held_back():
            futures = [pool.submit(examine_shard, shard, config) for shard in cut(drafts)]
        return gather((future.result() for future in futures), len(drafts), progress)
    except BrokenProcessPool as error:
        raise LostProcessError(
            "A process that looked at drafts was killed, most often for want of memory. Nothing is "
            "published: run the same command again, with a lower --processes if memory is short."
        ) from error
    except BaseException:
        # Not by cancelling: a pool of Python 3.11 whose process dies while its futures are
        # cancelled waits for ever. And what is under way is of no use to anybody.
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise


@contextmanager
def _signals_held_back() -> Generator[None]:
    """Start processes that never see a Ctrl-C, which a terminal sends to all; ours comes later.

    They would end in tracebacks of their own; who is interrupted ends them. And a pool that is
    interrupted half started waits for ever.
    """
    came: list[int] = []
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


def _end_with_parent() -> None:
    """End this process when the one that started it was killed and could not do so."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def gather(findings: Iterable[list[Finding]], total: int, progress: Progress) -> list[Finding]:
    """Collect the findings of shards as they come, telling how far it is."""
    collected: list[Finding] = []
    for shard in findings:
        collected += shard
        progress(len(collected), total, "record by record")
    return collected


@lru_cache(maxsize=1)
def _get_examiner(config: str) -> Examiner:
    """Load a detector once a process, not once a shard."""
    return Examiner(CurationConfig.model_validate_json(config))
