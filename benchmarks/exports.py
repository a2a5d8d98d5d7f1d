"""Exports against the loaders of those they are made for: rows that arrive equal, and speed.

Records are our seed tasks, and texts put together from what breaks readers. Each export is loaded
by the peer's own code, and all texts that come out are compared with the record. A peer that is no
package is read as its source reads: ``documented``. Then all formats write many records, next to
``datasets``' own writers on the same ones.

    .venv/bin/python -m benchmarks.exports
    .venv/bin/python -m benchmarks.exports --only axolotl --speed-records 0

LLaMA-Factory, Axolotl and FastChat are installed into ``.venv-peers/`` on the first run, without
the GPU libraries that their loaders do not touch.
"""

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path

from benchmarks.peers.environments import PeerError
from benchmarks.peers.export_readers import READERS, ROOT, SPLITS, Reader
from pipeline.publishing.exports.contract import Format
from pipeline.publishing.exports.formats import FORMATS
from pipeline.publishing.exports.rows import Part
from pipeline.publishing.exports.stored_rows import read_batches
from pipeline.publishing.exports.writing import export_version
from pipeline.publishing.tables import write_records
from schemas.manifest import DatasetManifest
from schemas.records import LANGUAGES, InstructionRecord, Provenance, SeedTask
from schemas.storage import read_jsonl

ORIGIN = Provenance(strategy="import", teacher="benchmark", completion_id="benchmark:1")
HOSTILE = (
    "\n", "\n\n", "\r", "\r\n", "\x85", "\u2028", "\t", "\x1c", "\ufeff", "\0", '"', "''", ",",
    "\\n", "=1+1", "@SUM(A1)", "NA", "null", "{", "}", "{input}", "\n\n### 맥락: ", "%s", "$(x)",
    "\n\n### Input:\n", "\n\n### 답변:", "### Response:", "<|im_start|>", "USER: ", "가나다",
    "ㅎㅏㄴ", "\U0001f469\u200d\U0001f467", "plain words", "</s>", "</script>",
)  # fmt: skip
HOSTILE_RECORDS = 1_000


def make_hostile_records() -> Iterator[InstructionRecord]:
    draw = random.Random(0)  # noqa: S311 - test data, no secret
    for number in count():
        instruction, input_, output = ("".join(draw.choices(HOSTILE, k=5)) for _ in range(3))
        yield InstructionRecord(
            instruction=f"{instruction}{number}", input=input_ if number % 2 else "",
            output=f"{output}.", language=LANGUAGES[number % 2], provenance=ORIGIN,
        )  # fmt: skip


def read_seed_records() -> list[InstructionRecord]:
    return [
        InstructionRecord(
            instruction=seed.instruction, input=seed.input, output=seed.output,
            language=seed.language, provenance=ORIGIN,
        )
        for language in LANGUAGES
        for seed in read_jsonl(ROOT / "seeds" / f"{language}.jsonl", SeedTask)
    ]  # fmt: skip


def multiply(records: list[InstructionRecord], wanted: int) -> list[InstructionRecord]:
    """Make many records of the same lengths."""
    return [
        record.model_copy(update={"instruction": f"{record.instruction} ({number})"})
        for number, record in enumerate(
            records[place % len(records)] for place in range(wanted)
        )
    ]  # fmt: skip


