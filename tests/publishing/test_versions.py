"""A dataset version is immutable, whole or absent, and accounts for every draft."""

import hashlib
import json
import shutil
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest

from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.versions import (
    DatasetVersionError,
    latest_version,
    list_versions,
    open_version,
)
from schemas.manifest import GenerationRun, SourceFile
from schemas.records import Draft, InstructionRecord, Language, Provenance, Rejection
from schemas.storage import ManifestError, StorageError

PROVENANCE = Provenance(
    strategy="structured", teacher="teacher-1", completion_id="c1", seed_ids=("en-001", "ko-002")
)

RUN = GenerationRun(
    teacher="teacher-1", config={}, admission={}, seeds=(), documents=(), generated=3,
    admitted={"en": 2}, unanswered=(),
    prompt_tokens=10, completion_tokens=20, stopped_because="quotas-filled", forecast=None,
)  # fmt: skip


def make_record(text: str, language: Language = "en") -> InstructionRecord:
    return InstructionRecord(
        instruction=text, output="Answer: " + text, language=language, provenance=PROVENANCE
    )


def make_publication(
    kept: list[InstructionRecord], rejected: list[Rejection] | None = None, name: str = "toy"
) -> Publication:
    return Publication(
        name=name,
        kept=kept,
        rejected=rejected or [],
        seeds=(SourceFile(path="seeds/en.jsonl", sha256="0" * 64),),
        curation={"novelty": {"threshold": 0.7}},
        judge=None,
        against=(),
        runs=(RUN,),
        licence="apache-2.0",
        code_version="test",
    )


RECORDS = [make_record(f"List {n} fruits.") for n in range(30)] + [
    make_record(f"과일 {n}가지를 말해 줘.", "ko") for n in range(30)
]
REJECTED = [
    Rejection(
        draft=Draft(
            instruction="<script>alert(1)</script> ``` | x",
            output="되풀이",
            language="ko",
            provenance=PROVENANCE,
        ),
        stage="novelty",
        reason="repeat",
        detail="F1 0.81 with abc",
        score=0.81,
        collides_with="abc",
    )
]


def test_version_loads_with_datasets_and_holds_every_record_once(tmp_path: Path) -> None:
    folder = publish(make_publication(RECORDS, REJECTED), tmp_path)

    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))

    rows = [row for split in loaded.values() for row in split.to_list()]
    assert sorted(row["id"] for row in rows) == sorted(record.id for record in RECORDS)
    assert {str(split) for split in loaded} == {"train", "validation"}
    first = next(row for row in rows if row["language"] == "ko")
    assert first["instruction"].startswith("과일")
    assert first["seed_ids"] == ["en-001", "ko-002"]


def test_manifest_accounts_for_every_draft_and_every_file(tmp_path: Path) -> None:
    folder = publish(make_publication(RECORDS, REJECTED), tmp_path)

    manifest = open_version(folder)

    assert manifest.generated == manifest.kept + sum(manifest.rejected.values()) == 61
    assert manifest.rejected_by_language["ko"] == {"repeat": 1}
    assert manifest.splits["train"] + manifest.splits["validation"] == 60
    hashes = {file.path: file.sha256 for file in manifest.files}
    on_disk = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "manifest.json"
    }
    assert hashes == on_disk


def test_rejected_drafts_are_published_whole(tmp_path: Path) -> None:
    folder = publish(make_publication(RECORDS, REJECTED), tmp_path)

    rows = pq.read_table(folder / "rejected.parquet").to_pylist()

    assert rows[0]["instruction"] == REJECTED[0].draft.instruction
    assert (rows[0]["reason"], rows[0]["collides_with"], rows[0]["score"]) == (
        "repeat",
        "abc",
        0.81,
    )


def test_same_content_is_the_same_version_and_other_content_the_next(tmp_path: Path) -> None:
    first = publish(make_publication(RECORDS), tmp_path)
    again = publish(make_publication(RECORDS), tmp_path)
    other = publish(make_publication(RECORDS[:-1]), tmp_path)

    assert again == first
    assert [folder.name[:4] for folder in list_versions(tmp_path, "toy")] == ["0001", "0002"]
    assert latest_version(tmp_path, "toy") == other


def test_older_content_is_published_again_so_that_the_name_stands_for_it(tmp_path: Path) -> None:
    first = publish(make_publication(RECORDS), tmp_path)
    publish(make_publication(RECORDS[:-1]), tmp_path)
    third = publish(make_publication(RECORDS), tmp_path)

    assert third.name == "0003" + first.name[4:]
    assert latest_version(tmp_path, "toy") == third


def test_another_licence_is_another_version(tmp_path: Path) -> None:
    first = publish(make_publication(RECORDS), tmp_path)
    second = publish(make_publication(RECORDS)._replace(licence="other"), tmp_path)

    assert second != first


def test_two_publishers_write_the_same_bytes(tmp_path: Path) -> None:
    one = publish(make_publication(RECORDS, REJECTED), tmp_path / "one")
    two = publish(make_publication(RECORDS, REJECTED), tmp_path / "two")

    files = sorted(file.relative_to(one) for file in one.rglob("*") if file.is_file())
    assert all((one / file).read_bytes() == (two / file).read_bytes() for file in files)
    assert len(files) >= 5


def test_half_written_version_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.publishing.tables.write_rejections", fail)

    with pytest.raises(StorageError, match="No space left on device"):
        publish(make_publication(RECORDS), tmp_path)
    assert list((tmp_path / "toy").iterdir()) == []


def test_version_that_would_refer_to_one_removed_meanwhile_is_not_published(tmp_path: Path) -> None:
    earlier = publish(make_publication(RECORDS[:20], name="fruits"), tmp_path)
    later = make_publication(RECORDS)._replace(
        against=(f"fruits/{earlier.name}",), needed=(earlier,)
    )

    with pytest.raises(DatasetVersionError, match=rf"fruits/{earlier.name}.*was removed"):
        publish(
            later,
            tmp_path,
            progress=lambda done, total, note="": shutil.rmtree(earlier, ignore_errors=True),
        )
    assert list((tmp_path / "toy").iterdir()) == []


@pytest.mark.parametrize("name", ["", "../up", "한글", "A", "a/b", "-a", "a" * 65])
def test_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetVersionError, match="dataset name"):
        publish(make_publication(RECORDS, name=name), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_no_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nowhere is not a dataset version"):
        open_version(tmp_path / "nowhere")
    (tmp_path / "manifest.json").write_text(json.dumps({"format": "other/1"}))
    with pytest.raises(ManifestError, match="format"):
        open_version(tmp_path)


def test_missing_name_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetVersionError, match=r"pacaloom curate --name none"):
        latest_version(tmp_path, "none")


@pytest.mark.parametrize("damaged", ["rejected.parquet", "data/train.parquet", "manifest.json"])
def test_damaged_version_is_published_anew_from_the_same_content(
    tmp_path: Path, damaged: str
) -> None:
    first = publish(make_publication(RECORDS, REJECTED), tmp_path)
    path = first / damaged
    path.write_bytes(path.read_bytes()[:100])

    second = publish(make_publication(RECORDS, REJECTED), tmp_path)

    assert second.name == f"0002-{first.name.removeprefix('0001-')}"
    assert open_version(second).kept == len(RECORDS)
    assert publish(make_publication(RECORDS, REJECTED), tmp_path) == second
