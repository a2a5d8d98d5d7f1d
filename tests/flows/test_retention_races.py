"""Maintenance beside others: publishers, promotions, kills, and folders that cannot be removed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from filelock import FileLock

from flows.parameters import MaintenanceParams
from flows.retention.plan import Plan, make_plan
from flows.retention.removal import Removal, remove
from flows.retention.things import Candidate
from flows.settings import ROOT
from schemas.locking import hold_in_use
from tests.flows.retention_outputs import (
    NOON,
    judge,
    list_given,
    maintain,
    refer_dataset,
    refer_model,
    settings_for,
    write_answers,
    write_dataset,
    write_model,
    write_served,
)
from training.evaluation.registry import Registry

_FILES = 300
_MAINTAIN = """
import sys
from pathlib import Path
from schemas.locking import hold_in_use
from tests.flows.retention_outputs import maintain
maintain(Path(sys.argv[1]), apply=True)
"""


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs"
    for ordinal in (1, 2, 3):
        write_dataset(folder, "ko", ordinal)
        write_model(folder, "ko", ordinal)
    return folder.resolve()


def plan(outputs: Path) -> Plan:
    return make_plan(MaintenanceParams(keep_versions=1), settings_for(outputs), time.time())


def remove_planned(outputs: Path, found: Plan) -> Removal:
    """Remove what an earlier look found."""
    return remove(
        found.candidates, lambda: plan(outputs).candidates, settings_for(outputs), NOON,
        lambda _: None, longest_wait_s=0.1,
    )  # fmt: skip


def test_all_versions_stay_while_somebody_publishes(outputs: Path) -> None:
    found = plan(outputs)

    with FileLock(outputs / "datasets" / ".ko.lock"):
        removal = remove_planned(outputs, found)

    assert removal.removed == ()
    assert removal.notices[0].startswith("All versions stay this time. Another process has held")
    assert len(remove_planned(outputs, found).removed) == 4


def test_what_was_published_meanwhile_keeps_what_it_refers_to(outputs: Path) -> None:
    found = plan(outputs)
    write_dataset(outputs, "mix", 1, parents=[refer_dataset("ko", 1)])

    removal = remove_planned(outputs, found)

    assert f"datasets/{refer_dataset('ko', 1)}" not in {one.key for one in removal.removed}
    assert removal.notices == ("1 of them stay: they are needed by now",)
    assert (outputs / "datasets" / refer_dataset("ko", 1) / "manifest.json").is_file()


def test_what_was_promoted_at_the_last_moment_stays(outputs: Path) -> None:
    found = plan(outputs)

    def promote_after_the_look() -> tuple[object, ...]:
        judge(outputs, refer_model("ko", 1), promote=True)
        return found.candidates

    removal = remove(
        found.candidates, promote_after_the_look, settings_for(outputs), NOON,  # pyright: ignore[reportArgumentType]
        lambda _: None,
    )  # fmt: skip

    assert f"models/{refer_model('ko', 1)}" not in {one.key for one in removal.removed}
    assert f"models/{refer_model('ko', 1)} stays: it is a champion by now." in removal.notices
    champion = Registry(outputs / "registry.sqlite").champion("ko")
    assert champion is not None
    assert (champion.removed_at, champion.path.is_dir()) == (None, True)


def test_what_somebody_removed_meanwhile_is_no_error(outputs: Path) -> None:
    found = plan(outputs)
    maintain(outputs, apply=True)

    assert len(remove_planned(outputs, found).removed) == 4


def test_model_that_somebody_removed_at_the_last_moment_is_noted_as_removed(outputs: Path) -> None:
    reference = refer_model("ko", 1)
    judge(outputs, reference)
    found = plan(outputs)

    def remove_by_hand_after_the_look() -> tuple[Candidate, ...]:
        shutil.rmtree(outputs / "models" / reference)
        return found.candidates

    remove(
        found.candidates, remove_by_hand_after_the_look, settings_for(outputs), NOON,
        lambda _: None,
    )  # fmt: skip

    assert Registry(outputs / "registry.sqlite").models("ko")[0].removed_at == NOON


def test_student_that_is_served_since_the_look_stays(outputs: Path) -> None:
    path = write_served(outputs, "gone/0001-0123456789ab", 30)
    found = plan(outputs)

    with hold_in_use(path):
        removal = remove_planned(outputs, found)

    assert path.exists()
    assert f"{path} stays: it is in use by now." in removal.notices


@pytest.mark.parametrize("is_served", [True, False], ids=["served", "answers"])
def test_what_was_used_since_the_look_stays(outputs: Path, is_served: bool) -> None:
    write = write_served if is_served else write_answers
    path = write(outputs, "gone/0001-0123456789ab", 30)
    found = plan(outputs)
    os.utime(path)

    removal = remove_planned(outputs, found)

    assert path.exists()
    assert [line for line in removal.notices if "stays: it is in use by now." in line]


def test_folder_that_became_a_link_meanwhile_is_not_followed(outputs: Path, tmp_path: Path) -> None:
    found = plan(outputs)
    folder = outputs / "models" / refer_model("ko", 1)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")

    remove_planned(outputs, found)

    assert (tmp_path / "moved" / "manifest.json").is_file()


@pytest.mark.parametrize("seed", range(2))
def test_kill_at_any_moment_leaves_every_version_whole_or_gone(outputs: Path, seed: int) -> None:
    folders = [*(outputs / "datasets" / "ko").iterdir(), *(outputs / "models" / "ko").iterdir()]
    for folder in folders:
        for number in range(_FILES):
            (folder / f"{number}.bin").write_bytes(b"0" * 100)
    expected = plan(outputs)
    running = subprocess.Popen([sys.executable, "-c", _MAINTAIN, outputs], cwd=ROOT)
    while running.poll() is None and all(folder.exists() for folder in folders):
        time.sleep(0.0005)
    time.sleep(Random(seed).random() * 0.02)  # noqa: S311 - a moment, no secret
    running.send_signal(signal.SIGKILL)
    running.wait()

    for folder in folders:
        assert not folder.exists() or len(list(folder.iterdir())) >= _FILES + 1
    maintain(outputs, apply=True)
    for root in ("datasets", "models"):
        left = [path.name for path in (outputs / root / "ko").iterdir()]
        refer = refer_dataset if root == "datasets" else refer_model
        assert left == [refer("ko", 3).split("/")[1]]
    assert list_given(maintain(outputs, apply=True)) == set()
    assert {one.key for one in expected.candidates} == {
        *(f"datasets/{refer_dataset('ko', one)}" for one in (1, 2)),
        *(f"models/{refer_model('ko', one)}" for one in (1, 2)),
    }
