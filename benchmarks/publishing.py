"""Publishing 100,000 drafts: CPU and wall seconds and highest memory, part by part; reading back.

60,000 kept records and 40,000 rejections of about 600 characters, half of them Korean, with
neighbours and assessments. Each line is a process of its own, whose highest resident memory is told
by the kernel (VmHWM); making the records is part of it and is told first.

    .venv/bin/python -m benchmarks.publishing --rows 100000
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

from pipeline.publishing.integrity import find_file_faults, find_table_faults, load_contents
from pipeline.publishing.publish import Publication, hash_content, publish
from pipeline.publishing.splits import split_records
from pipeline.publishing.statistics.measuring import measure_version
from pipeline.publishing.tables import (
    read_assessments,
    read_neighbours,
    read_records,
    read_rejections,
    write_assessments,
    write_neighbours,
    write_records,
    write_rejections,
)
from pipeline.publishing.versions import latest_version, open_version
from schemas.judgements import Assessment, Grade, Judgement
from schemas.records import (
    InstructionRecord,
    Language,
    Neighbour,
    Provenance,
    Rejection,
    to_draft,
)

Result = TypeVar("Result")
ROOT = Path(__file__).resolve().parents[1]
_KEPT_SHARE = 0.6
_SEEDS = 175
_OPENINGS: dict[Language, tuple[str, ...]] = {
    "en": ("Write a poem about", "List three facts about", "Explain the history of", "Describe"),
    "ko": ("다음에 관한 글을 쓰세요:", "세 가지 특징을 설명해 주세요:", "역사를 요약하세요:"),
}
_WORDS: dict[Language, str] = {
    "en": "river market small kitchen library garden because people usually remember what they "
    "learn by doing it slowly every morning before work and rest",
    "ko": "서울 시장에서 사람들은 아침마다 채소를 사고 저녁에는 가족과 함께 음식을 만들며 "
    "오래된 이야기를 나누고 내일 할 일을 천천히 정리합니다",
}
_LENGTHS = {"en": (60, 500), "ko": (40, 460)}


def make_text(rng: Random, language: Language, length: int) -> str:
    words = _WORDS[language].split()
    text = ""
    while len(text) < length:
        text += " ".join(rng.choices(words, k=8)) + ". "
    return text.strip()


def make_publication(rows: int) -> Publication:
    rng = Random(0)  # noqa: S311 - filler, no secret
    records = [make_record(rng, number) for number in range(rows)]
    kept = records[: int(rows * _KEPT_SHARE)]
    grade = Grade(4, "It answers what was asked.")
    return Publication(
        name="large",
        kept=kept,
        rejected=[
            Rejection(
                draft=to_draft(record),
                stage="novelty",
                reason="repeat",
                detail=f"ROUGE-L F1 with {kept[0].id} is 0.81, over 0.7",
                score=0.81,
                collides_with=kept[0].id,
            )
            for record in records[len(kept) :]
        ],
        seeds=(), curation={}, judge=None, against=(), runs=(), licence="apache-2.0",
        code_version="benchmark",
        assessments={one.id: Assessment(Judgement(grade, grade, grade), 0.4) for one in kept},
        nearest={one.id: Neighbour(kept[0].id, rng.random()) for one in kept},
    )  # fmt: skip


def make_record(rng: Random, number: int) -> InstructionRecord:
    language: Language = "ko" if number % 2 else "en"
    asked, answered = _LENGTHS[language]
    # A prompt shows seeds of one side only, as generation has it: here of one tenth.
    tenth = rng.randrange(10)
    seeds = sorted({f"{language}-{tenth}-{rng.randrange(_SEEDS // 10):02}" for _ in range(5)})
    return InstructionRecord(
        instruction=f"{rng.choice(_OPENINGS[language])} {make_text(rng, language, asked)} {number}",
        output=make_text(rng, language, answered),
        language=language,
        provenance=Provenance(
            strategy="structured",
            teacher="teacher",
            completion_id=f"{number // 3:016x}",
            position=number % 3,
            seed_ids=tuple(seeds),
            task_type="explanation",
        ),
    )


def run_part(part: str, rows: int, folder: Path) -> None:
    if part in ("read", "verify"):
        version = latest_version(folder / "datasets", "large")
        steps = list_reading(version) if part == "read" else list_verifying(version)
    else:
        publication = clock("make the records", lambda: make_publication(rows))
        steps = list_writing(part, publication, folder)
    for name, step in steps:
        clock(name, step)
    print(f"  {'highest memory':34} {read_peak_mb():10,.0f} MB")


Steps = list[tuple[str, Callable[[], object]]]


def list_writing(part: str, publication: Publication, folder: Path) -> Steps:
    if part == "publish":
        watch = Stopwatch()
        root = folder / "datasets"
        return [("publish, everything", lambda: publish(publication, root, progress=watch))]
    splits = split_records(publication.kept)
    target = folder / "tables"
    (target / "data").mkdir(parents=True)

    def write_tables() -> None:
        write_records(target / "data" / "train.parquet", splits.train)
        write_records(target / "data" / "validation.parquet", splits.validation)
        write_rejections(target / "rejected.parquet", publication.rejected)
        write_assessments(target, publication.assessments)
        write_neighbours(target, publication.nearest)

    return [
        ("split by lineage", lambda: split_records(publication.kept)),
        ("content hash", lambda: hash_content(splits, publication.rejected, "apache-2.0")),
        ("tables", write_tables),
        (
            "figures",
            lambda: measure_version(publication.kept, publication.nearest, publication.runs),
        ),
    ]


class Stopwatch:
    """Prints how long each kind of file took."""

    def __init__(self) -> None:
        self._note = ""
        self._since = 0.0

    def __call__(self, done: int, total: int, note: str = "") -> None:
        if note == self._note:
            return
        now = time.process_time()
        if self._note:
            print(f"    {self._note:32} {now - self._since:8.2f} CPU s")
        self._note, self._since = note, now


def list_reading(version: Path) -> Steps:
    return [
        ("read kept records", lambda: read_records(version)),
        ("read rejections", lambda: read_rejections(version)),
        ("read assessments", lambda: read_assessments(version)),
        ("read neighbours", lambda: read_neighbours(version)),
    ]


def list_verifying(version: Path) -> Steps:
    manifest = open_version(version)

    def verify_tables() -> None:
        contents = load_contents(version, manifest)
        assert not list(find_table_faults(version, manifest, contents))  # noqa: S101

    return [
        ("verify files", lambda: find_file_faults(version, manifest)),
        ("verify tables", verify_tables),
    ]


def clock(name: str, step: Callable[[], Result]) -> Result:
    wall, cpu = time.perf_counter(), time.process_time()
    result = step()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"  {name:34} {cpu:8.2f} CPU s {wall:8.2f} s")
    return result


def read_peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found.group(1)) / 1024 if found else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        run_part(arguments.part, arguments.rows, arguments.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        for part in ("parts", "publish", "read", "verify"):
            print(part, flush=True)
            command = [sys.executable, "-m", "benchmarks.publishing", "--part", part]
            command += ["--folder", name, "--rows", str(arguments.rows)]
            subprocess.run(command, cwd=ROOT, check=True)
        version = latest_version(Path(name) / "datasets", "large")
        for file in sorted(version.rglob("*"), key=lambda file: -file.stat().st_size)[:4]:
            print(f"  {file.name:34} {file.stat().st_size / 1e6:10.1f} MB")


if __name__ == "__main__":
    main()
