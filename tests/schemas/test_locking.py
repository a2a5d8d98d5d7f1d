"""Who holds a lock is seen from outside, and looking disturbs nobody."""

from pathlib import Path

import pytest
from filelock import FileLock

from schemas.locking import hold_in_use, hold_name, is_in_use, is_locked, is_name_held
from training.finetuning.run_lock import hold_run, is_held


def test_lock_is_held_as_long_as_somebody_holds_it_and_by_who_is_of_another_library(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lock"
    seen = [is_locked(path)]
    with FileLock(path):
        seen += [is_locked(path), is_locked(path)]
    seen.append(is_locked(path))

    assert seen == [False, True, True, False]


def test_looking_makes_no_file_and_no_folder(tmp_path: Path) -> None:
    assert not is_name_held(tmp_path / "datasets", "ko")
    assert not is_held(tmp_path / "models" / "ko" / ".run-1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_run", [True, False], ids=["run", "name"])
def test_name_and_run_are_held_while_somebody_works_on_them(tmp_path: Path, is_run: bool) -> None:
    def look() -> bool:
        return is_held(tmp_path / "ko") if is_run else is_name_held(tmp_path, "ko")

    with hold_run(tmp_path / "ko") if is_run else hold_name(tmp_path, "ko"):
        during = look()

    assert (during, look()) == (True, False)


def test_file_is_in_use_until_the_last_who_uses_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "student.gguf"
    path.touch()
    seen = [is_in_use(path)]
    with hold_in_use(path):
        with hold_in_use(path):
            seen.append(is_in_use(path))
        seen.append(is_in_use(path))
    seen.append(is_in_use(path))

    assert seen == [False, True, True, False]
