import errno
import os
import random
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from schemas.storage import StorageError
from training.finetuning.checkpoints import (
    discard,
    finish_checkpoint,
    last_checkpoint,
    last_step,
    name_staged,
    remove_unfinished,
    stage_checkpoint,
)
from training.finetuning.tensor_trees import read_tree, write_tree


class PowerCutError(BaseException):
    """Ends the process as abruptly as a test inside one process can."""


def save_a_checkpoint(run: Path, step: int) -> None:
    """Save what a reader can recognise as whole: the step, in JSON and in a tensor."""
    stage_checkpoint(run, step)
    write_tree(name_staged(run, step), "optimizer", {"step": step, "tensor": torch.tensor(step)})
    finish_checkpoint(run, step)


def read_step(checkpoint: Path) -> int:
    tree = read_tree(checkpoint, "optimizer")
    assert isinstance(tree, dict)
    assert tree["tensor"].item() == tree["step"]
    return tree["step"]


def fail_at(
    number: int, real: Callable[..., object], error: BaseException
) -> Callable[..., object]:
    """Wrap a function of the operating system whose ``number``-th call fails."""
    calls = iter(range(1, 1_000_000))

    def call(*arguments: object, **named: object) -> object:
        if next(calls) == number:
            raise error
        return real(*arguments, **named)

    return call


@pytest.mark.parametrize("operation", ["fsync", "rename", "mkdir", "open", "rmdir", "unlink"])
def test_a_kill_at_any_operation_leaves_the_old_checkpoint_or_the_new_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    real = getattr(os, operation)
    number = 0
    while True:
        number += 1
        run = tmp_path / str(number)
        run.mkdir()
        save_a_checkpoint(run, 4)
        monkeypatch.setattr(os, operation, fail_at(number, real, PowerCutError()))
        try:
            save_a_checkpoint(run, 8)
        except PowerCutError:
            was_killed = True
        else:
            was_killed = False
        finally:
            monkeypatch.setattr(os, operation, real)
        remove_unfinished(run)

        checkpoint = last_checkpoint(run)
        assert checkpoint is not None
        assert read_step(checkpoint) == last_step(run)
        assert last_step(run) in ({4, 8} if was_killed else {8})
        assert all(path.name.startswith("checkpoint-") for path in run.iterdir())
        if not was_killed:
            break
    assert number > 1, f"saving never calls os.{operation}"


@pytest.mark.parametrize("operation", ["fsync", "rename", "mkdir"])
def test_a_disk_that_is_full_at_any_operation_is_one_line_and_the_old_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    real = getattr(os, operation)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    save_a_checkpoint(tmp_path, 4)
    messages: list[str] = []
    while True:
        monkeypatch.setattr(os, operation, fail_at(len(messages) + 1, real, full))
        try:
            save_a_checkpoint(tmp_path, 8)
        except StorageError as error:
            messages.append(str(error))
        else:
            break
        finally:
            monkeypatch.setattr(os, operation, real)
        assert not list(tmp_path.glob(".unfinished-*")), "space is not given back"
        checkpoint = last_checkpoint(tmp_path)
        assert checkpoint is not None
        assert read_step(checkpoint) == last_step(tmp_path)
        if last_step(tmp_path) == 8:
            # It had its name already and only the old one could not be removed.
            break

    assert messages
    for message in messages:
        assert "No space left on device" in message
        assert "run the same command again" in message
        assert "\n" not in message
    save_a_checkpoint(tmp_path, 12)
    assert last_step(tmp_path) == 12


def test_what_the_run_wrote_beside_it_is_on_disk_before_a_checkpoint_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "history.jsonl").write_text("{}\n")
    events: list[str] = []
    fsync, rename = os.fsync, os.rename

    def note_fsync(descriptor: int) -> None:
        events.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    def note_rename(source: Path, target: Path) -> None:
        events.append(f"renamed to {Path(target).name}")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "rename", note_rename)
    save_a_checkpoint(tmp_path, 3)

    named = events.index("renamed to checkpoint-3")
    assert {
        "history.jsonl", "optimizer.json", "optimizer.safetensors", ".unfinished-3"
    } <= set(events[:named])  # fmt: skip
    assert events[named + 1 :] == [tmp_path.name]


def test_folders_that_only_look_like_checkpoints_are_none(tmp_path: Path) -> None:
    for name in ("checkpoint-", "checkpoint-x", "checkpoint-²", ".unfinished-7", "other"):
        (tmp_path / name).mkdir()

    assert last_checkpoint(tmp_path) is None
    assert last_step(tmp_path) == 0


def test_a_folder_whose_removal_was_cut_off_does_not_look_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_a_checkpoint(tmp_path, 4)
    unlink = os.unlink
    monkeypatch.setattr(os, "unlink", fail_at(1, unlink, PowerCutError()))

    with pytest.raises(PowerCutError):
        discard(tmp_path / "checkpoint-4")

    assert last_checkpoint(tmp_path) is None


def test_trees_come_back_bit_for_bit(tmp_path: Path) -> None:
    shared = torch.arange(3, dtype=torch.uint8)
    odd = torch.tensor([float("nan"), -0.0, float("inf"), 1e-42])
    tree = {
        "state": {0: {"step": torch.tensor(7.0), "map": shared}, 1: {"map": shared, "odd": odd}},
        "groups": [{"betas": (0.9, 0.999), "lr": 2e-4 / 3, "fused": None, "params": [0, 1]}],
        "half": torch.tensor([[1.5, 2.5]], dtype=torch.bfloat16).t(),
        "nothing": [torch.empty(0), (), {}, True],
        "이름": "값",
        "random": random.Random(3).getstate(),  # noqa: S311 - no secret
        "ordered": OrderedDict(b=1, a=2),
    }

    write_tree(tmp_path, "optimizer", tree)
    back = read_tree(tmp_path, "optimizer")

    assert isinstance(back, dict)
    assert list(back["state"]) == [0, 1]
    assert back["state"][0]["map"] is back["state"][1]["map"]
    assert back["state"][1]["odd"].view(torch.int32).equal(odd.view(torch.int32))
    assert back["groups"] == tree["groups"]
    assert isinstance(back["groups"][0]["betas"], tuple)
    assert back["half"].equal(torch.tensor([[1.5], [2.5]], dtype=torch.bfloat16))
    assert back["nothing"][0].shape == (0,)
    assert back["nothing"][1:] == [(), {}, True]
    assert back["이름"] == "값"
    assert list(back["ordered"].items()) == [("b", 1), ("a", 2)]
    generator = random.Random()  # noqa: S311 - no secret
    generator.setstate(back["random"])
    assert generator.random() == random.Random(3).random()  # noqa: S311 - no secret


def test_a_tree_holds_nothing_that_would_need_a_pickle(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"/groups/0: a PosixPath cannot be kept"):
        write_tree(tmp_path, "optimizer", {"groups": [Path("x")]})


def test_a_damaged_description_is_an_error_and_no_code(tmp_path: Path) -> None:
    (tmp_path / "optimizer.json").write_text('{"call": ["os.system", "true"]}')

    with pytest.raises(ValueError, match="'call' is no part of a checkpoint"):
        read_tree(tmp_path, "optimizer")
