"""Run a Prefect worker that can be stopped without losing what its runs are about to write down.

Asked to end, a worker kills its runs within seconds, and none of their ``finally`` blocks is run.
So this asks the runs first and waits for them: answers in flight get into the journal, a training
saves a checkpoint. Arguments go to ``prefect worker start``; the exit status is the worker's.
"""

import signal
import sys
from collections.abc import Sequence

import psutil

_PATIENCE_S = 45.0
"""For the runs; deploy/compose.yaml gives the worker twice as long."""


def end_runs(worker: psutil.Process) -> None:
    """Send SIGTERM to the runs that a worker has started, and wait until they have ended."""
    try:
        runs = worker.children()
    except psutil.NoSuchProcess:
        return
    for run in runs:
        try:
            run.terminate()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(runs, timeout=_PATIENCE_S)


def main(arguments: Sequence[str]) -> int:
    """Be the worker's parent until it ends."""
    worker = psutil.Popen(
        [sys.executable, "-P", "-m", "prefect", "worker", "start", *arguments],
        # A terminal's Ctrl-C would otherwise reach worker and runs beside us.
        start_new_session=True,
    )

    def stop(_signal: int, _frame: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        end_runs(worker)
        worker.terminate()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    return worker.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
