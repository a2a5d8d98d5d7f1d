"""The whole of curation as a user runs it: 100,000 records, and a small batch against 50,000.

Records are real instructions of two corpora, the later ones with words changed, dropped and added,
each with a real text as its output: a seed task's or a review. Measured is the command itself,
``./pacaloom curate``, from its start to the published version: wall time, CPU seconds and the
greatest memory of all its processes together.

    .venv/bin/python -m benchmarks.curation --rows 100000
"""

import argparse
import gzip
import json
import random
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).parents[1]
SHARED = ROOT / "../shared/data"
CORPORA = {
    language: SHARED / f"corpora/{language}_instructions.jsonl.gz" for language in ("en", "ko")
}
EARLIER_ROWS, BATCH_ROWS = 50_000, 1_000
_WATCH_EVERY_S = 0.1


class Cost(NamedTuple):
    """What one command took."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    """Resident memory of all its processes at once."""
    outcome: dict[str, object]
    """The last line of its standard output."""


def read_instructions(language: str) -> list[str]:
    with gzip.open(CORPORA[language], "rt", encoding="utf-8") as lines:
        return [json.loads(line)["instruction"] for line in lines]


def read_outputs(language: str) -> list[str]:
    seeds = (ROOT / f"seeds/{language}.jsonl").read_text(encoding="utf-8").splitlines()
    outputs = [str(json.loads(line)["output"]) for line in seeds]
    if language == "ko":
        reviews = (SHARED / "nsmc/train.jsonl").read_text(encoding="utf-8").splitlines()
        return outputs + [str(json.loads(line)["text"]) for line in reviews]
    tasks = (SHARED / "stanford_alpaca/seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    return outputs + [str(json.loads(line)["instances"][0]["output"]) for line in tasks]


def make_rows(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Make records of both languages in turn; none is made twice."""
    draw = random.Random(seed)  # noqa: S311 - the same records each time
    instructions = {language: read_instructions(language) for language in CORPORA}
    outputs = {language: read_outputs(language) for language in CORPORA}
    words = {language: " ".join(texts[:5000]).split() for language, texts in instructions.items()}
    for number in range(count):
        language = "ko" if number % 2 else "en"
        texts = instructions[language]
        round_, place = divmod(number // 2, len(texts))
        text = texts[place] if round_ == 0 else change(texts[place], words[language], draw)
        output = " ".join(draw.sample(outputs[language], 2))
        yield {"instruction": text, "input": "", "output": output, "language": language}


def change(text: str, words: list[str], draw: random.Random) -> str:
    """Replace a third of the words by others of the corpus."""
    parts = re.split(r"(\s+)", text)
    for place in range(0, len(parts), 2):
        if draw.random() < 1 / 3:
            parts[place] = draw.choice(words)
    return "".join(parts)


def write_rows(path: Path, count: int, seed: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(
            json.dumps(row, ensure_ascii=False) + "\n" for row in make_rows(count, seed)
        )
    return path


def run(outputs: Path, *arguments: str) -> Cost:
    """Run the command and watch it."""
    environment = {
        "PACALOOM_OUTPUTS": str(outputs),
        "PATH": "/usr/bin:/bin",
        "HOME": str(Path.home()),
    }
    start = time.monotonic()
    process = psutil.Popen(
        [str(ROOT / "pacaloom"), "curate", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watch = _Watch(process)
    watch.start()
    stdout, _ = process.communicate()
    wall_s = time.monotonic() - start
    watch.join()
    if process.returncode != 0:
        raise SystemExit(f"pacaloom curate {' '.join(arguments)} ended with {process.returncode}")
    return Cost(wall_s, watch.cpu_s, watch.peak_mb, json.loads(stdout.splitlines()[-1]))


class _Watch(threading.Thread):
    """Adds up what a process and its children hold, and remembers the most."""

    def __init__(self, process: psutil.Popen) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._cpu_s: dict[int, float] = {}
        self.peak_mb = 0.0

    @property
    def cpu_s(self) -> float:
        return sum(self._cpu_s.values())

    def run(self) -> None:
        while self._process.poll() is None:
            held = 0
            try:
                for one in [self._process, *self._process.children(recursive=True)]:
                    held += one.memory_info().rss
                    times = one.cpu_times()
                    self._cpu_s[one.pid] = times.user + times.system
            except psutil.Error:
                pass
            self.peak_mb = max(self.peak_mb, held / 1e6)
            time.sleep(_WATCH_EVERY_S)


def report(what: str, cost: Cost) -> None:
    print(
        f"{what:<44} {cost.wall_s:7.1f} s wall {cost.cpu_s:7.1f} CPU-s {cost.peak_mb:7,.0f} MB"
        f"  kept {cost.outcome['kept']:,} of {cost.outcome['generated']:,}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    if not all(path.is_file() for path in CORPORA.values()):
        print(f"Skipped: needs instructions as .jsonl.gz, none at {CORPORA['en'].parent}.")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(folder, "--name", "warm", "--input", str(write_rows(folder / "warm.jsonl", 100, 0)))
        rows = write_rows(folder / "rows.jsonl", arguments.rows, 1)
        report(f"{arguments.rows:,} records", run(folder, "--name", "whole", "--input", str(rows)))
        rows = write_rows(folder / "earlier.jsonl", EARLIER_ROWS, 2)
        report(f"{EARLIER_ROWS:,} records", run(folder, "--name", "batches", "--input", str(rows)))
        # The first batch indexes what is there; those after it read the index.
        for seed, what in ((3, "indexing them"), (4, "from their index")):
            rows = write_rows(folder / "batch.jsonl", BATCH_ROWS, seed)
            cost = run(
                folder, "--name", f"batch-{seed}", "--input", str(rows), "--against", "batches"
            )
            report(f"{BATCH_ROWS:,} records against those, {what}", cost)


if __name__ == "__main__":
    main()
