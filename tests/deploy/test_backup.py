"""deploy/backup.py: copies while a run is going on, and what a restored copy is worth."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from deploy.backup import back_up as copy_all
from pipeline.generation.journal.statistics import read_statistics
from tests.cli.command import ROOT

# A run in the middle of its work: what it has put down is in the journal's log, not in its file.
RUN = """
import sys
from pathlib import Path
from pipeline.generation.journal.journal import Journal
from tests.generation.journal_making import make_exchange

with Journal(Path(sys.argv[1])) as journal:
    for number in range(int(sys.argv[2])):
        exchange = make_exchange(number, f"대답 {number}")
        journal.put(exchange.prompt, exchange.completion)
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    version = tmp_path / "outputs" / "datasets" / "night" / "0001-abc"
    version.mkdir(parents=True)
    (version / "manifest.json").write_text("{}")
    (version.parent / ".0002-def.part").mkdir()
    (tmp_path / "outputs" / "journals").mkdir()
    return tmp_path / "outputs"


@pytest.fixture
def run_going_on(outputs: Path) -> Generator[subprocess.Popen[str]]:
    journal = outputs / "journals" / "night.sqlite"
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(journal), "20"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert run.stdout
        assert run.stdout.readline() == "written\n"
        yield run
    finally:
        run.communicate()


def back_up(outputs: Path, destination: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.backup", str(outputs), str(destination)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_journal_is_copied_while_a_run_writes_it_and_serves_in_another_place(
    outputs: Path, run_going_on: subprocess.Popen[str], tmp_path: Path
) -> None:
    done = back_up(outputs, tmp_path / "copy")

    assert done.returncode == 0, done.stderr
    assert run_going_on.poll() is None
    shutil.copytree(tmp_path / "copy", tmp_path / "restored")
    journal = tmp_path / "restored" / "journals" / "night.sqlite"
    assert [path.name for path in journal.parent.iterdir()] == ["night.sqlite"]
    assert read_statistics(journal).total.answers == 20


def test_versions_are_copied_whole_and_unfinished_ones_are_not(
    outputs: Path, tmp_path: Path
) -> None:
    back_up(outputs, tmp_path / "copy")
    second = outputs / "datasets" / "night" / "0002-def"
    second.mkdir()
    back_up(outputs, tmp_path / "copy")

    copies = sorted((tmp_path / "copy" / "datasets" / "night").iterdir())
    assert [copy.name for copy in copies] == ["0001-abc", "0002-def"]
    assert (copies[0] / "manifest.json").read_text() == "{}"


def test_damaged_journal_is_named_and_does_not_replace_its_last_copy(
    outputs: Path, tmp_path: Path
) -> None:
    (outputs / "journals" / "night.sqlite").write_text("not a journal")
    kept = tmp_path / "copy" / "journals" / "night.sqlite"
    kept.parent.mkdir(parents=True)
    kept.write_text("the last good copy")

    done = back_up(outputs, tmp_path / "copy")

    assert done.returncode == 1
    assert "night.sqlite was not copied, its last copy stays" in done.stderr
    assert kept.read_text() == "the last good copy"
    # The rest is copied all the same.
    assert (tmp_path / "copy" / "datasets" / "night" / "0001-abc").exists()


def test_decisions_of_readers_are_copied_as_they_are_now(outputs: Path, tmp_path: Path) -> None:
    decisions = outputs / "reviews" / "night.jsonl"
    decisions.parent.mkdir()
    for content in ("one\n", "one\ntwo\n"):
        decisions.write_text(content)
        assert back_up(outputs, tmp_path / "copy").returncode == 0

    assert (tmp_path / "copy" / "reviews" / "night.jsonl").read_text() == "one\ntwo\n"


def test_answers_that_can_be_made_again_are_not_copied(outputs: Path, tmp_path: Path) -> None:
    for subject in (".cells", "night-0001-abc"):
        (outputs / "evaluations" / subject / "0123456789abcdef").mkdir(parents=True)

    back_up(outputs, tmp_path / "copy")

    copied = [path.name for path in (tmp_path / "copy" / "evaluations").iterdir()]
    assert copied == ["night-0001-abc"]


def test_link_to_a_journal_that_a_killed_backup_left_is_removed(
    outputs: Path, tmp_path: Path
) -> None:
    old, young = (outputs / "journals" / f".metrics-{name}" for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir()
        (folder / "journal").touch()
    os.utime(old, (1_000, 1_000))

    back_up(outputs, tmp_path / "copy")

    assert (old.exists(), young.exists()) == (False, True)


def test_version_that_cannot_be_copied_is_named_and_the_rest_is_copied(
    outputs: Path, tmp_path: Path
) -> None:
    (outputs / "models" / "night" / "0001-abc").mkdir(parents=True)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "datasets").write_text("in the way")

    done = back_up(outputs, tmp_path / "copy")

    assert done.returncode == 1
    assert "datasets/night/0001-abc was not copied, its last copy stays" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "copy" / "models" / "night" / "0001-abc").is_dir()


def test_version_that_was_removed_meanwhile_is_not_missing(outputs: Path, tmp_path: Path) -> None:
    second = outputs / "datasets" / "night" / "0002-def"
    second.mkdir()
    partial = tmp_path / "copy" / "datasets" / "night" / ".0001-abc.part"
    partial.parent.mkdir(parents=True)
    partial.write_text("in the way")
    problems = copy_all(outputs, tmp_path / "copy")

    first = next(problems)
    second.rmdir()

    assert "0001-abc was not copied" in first
    assert list(problems) == []
