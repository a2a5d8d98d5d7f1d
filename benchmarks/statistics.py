"""What the figures of a version cost, and how well instructions are read.

Records are real instructions with a number at the end, as many as are asked for, half English and
half Korean. Reading is held against the labels that people gave to our seed tasks.

    .venv/bin/python -m benchmarks.statistics
"""

import argparse
import gzip
import json
import time
from collections.abc import Callable
from itertools import count
from typing import Literal, TypeVar

from benchmarks.endpoint import ROOT
from pipeline.curation.novelty.nearest import find_nearest
from pipeline.generation.seeds import load_seed_tasks
from pipeline.publishing.statistics.english import EnglishReader
from pipeline.publishing.statistics.korean import KoreanReader
from pipeline.publishing.statistics.measuring import measure_version
from pipeline.publishing.statistics.phrasing import InstructionReader
from schemas.records import InstructionRecord, Language, Provenance

CORPORA = ROOT / "../shared/data/corpora"
LABELS = ROOT / "tests/publishing/asked"
_SIZES = (10_000, 100_000)
_Result = TypeVar("_Result")


def make_records(size: int) -> list[InstructionRecord]:
    """Make so many records of both languages."""
    return [*_make("en", size // 2), *_make("ko", size - size // 2)]


def _make(language: Literal["en", "ko"], size: int) -> list[InstructionRecord]:
    with gzip.open(CORPORA / f"{language}_instructions.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = list(dict.fromkeys(json.loads(line)["instruction"] for line in lines))
    origin = Provenance(strategy="import", teacher="corpus", completion_id="corpus")
    records: list[InstructionRecord] = []
    for number in count():
        if len(records) >= size:
            return records
        text, turn = texts[number % len(texts)], number // len(texts)
        records.append(
            InstructionRecord(
                instruction=f"{text} {turn}" if turn else text,
                output=f"{number}: {text}",
                language=language,
                provenance=origin,
            )
        )
    return records


def _time(label: str, size: int, work: Callable[[], _Result]) -> _Result:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{label:<16} {size:>8,} {cpu:>8.2f} {wall:>8.2f}")
    return result


def measure_reading(language: Language, reader: InstructionReader) -> None:
    """Print how often a reader finds what people found."""
    seeds = {one.id: one.instruction for one in load_seed_tasks(ROOT / f"seeds/{language}.jsonl")}
    lines = (LABELS / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    labels = [json.loads(line) for line in lines]
    asked = [reader.read(seeds[label["id"]]).asked for label in labels]
    verbs = [label["verb"] == one.verb for label, one in zip(labels, asked, strict=True)]
    pairs = [
        (label["verb"], label["noun"]) == one
        for label, one in zip(labels, asked, strict=True)
        if label["noun"] is not None
    ]
    print(
        f"{language}: verb {sum(verbs) / len(verbs):.1%} of {len(verbs)}, "
        f"pair {sum(pairs) / len(pairs):.1%} of {len(pairs)}"
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, action="append", help="records; may be repeated")
    sizes: list[int] = parser.parse_args().size or list(_SIZES)
    measure_reading("en", EnglishReader())
    measure_reading("ko", KoreanReader())
    find_nearest(make_records(20), [])
    print(f"{'':<16} {'records':>8} {'CPU s':>8} {'wall s':>8}")
    for size in sizes:
        records = make_records(size)
        ids = _time("ids", size, lambda records=records: [record.id for record in records])
        nearest = _time("find_nearest", size, lambda records=records: find_nearest(records, []))
        print(f"{'':<16} {len(nearest):>8,} of {len(ids):,} compared")
        _time(
            "measure_version",
            size,
            lambda records=records, nearest=nearest: measure_version(records, nearest, []),
        )


if __name__ == "__main__":
    main()
