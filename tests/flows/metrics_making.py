"""What the tests of the metrics share: a scrape, and a journal that another process writes."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from flows.metrics.exporter import make_registry
from flows.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

Sample = tuple[str, frozenset[tuple[str, str]]]

_WRITER = """
import sys
from pathlib import Path
from pipeline.generation.journal.journal import Journal
from tests.generation.journal_making import make_exchange
with Journal(Path(sys.argv[1])) as journal:
    for line in sys.stdin:
        first, end = map(int, line.split())
        journal.put_all(make_exchange(number, "답" * 500) for number in range(first, end))
        print("written", flush=True)
"""


class Writer(NamedTuple):
    """A process that holds a journal as a run does."""

    process: "subprocess.Popen[str]"
    asked: IO[str]
    told: IO[str]

    def write(self, first: int, end: int) -> None:
        """Have answers written; they are committed when this returns."""
        self.asked.write(f"{first} {end}\n")
        self.asked.flush()
        assert self.told.readline() == "written\n"


@contextmanager
def writing(path: Path) -> Generator[Writer]:
    """Start the process; at the end it closes the journal, unless it was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Writer(process, process.stdin, process.stdout)
        finally:
            process.stdin.close()


def parse(text: str) -> dict[Sample, float]:
    """Read the text format with the library's own parser; no series may stand twice."""
    samples: dict[Sample, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, key
            samples[key] = sample.value
    return samples


class Scraper:
    """An exporter over its life, and what it complained of."""

    def __init__(self, settings: Settings) -> None:
        self.said: list[str] = []
        self._registry = make_registry(settings, self.said.append)

    def scrape(self) -> dict[Sample, float]:
        return parse(generate_latest(self._registry).decode())


def scrape(outputs: Path) -> dict[Sample, float]:
    return Scraper(Settings(outputs=outputs)).scrape()


def sample(metric: str, /, **labels: str) -> Sample:
    return metric, frozenset(labels.items())
