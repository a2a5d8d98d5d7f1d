"""Publishers in processes of their own: they take turns, and a killed one leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.versions import list_versions, open_version
from schemas.locking import BusyError, hold_name
from schemas.records import Draft, InstructionRecord, Provenance, Rejection
from schemas.review import ReviewDecision

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = Provenance(
    strategy="structured", teacher="teacher-1", completion_id="c1", seed_ids=("en-001", "ko-002")
)
DECISION = ReviewDecision(
    record="0" * 16,
    verdict="accept",
    author="김서연",
    time=datetime(2026, 1, 2, tzinfo=UTC),
    dataset="toy/1",
)

# A publisher that stops where its tables are written and its manifest is not, until it is told to
# go on.
PUBLISHER = """
import sys, time
from pathlib import Path
from pipeline.publishing.publish import publish
from tests.publishing.test_versions_together import DECISION, make_publication

here = Path(sys.argv[1])

class Halting(list):
    def __iter__(self):
        (here / "halted").touch()
        while not (here / "go").exists():
            time.sleep(0.02)
        return super().__iter__()

made = make_publication(int(sys.argv[2]))._replace(decisions=Halting([DECISION]))
print(publish(made, here / "datasets"))
"""


def make_publication(count: int) -> Publication:
    texts = [f"과일 {n}가지를 말해 줘. İıß" for n in range(count)]
    kept = [
        InstructionRecord(instruction=text, output="배", language="ko", provenance=ORIGIN)
        for text in texts
    ]
    draft = Draft(instruction="<b>x", output="되풀이", language="ko", provenance=ORIGIN)
    rejected = Rejection(
        draft=draft, stage="novelty", reason="repeat", detail="F1 0.81 with abc", score=0.81
    )
    return Publication(
        name="toy", kept=kept, rejected=[rejected], seeds=(), curation={}, judge=None, against=(),
        runs=(), licence="apache-2.0", code_version="test",
    )  # fmt: skip


@contextmanager
def halted_publisher(folder: Path, count: int) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PUBLISHER, str(folder), str(count)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as publisher:
        try:
            while not (folder / "halted").exists():
                assert publisher.poll() is None, "the publisher ended by itself"
                time.sleep(0.02)
            yield publisher
        finally:
            publisher.kill()


@pytest.mark.parametrize(
    ("first", "second", "ordinals"),
    [
        pytest.param(20, 21, ["0001", "0002"], id="other content"),
        pytest.param(20, 20, ["0001"], id="same content"),
    ],
)
def test_second_publisher_waits_for_the_first_and_says_so(
    tmp_path: Path, first: int, second: int, ordinals: list[str]
) -> None:
    said: list[str] = []
    found: list[Path] = []

    def publish_here() -> None:
        made = make_publication(second)._replace(decisions=[DECISION])
        found.append(publish(made, tmp_path / "datasets", said.append))

    with halted_publisher(tmp_path, first) as publisher:
        thread = Thread(target=publish_here)
        thread.start()
        while not said:
            time.sleep(0.02)
        assert list_versions(tmp_path / "datasets", "toy") == []
        (tmp_path / "go").touch()
        printed, _ = publisher.communicate()
        thread.join()

    assert "Another process is at work on 'toy'" in said[0]
    versions = list_versions(tmp_path / "datasets", "toy")
    assert [version.name[:4] for version in versions] == ordinals
    assert [Path(printed.strip()), *found] == [versions[0], versions[-1]]
    assert [open_version(version).kept for version in versions] == sorted({first, second})


def test_killed_publisher_leaves_nothing_that_the_next_one_does_not_remove(tmp_path: Path) -> None:
    with halted_publisher(tmp_path, 20) as publisher:
        os.kill(publisher.pid, signal.SIGKILL)
        publisher.wait()
    left = [path.name for path in (tmp_path / "datasets" / "toy").iterdir()]
    assert [name[:6] for name in left] == [".0001-"]
    assert list_versions(tmp_path / "datasets", "toy") == []

    version = publish(make_publication(20), tmp_path / "datasets")

    assert list((tmp_path / "datasets" / "toy").iterdir()) == [version]
    assert version.name.startswith("0001-")


def test_publisher_that_never_ends_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with (
        hold_name(tmp_path, "toy"),
        pytest.raises(BusyError, match=r"has held .*\.toy\.lock"),
        hold_name(tmp_path, "toy", longest_wait_s=0.1),
    ):
        pass


def test_names_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with hold_name(tmp_path, "toy"), hold_name(tmp_path, "other", longest_wait_s=0.1):
        pass


PRINTS = """
import sys
from pathlib import Path
from pipeline.publishing.publish import publish
from tests.publishing.test_versions_together import make_publication
publish(make_publication(30), Path(sys.argv[1]))
"""


def publish_elsewhere(folder: Path, environment: dict[str, str]) -> dict[str, bytes]:
    command = [sys.executable, "-c", PRINTS, str(folder)]
    path = {"PATH": os.defpath, "HOME": str(folder.parent)}
    subprocess.run(command, cwd=ROOT, env=path | environment, check=True)
    files = (file for file in (folder / "toy").rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_other_locale_time_zone_and_hash_seed_give_the_same_bytes(tmp_path: Path) -> None:
    here = {"LC_ALL": "C.UTF-8", "LANG": "ko_KR.UTF-8", "TZ": "Asia/Seoul", "PYTHONHASHSEED": "1"}
    # Python would take UTF-8 in this locale too, if it were let.
    ascii_only = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    there = {"LC_ALL": "POSIX", "LANG": "tr_TR", "TZ": "America/St_Johns", "PYTHONHASHSEED": "2"}

    first = publish_elsewhere(tmp_path / "one", here)
    second = publish_elsewhere(tmp_path / "a longer 이름", there | ascii_only)

    assert len(first) >= 5
    assert [name for name in first if first[name] != second.get(name)] == []
    assert set(first) == set(second)