def write_version(root: Path, splits: dict[str, list[InstructionRecord]]) -> Path:
    folder = root / "benchmark" / "0001-0123456789ab"
    (folder / "data").mkdir(parents=True)
    for split, records in splits.items():
        write_records(folder / "data" / f"{split}.parquet", records)
    kept = sum(map(len, splits.values()))
    manifest = DatasetManifest(
        name="benchmark", version=folder.name, content_hash="0" * 64, generated=kept, kept=kept,
        rejected={}, kept_by_language={"en": 0, "ko": 0}, rejected_by_language={},
        splits={split: len(records) for split, records in splits.items()}, teachers={},
        strategies={}, prompt_tokens=0, completion_tokens=0, licence="apache-2.0", runs=(),
        curation={}, judge=None, against=(), seeds=(), files=(), code_version="benchmark",
    )  # fmt: skip
    (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    return folder


def count_equal(
    reader: Reader, exported: Path, splits: dict[str, list[InstructionRecord]], environments: Path
) -> tuple[int, str]:
    """Count the records that a peer holds as they were, and say how it was run."""
    loaded = reader.load(exported, environments)
    equal = 0
    for split in SPLITS:
        records = splits[split]
        if reader.by_language:
            records = sorted(records, key=lambda record: record.language)
        found = loaded.splits[split]
        if len(found) != len(records):
            raise PeerError(f"{split}: {len(found):,} rows of {len(records):,}")
        equal += sum(
            reader.expect(record) == row for record, row in zip(records, found, strict=True)
        )
    return equal, loaded.how


def prove(only: str, environments: Path) -> None:
    """Print for each peer how many records it holds as they were."""
    records = [*read_seed_records(), *islice(make_hostile_records(), HOSTILE_RECORDS)]
    random.Random(0).shuffle(records)  # noqa: S311 - test data, no secret
    splits = {"train": records[100:], "validation": records[:100]}
    print(f"{'format':<16}{'reader':<23}{'rows in':>8}{'equal':>7}  how")
    with tempfile.TemporaryDirectory() as root:
        version = write_version(Path(root), splits)
        export_version(version, FORMATS, Path(root) / "out")
        for reader in READERS:
            if only not in f"{reader.format} {reader.name}".lower():
                continue
            line = f"{reader.format:<16}{reader.name:<23}{len(records):>8,}"
            try:
                folder = Path(root) / "out" / reader.format
                equal, how = count_equal(reader, folder, splits, environments)
                print(f"{line}{equal:>7,}  {how}", flush=True)
            except PeerError as error:
                print(f"{line}{'–':>7}  not run: {error}", flush=True)


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Measure CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def write_many(root: Path, wanted: int) -> None:
    write_version(root, {"train": multiply(read_seed_records(), wanted), "validation": []})


def compare_speed(wanted: int) -> None:
    """Print records a second of each format, alone and checked, and of ``datasets``' writers."""
    print(f"\n{wanted:,} records        CPU s  wall s  records/s (wall)  writing alone")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        # In a process of its own: the memory of what makes the records is not that of an export.
        maker = get_context("spawn").Process(target=write_many, args=(root, wanted))
        maker.start()
        maker.join()
        (version,) = root.glob("benchmark/*")
        before = peak_mb()
        for format_ in FORMATS:
            target = root / format_.name
            cpu_s, wall_s = measure(partial(export_version, version, [format_], target))
            alone_s = measure(partial(write_alone, version, format_, root / "alone"))[1]
            print_speed(
                f"ours, {format_.name}", wanted, cpu_s, wall_s, f"{wanted / alone_s:>13,.0f}"
            )
        print(f"peak memory {peak_mb():,.0f} MB, {before:,.0f} MB before the first export")
        compare_with_datasets(version, root, wanted)


def write_alone(version: Path, format_: Format, target: Path) -> None:
    """Write one file without marks, and without reading anything back."""
    format_.data.write(target, read_batches(version, Part("train", LANGUAGES)))


def compare_with_datasets(version: Path, root: Path, wanted: int) -> None:
    import datasets

    datasets.disable_progress_bars()
    columns = ["instruction", "input", "output"]
    table = str(version / "data" / "train.parquet")

    def write(ending: str) -> None:
        loaded = datasets.Dataset.from_parquet(table, cache_dir=str(root / f"cache-{ending}"))
        chosen = loaded.select_columns(columns)
        if ending == "csv":
            chosen.to_csv(root / "peer.csv")
        else:
            chosen.to_json(root / "peer.jsonl", force_ascii=False)

    for ending in ("json", "csv"):
        spent = measure(partial(write, ending))
        print_speed(f"datasets, to_{ending}", wanted, *spent)


def print_speed(name: str, records: int, cpu_s: float, wall_s: float, more: str = "") -> None:
    rate = records / wall_s
    print(f"{name:<22}{cpu_s:>7.2f}{wall_s:>8.2f}{rate:>18,.0f}{more:>15}", flush=True)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of a format's or reader's name")
    parser.add_argument("--speed-records", type=int, default=100_000)
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-peers")
    arguments = parser.parse_args()
    prove(arguments.only.lower(), arguments.environments)
    if arguments.speed_records:
        compare_speed(arguments.speed_records)


if __name__ == "__main__":
    main()
