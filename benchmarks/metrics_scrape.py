"""What a scrape of the metrics costs on a large journal: the first, one after new answers, an idle.

Rows as in ``benchmarks.journal``. The journal stays open in a process that holds it, as a run does,
so that the write-ahead log is copied each time.

    .venv/bin/python -m benchmarks.metrics_scrape --rows 100000
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.journal import make_exchange
from flows.metrics.exporter import write_once
from flows.metrics.series import Series
from flows.metrics.teachers import TeacherCollector
from flows.settings import Settings
from pipeline.generation.journal.journal import Journal

_GROUP = 256
_NEW = 1_000
_ROOT = Path(__file__).resolve().parents[1]
_WRITER = """
import sys
from pathlib import Path
from benchmarks.metrics_scrape import write
from pipeline.generation.journal.journal import Journal
with Journal(Path(sys.argv[1])) as journal:
    first = 0
    for line in sys.stdin:
        write(journal, first, first + int(line))
        first += int(line)
        print("written", flush=True)
"""


def write(journal: Journal, first: int, end: int) -> None:
    for start in range(first, end, _GROUP):
        journal.put_all(map(make_exchange, range(start, min(start + _GROUP, end))))


def _measure(what: str, scrape: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    scrape()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<38} {wall * 1e3:>10.1f} {cpu * 1e3:>10.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows: int = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journals" / "large.sqlite"
        command = [sys.executable, "-c", _WRITER, str(path)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT
        ) as writer:

            def add(count: int) -> None:
                assert writer.stdin is not None  # noqa: S101 - for the type checker
                assert writer.stdout is not None  # noqa: S101 - for the type checker
                print(count, file=writer.stdin, flush=True)
                writer.stdout.readline()

            add(rows)
            collector = TeacherCollector(Path(folder))
            print(f"{rows:,} answers, {path.stat().st_size / 1e6:,.0f} MB, held by its run; "
                  f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
            print(f"{'scrape':<38} {'wall ms':>10} {'CPU ms':>10}")
            _measure("first", lambda: collector.collect(Series()))
            # A file that was written within the last seconds is not believed to have settled.
            _measure("second, nothing new", lambda: collector.collect(Series()))
            add(_NEW)
            _measure(f"third, {_NEW:,} new answers", lambda: collector.collect(Series()))
            time.sleep(2.5)
            collector.collect(Series())
            _measure("idle: the file has not changed", lambda: collector.collect(Series()))
            settings = Settings(outputs=Path(folder))
            _measure("`metrics --once`, without its imports", lambda: write_once(settings, print))
            assert writer.stdin is not None  # noqa: S101 - for the type checker
            writer.stdin.close()


if __name__ == "__main__":
    main()
