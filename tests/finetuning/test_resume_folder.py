import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.storage import StorageError
from training.finetuning.checkpoints import finish_checkpoint, stage_checkpoint
from training.finetuning.run_folder import (
    ResumeError,
    RunDescription,
    close_run,
    describe_leftovers,
    describe_run,
    leftover_runs,
    open_run,
)
from training.finetuning.run_lock import RunBusyError, hold_run

REPOSITORY = Path(__file__).parents[2]


def make_description(
    name: str = "colours", dataset: str = "d" * 64, **decided: Any
) -> RunDescription:
    values = {"method": "lora", "learning_rate": 2e-4, "r": 16, "max_steps": None, **decided}
    return describe_run(name, values, dataset=dataset, student="5" * 64, template="7" * 16)


def leave_a_run(root: Path, description: RunDescription, step: int) -> Path:
    """Leave an unfinished run with a checkpoint, as a kill does."""
    with open_run(root, description) as run:
        stage_checkpoint(run, step)
        finish_checkpoint(run, step)
    return run


def test_the_same_values_find_their_run_and_others_begin_their_own(tmp_path: Path) -> None:
    run = leave_a_run(tmp_path, make_description(), 50)

    with open_run(tmp_path, make_description()) as again:
        assert again == run
    with open_run(tmp_path, make_description(learning_rate=1e-3)) as other:
        assert other != run


def test_a_run_says_by_name_what_decides_it_down_to_the_libraries(tmp_path: Path) -> None:
    import torch

    with open_run(tmp_path, make_description()) as run:
        written = RunDescription.model_validate_json((run / "run.json").read_bytes())

    assert written == make_description()
    assert written.values["learning_rate"] == 2e-4
    assert written.values["dataset"] == "d" * 64
    assert written.values["torch version"] == torch.__version__


@pytest.mark.parametrize(
    ("wanted", "differences"),
    [
        pytest.param(
            make_description(learning_rate=1e-3), "learning_rate 0.0002 → 0.001.", id="one"
        ),
        pytest.param(
            make_description(learning_rate=1e-3, r=8), "learning_rate 0.0002 → 0.001, r 16 → 8.",
            id="two",
        ),
        pytest.param(
            make_description(learning_rate=1e-3, r=8, max_steps=5, method="qlora"),
            "method lora → qlora, learning_rate 0.0002 → 0.001, r 16 → 8 and 1 more.",
            id="more-than-fit",
        ),
        pytest.param(
            make_description(dataset="e" * 64), "dataset dddddddddddd… → eeeeeeeeeeee….", id="data"
        ),
        pytest.param(make_description(max_steps=8), "max_steps none → 8.", id="was-open"),
        pytest.param(make_description(packing=True), "packing absent → True.", id="new-setting"),
        pytest.param(make_description(name="색깔"), "name colours → 색깔.", id="name-ko"),
    ],
)  # fmt: skip
def test_a_folder_of_other_values_is_refused_and_what_differs_is_named(
    tmp_path: Path, wanted: RunDescription, differences: str
) -> None:
    run = leave_a_run(tmp_path, make_description(), 50)

    with pytest.raises(ResumeError) as info, open_run(tmp_path, wanted, resume=run):
        pass

    assert f"than it began with: {differences} Give" in str(info.value)
    assert "\n" not in str(info.value)
    assert info.value.exit_status == 2
    assert (run / "checkpoint-50").is_dir()


def test_a_folder_with_the_values_of_the_call_is_continued_wherever_it_was_moved(
    tmp_path: Path,
) -> None:
    run = leave_a_run(tmp_path / "models", make_description(), 50)
    moved = run.rename(tmp_path / "kept")

    with open_run(tmp_path / "models", make_description(), resume=moved) as folder:
        assert folder == moved


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "found none. Once a run is finished its folder is gone", id="absent"),
        pytest.param({}, "found no readable run.json in it", id="something-else"),
        pytest.param({"manifest.json": "{}"}, "it is a published version", id="finished"),
        pytest.param({"run.json": "{}"}, "name: Field required", id="another-format"),
        pytest.param({"run.json": "\x00"}, "is not what this version of Pacaloom", id="damaged"),
    ],
)
def test_what_is_no_unfinished_run_is_refused(
    tmp_path: Path, content: dict[str, str] | None, complaint: str
) -> None:
    folder = tmp_path / "run"
    if content is not None:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)

    with (
        pytest.raises(ResumeError, match=complaint) as info,
        open_run(tmp_path / "models", make_description(), resume=folder),
    ):
        pass

    assert "\n" not in str(info.value)
    assert not (tmp_path / "models").exists()


