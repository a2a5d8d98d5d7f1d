"""`datasets verify` names the first link that is broken, and what it could not look at."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.datasets.verify import run_verify
from pipeline.publishing.publish import publish
from schemas.storage import hash_file
from tests.cli.command import run_pacaloom, run_warm
from tests.publishing.test_versions_together import make_publication


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(make_publication(30), tmp_path_factory.mktemp("published"))


@pytest.fixture
def version(published: Path, tmp_path: Path) -> Path:
    target = tmp_path / "datasets" / "toy" / published.name
    return Path(shutil.copytree(published, target))


def verify(folder: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, Any, str]:
    status = run_verify([str(folder), *flags])
    told = capsys.readouterr()
    return status, json.loads(told.out), told.err


def test_whole_version_without_its_journal_is_not_wrong(tmp_path: Path, version: Path) -> None:
    done = run_pacaloom("datasets", "verify", "toy", outputs=tmp_path)

    outcome = json.loads(done.stdout.splitlines()[-1])
    assert done.status == 0
    assert outcome["verified"]
    assert outcome["not_proven"][0] == "record → answer"
    assert "Nothing is wrong. Not proven here: record → answer" in done.stderr


@pytest.mark.parametrize(
    ("file", "told"),
    [
        pytest.param("data/train.parquet", "data/train.parquet is missing", id="missing"),
        pytest.param("rejected.parquet", "rejected.parquet is missing", id="rejections"),
    ],
)
def test_partly_copied_version_says_which_file(
    version: Path, capsys: pytest.CaptureFixture[str], file: str, told: str
) -> None:
    (version / file).unlink()

    status, outcome, _ = verify(version, capsys)

    assert status == 1
    assert outcome["first_break"] == {"name": "files", "state": "broken", "detail": told}


def test_changed_card_is_named_and_the_records_are_still_proved(
    version: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (version / "README.md").write_text("other")
    (version / "data" / "more.parquet").write_bytes(b"")
    (version / ".DS_Store").write_bytes(b"")

    status, outcome, _ = verify(version, capsys, "--files-only")

    states = {link["name"]: link["state"] for link in outcome["links"]}
    assert status == 1
    assert "README.md was changed after publication" in outcome["first_break"]["detail"]
    assert "data/more.parquet was not published" in outcome["first_break"]["detail"]
    assert "DS_Store" not in outcome["first_break"]["detail"]
    assert states["tables"] == "proven"
    assert states["replay"] == "not asked"


def rewrite(version: Path, **changes: object) -> None:
    """Change the manifest, and name the files as they are now, as a forger would."""
    path = version / "manifest.json"
    manifest = json.loads(path.read_text()) | changes
    for file in manifest["files"]:
        file["sha256"] = hash_file(version / file["path"])
    path.write_text(json.dumps(manifest))


def test_rewritten_table_does_not_give_the_content_hash(
    version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = publish(make_publication(29), tmp_path / "other")
    shutil.copy(other / "data" / "train.parquet", version / "data" / "train.parquet")
    rewrite(version)

    status, outcome, _ = verify(version, capsys)

    assert status == 1
    assert outcome["first_break"]["name"] == "tables"
    assert "the tables and the licence hash to" in outcome["first_break"]["detail"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"licence": "mit"}, "the tables and the licence hash to", id="licence"),
        pytest.param({"kept": 31}, "the manifest's kept is 31, the tables hold 30", id="count"),
        pytest.param({"teachers": {"x": 31}}, "teachers is x 31", id="teachers"),
        pytest.param({"split_by": "lineage"}, "both descend from en-001", id="split"),
    ],
)
def test_rewritten_manifest_does_not_fit_the_tables(
    version: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], told: str
) -> None:
    rewrite(version, **changes)

    status, outcome, _ = verify(version, capsys)

    assert status == 1
    assert told in outcome["first_break"]["detail"]


def test_manifest_cannot_have_a_file_elsewhere_read(
    version: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (version.parent / "secret").write_text("s")
    path = version / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"].append({"path": "../secret", "sha256": hash_file(version.parent / "secret")})
    path.write_text(json.dumps(manifest))

    status, outcome, _ = verify(version, capsys)

    assert status == 1
    assert "../secret is no file of the version" in outcome["first_break"]["detail"]


def test_folder_that_is_no_version_is_the_users_mistake(tmp_path: Path) -> None:
    done = run_warm("datasets", "verify", str(tmp_path), outputs=tmp_path)

    assert done.status == 2
    assert "wanted a folder with manifest.json" in done.stderr
