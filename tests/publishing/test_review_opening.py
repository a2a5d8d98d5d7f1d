"""A published version is opened again as it was, whatever its pages say."""

from pathlib import Path

import pytest

from pipeline.publishing.opening import DamagedVersionError, load_edition
from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.versions import open_version
from schemas.exchange import Completion, Decoding, Exchange, Prompt
from schemas.judgements import Assessment
from schemas.records import (
    Draft,
    InstructionRecord,
    Language,
    Neighbour,
    Provenance,
    Rejection,
    SeedTask,
)
from schemas.storage import ManifestError, RecordFileError

PROVENANCE = Provenance(strategy="structured", teacher="t", completion_id="c" * 16)


def make_record(instruction: str, language: Language) -> InstructionRecord:
    return InstructionRecord(
        instruction=instruction, output="Kiwi.", language=language, provenance=PROVENANCE
    )


KEPT = [make_record(f"Name fruit number {number}.", "en") for number in range(8)] + [
    make_record(f"과일 {number}번의 이름은?", "ko") for number in range(8)
]
REJECTED = Rejection(
    draft=Draft(instruction="봄꽃은?", language="ko", provenance=PROVENANCE),
    stage="schema",
    reason="empty-output",
    detail="the output is empty",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return publish(
        Publication(
            name="fruits",
            kept=KEPT,
            rejected=[REJECTED],
            seeds=(),
            curation={},
            judge=None,
            against=(),
            runs=(),
            licence="cc0-1.0",
            code_version="test",
            assessments={KEPT[0].id: Assessment(None, 0.25)},
            nearest={KEPT[1].id: Neighbour(KEPT[2].id, 0.5)},
        ),
        tmp_path,
    )


def test_version_is_read_back_whole(folder: Path) -> None:
    seed = SeedTask(id="ko-1", language="ko", instruction="꽃 이름은?", output="국화.")
    decoding, messages = Decoding(), ()
    completion = Completion(id="c" * 16, model="t", text="…", finish_reason="stop")
    prompt = Prompt(messages=messages, decoding=decoding, strategy="structured", language="ko")

    edition = load_edition(folder, [seed], lambda _: Exchange(prompt, completion))

    assert edition.manifest == open_version(folder)
    assert sorted(edition.kept, key=KEPT.index) == KEPT
    assert {
        "train": len(edition.splits.train),
        "validation": len(edition.splits.validation),
    } == edition.manifest.splits
    assert list(edition.rejected) == [REJECTED]
    assert edition.assessments == {KEPT[0].id: Assessment(None, 0.25)}
    assert edition.nearest == {KEPT[1].id: Neighbour(KEPT[2].id, 0.5)}
    assert edition.seeds == {"ko-1": seed}
    assert edition.find_exchange("c" * 16) == Exchange(prompt, completion)
    assert edition.decisions == []


def test_pages_of_an_older_program_are_not_needed(folder: Path) -> None:
    measured = load_edition(folder).statistics
    for page in ("README.md", "report.html"):
        (folder / page).unlink(missing_ok=True)
    (folder / "statistics.json").write_text('{"format": "pacaloom-statistics/0"}')

    assert load_edition(folder).statistics == measured

    (folder / "statistics.json").unlink()

    assert load_edition(folder).statistics == measured


def test_tables_of_another_version_are_damage(folder: Path) -> None:
    (folder / "data" / "validation.parquet").write_bytes(
        (folder / "data" / "train.parquet").read_bytes()
    )

    with pytest.raises(DamagedVersionError, match=r"speaks of 16 kept and 1 rejected"):
        load_edition(folder)


def test_damaged_decisions_are_named(folder: Path) -> None:
    (folder / "review.jsonl").write_text("{}\n")

    with pytest.raises(RecordFileError, match=r"review\.jsonl:1: "):
        load_edition(folder)


def test_folder_that_is_no_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is not a dataset version"):
        load_edition(tmp_path)