def test_a_second_process_is_refused_with_the_first_ones_number_and_may_when_it_was_killed(
    tmp_path: Path,
) -> None:
    run = leave_a_run(tmp_path, make_description(), 50)
    script = f"""
from pathlib import Path
from training.finetuning.run_lock import hold_run
with hold_run(Path({str(run)!r})):
    print("held", flush=True)
    input()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"

    with pytest.raises(RunBusyError) as info, open_run(tmp_path, make_description()):
        pass
    assert f"Process {holder.pid} is at work on the same run in {run}" in str(info.value)
    assert info.value.exit_status == 1
    assert leftover_runs(tmp_path, "colours") == []

    holder.kill()
    holder.communicate()
    with open_run(tmp_path, make_description()) as folder:
        assert folder == run
    assert [left.step for left in leftover_runs(tmp_path, "colours")] == [50]


def test_the_lock_of_a_run_that_was_removed_meanwhile_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other process finishes its run between our opening of the lock and our locking of it.
    import fcntl

    run = tmp_path / ".run-1"
    flock, removed = fcntl.flock, False

    def finish_first(descriptor: int, operation: int) -> None:
        nonlocal removed
        if not removed:
            removed = True
            close_run(run)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", finish_first)
    with hold_run(run):
        assert (run / "lock").read_text() == str(os.getpid())
    assert removed


def test_a_folder_that_cannot_be_made_is_a_failure_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")

    with (
        pytest.raises(StorageError, match="cannot be made or locked: Not a directory"),
        open_run(tmp_path / "models", make_description()),
    ):
        pass


def test_a_closed_run_leaves_nothing_even_of_one_whose_closing_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "colours" / ".discarded-run-0123").mkdir(parents=True)

    with open_run(tmp_path, make_description()) as run:
        close_run(run)

    assert list((tmp_path / "colours").iterdir()) == []


def test_unfinished_runs_beside_a_new_one_are_told_with_what_differs_and_how_to_go_on(
    tmp_path: Path,
) -> None:
    assert describe_leftovers(leftover_runs(tmp_path, "colours"), make_description()) is None
    run = leave_a_run(tmp_path, make_description(), 50)
    new = make_description(r=8)

    with open_run(tmp_path, new):
        line = describe_leftovers(leftover_runs(tmp_path, "colours"), new)

    assert line is not None
    assert line.startswith(f"An unfinished run of 'colours', {run}, stopped after step 50, differs")
    assert "differs: r 16 → 8. This is a new one" in line
    assert f"--resume {run}; to remove: rm -r {run}" in line
    assert "\n" not in line


def test_of_several_unfinished_runs_the_furthest_is_described_and_all_can_be_removed(
    tmp_path: Path,
) -> None:
    runs = [
        leave_a_run(tmp_path, make_description(r=r), step) for r, step in ((4, 9), (2, 30), (32, 4))
    ]
    (tmp_path / "colours" / ".run-old").mkdir()

    left = leftover_runs(tmp_path, "colours")
    line = describe_leftovers(left, make_description())

    assert sorted(run.step for run in left) == [0, 4, 9, 30]
    assert line is not None
    assert f"One of 4 unfinished runs of 'colours', {runs[1]}, stopped after step 30" in line
    assert all(str(run) in line.split("rm -r ")[1] for run in runs)


def test_an_unfinished_run_of_another_version_of_the_program_is_told_as_such(
    tmp_path: Path,
) -> None:
    (tmp_path / "colours" / ".run-old").mkdir(parents=True)

    line = describe_leftovers(leftover_runs(tmp_path, "colours"), make_description())

    assert line is not None
    assert "was written by another version of Pacaloom" in line
