"""Checkpoints of an unfinished run: whole or absent, whatever moment a kill or a power cut takes.

A checkpoint is written into a hidden folder, every file of it is fsynced, and only then it takes
its name: ``checkpoint-STEP`` in the run's folder is therefore always complete. The one before goes
when the new one has its name, so that a run holds one checkpoint between two saves and two while it
saves.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import PacaloomError
from schemas.frozen import Frozen
from schemas.storage import StorageError, sync_to_disk, write_text

_PREFIX = "checkpoint-"
_UNFINISHED = ".unfinished-"
_DISCARDED = ".discarded-"
_STATE = "state.json"


class CheckpointError(PacaloomError):
    """A checkpoint does not belong to the student that is being trained, or may not be kept."""


class RunState(Frozen):
    """What a continued run cannot measure again."""

    loss_before: float
    """Held-out loss before the first step."""
    seconds: float = 0.0
    """Spent in training up to the last checkpoint, over all starts."""
    peak_memory_mb: float = 0.0
    """Highest over all starts."""


def name_checkpoint(run: Path, step: int) -> Path:
    """Name the folder of the checkpoint after ``step`` optimizer steps."""
    return run / f"{_PREFIX}{step}"


def name_staged(run: Path, step: int) -> Path:
    """Name the hidden folder in which that checkpoint is written."""
    return run / f"{_UNFINISHED}{step}"


def stage_checkpoint(run: Path, step: int) -> None:
    """Make the empty hidden folder in which a checkpoint is written.

    Raises:
        StorageError: It cannot be made.
    """
    staged = name_staged(run, step)
    with checkpoint_errors_named(run):
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)


def finish_checkpoint(run: Path, step: int) -> None:
    """Bring a staged checkpoint onto the disk, give it its name and remove older ones.

    Raises:
        StorageError: The disk did not take it; the checkpoint before is untouched.
    """
    staged, target = name_staged(run, step), name_checkpoint(run, step)
    with checkpoint_errors_named(run):
        # What the run wrote beside its checkpoints has to last as long as the checkpoint that
        # implies it.
        for file in sorted([*staged.iterdir(), *run.iterdir()]):
            if file.is_file():
                sync_to_disk(file)
        sync_to_disk(staged)
        staged.rename(target)
        sync_to_disk(run)
        for older in _list_checkpoints(run).values():
            if older != target:
                discard(older)


@contextmanager
def checkpoint_errors_named(run: Path) -> Generator[None]:
    """Turn a disk that takes no more into one line, and give back what was half written.

    Raises:
        StorageError: In place of any OSError, or safetensors' own error, inside the block.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        remove_unfinished(run)
        reason = error.strerror if isinstance(error, OSError) else None
        raise StorageError(
            f"A checkpoint in {run} cannot be written: {reason or str(error).splitlines()[0]}. "
            "Free space there and run the same command again; it continues from the last one."
        ) from error


def last_checkpoint(run: Path) -> Path | None:
    """Find the newest checkpoint."""
    checkpoints = _list_checkpoints(run)
    return checkpoints[max(checkpoints)] if checkpoints else None


def last_step(run: Path) -> int:
    """Tell after which step a run would continue; 0 without a checkpoint."""
    return max(_list_checkpoints(run), default=0)


def remove_unfinished(run: Path) -> None:
    """Remove what a killed process was writing or removing; only who holds the run may do so."""
    for prefix in (_UNFINISHED, _DISCARDED):
        for folder in run.glob(f"{prefix}*"):
            shutil.rmtree(folder, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove a folder so that a kill half-way leaves nothing that looks whole."""
    hidden = name_discarded(folder)
    shutil.rmtree(hidden, ignore_errors=True)
    folder.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def name_discarded(folder: Path) -> Path:
    """Name the hidden folder that a folder becomes before it is deleted."""
    return folder.with_name(f"{_DISCARDED}{folder.name.removeprefix('.')}")


def _list_checkpoints(run: Path) -> dict[int, Path]:
    """Find all checkpoints by their step."""
    found: dict[int, Path] = {}
    for folder in run.glob(f"{_PREFIX}*"):
        step = folder.name.removeprefix(_PREFIX)
        if step.isascii() and step.isdigit():
            found[int(step)] = folder
    return found


def read_state(run: Path) -> RunState | None:
    """Read what earlier starts of the run measured; None at the first start."""
    path = run / _STATE
    return RunState.model_validate_json(path.read_bytes()) if path.is_file() else None


def write_state(run: Path, state: RunState) -> None:
    """Keep what this start has measured."""
    write_text(run / _STATE, state.model_dump_json())
