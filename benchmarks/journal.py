"""The journal at 1,000,000 answers: writing with full sync, looking up, memory, statistics.

Rows are about 1.5 kB: prompts of 0.9 kB whose fixed half is the same in all, answers of 0.6 kB.
The large journal is built once in a folder that is removed at the end (2 GB); what is measured on
it runs in processes of its own, whose highest resident memory is told by the kernel (VmHWM).

    .venv/bin/python -m benchmarks.journal --rows 1000000
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from pipeline.generation.journal.journal import Journal
from pipeline.generation.journal.statistics import read_statistics
from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt, Usage

GROUP_SIZES = (1, 8, 32, 256)
SECONDS_A_SIZE = 3.0
LOOK_UPS = 52_000
APPENDED = 19_200
ROOT = Path(__file__).resolve().parents[1]
_FIXED = "Write one new task that differs from the examples in topic and wording. " * 6


def make_exchange(number: int) -> Exchange:
    draw = Random(number)  # noqa: S311 - filler, no secret
    words = "".join(draw.choices("abcdefghij klmnop qrst uvwxyz가나다라", k=760))
    prompt = Prompt(
        messages=(
            Message(role="system", content=_FIXED),
            Message(role="user", content=words[:330]),
        ),
        decoding=Decoding(),
        strategy=("structured", "alpaca", "evolve")[number % 3],
        language=("ko", "en")[number % 2],
        sample_index=number,
    )
    completion = Completion(
        id=prompt.key("teacher"),
        model="teacher",
        text=words[330:],
        finish_reason="stop" if number % 20 else "length",
        usage=Usage(prompt_tokens=200 + number % 50, completion_tokens=150 + number % 70),
        latency_s=draw.lognormvariate(0, 1),
        attempts=1 + (number % 97 == 0),
    )
    return Exchange(prompt, completion)


def measure_groups(folder: Path) -> None:
    print("rows/s with full sync, CPU a row")
    for size in GROUP_SIZES:
        made = [make_exchange(number) for number in range(max(2_000, size * 100))]
        with Journal(folder / f"groups-{size}.sqlite") as journal:
            written, started, cpu = 0, time.perf_counter(), time.process_time()
            for first in range(0, len(made), size):
                journal.put_all(made[first : first + size])
                written += size
                if time.perf_counter() - started > SECONDS_A_SIZE:
                    break
            wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        print(
            f"  groups of {size:>3}  {written / wall:8,.0f} rows/s  {cpu / written * 1e6:5.0f} µs"
        )


def build(path: Path, rows: int) -> None:
    writing = 0.0
    with Journal(path) as journal:
        for first in range(0, rows, 1_000):
            made = [make_exchange(number) for number in range(first, min(first + 1_000, rows))]
            started = time.perf_counter()
            journal.put_all(made)
            writing += time.perf_counter() - started
    size = path.stat().st_size
    print(f"built {rows:,} rows in groups of 1,000: {rows / writing:,.0f} rows/s")
    print(f"  {size / 1e6:,.0f} MB, {size / rows:,.0f} bytes a row")


def measure_use(path: Path, rows: int) -> None:
    """Look answers up and append others, as a run does that generates against this journal."""
    draw = Random(0)  # noqa: S311 - a sample, no secret
    keys = [make_exchange(draw.randrange(rows)).completion.id for _ in range(LOOK_UPS)]
    with Journal(path) as journal:
        before = read_peak_mb()
        started, cpu = time.perf_counter(), time.process_time()
        for first in range(0, LOOK_UPS, 64):
            assert None not in journal.get_all(keys[first : first + 64])  # noqa: S101
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        print(
            f"look-ups, 64 at once: {wall / LOOK_UPS * 1e6:.0f} µs each, parsed and checked; "
            f"CPU {cpu / LOOK_UPS * 1e6:.0f} µs"
        )
        cpu, made = time.process_time(), 0.0
        for first in range(0, APPENDED, 64):
            begun = time.process_time()
            group = [make_exchange(rows + number) for number in range(first, first + 64)]
            made += time.process_time() - begun
            journal.put_all(group)
        cpu = time.process_time() - cpu - made
        print(f"appended {APPENDED:,} in groups of 64: {cpu / APPENDED * 1e6:.0f} µs CPU each")
    print(f"peak memory {read_peak_mb():.0f} MB, {before:.0f} MB when opened")


def measure_statistics(path: Path) -> None:
    started, cpu = time.perf_counter(), time.process_time()
    found = read_statistics(path)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(f"statistics of {found.total.answers:,}: {wall:.1f} s, CPU {cpu:.1f} s")
    print(f"peak memory {read_peak_mb():.0f} MB")


def read_peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found.group(1)) / 1024 if found else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the temporary journal is built")
    parser.add_argument("--use", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--statistics", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.use:
        measure_use(arguments.use, arguments.rows)
    elif arguments.statistics:
        measure_statistics(arguments.statistics)
    else:
        run_all(arguments.rows, arguments.folder)


def run_all(rows: int, folder: Path | None) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        measure_groups(Path(name))
        path = Path(name) / "large.sqlite"
        build(path, rows)
        for part in ("--use", "--statistics"):
            sys.stdout.flush()
            command = [sys.executable, "-m", "benchmarks.journal", part, str(path)]
            subprocess.run([*command, "--rows", str(rows)], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
