"""The state of an unfinished run, so that the same call continues where it was cut off.

A run lives in ``outputs/models/NAME/.run-HASH``, named by all that decides its result, until the
finished version is published. A checkpoint counts once a mark inside it says that it is complete:
a kill while one is written leaves it unmarked, and the one before it is used.
"""

import shutil
from pathlib import Path

from schemas.frozen import Frozen
from schemas.identity import short_id
from schemas.storage import StorageError, write_text

_MARK = "complete"
_STATE = "state.json"


class RunState(Frozen):
    """What a continued run cannot measure again."""

    loss_before: float
    """Held-out loss before the first step."""
    seconds: float = 0.0
    """Spent in training up to the last checkpoint, over all starts."""
    peak_memory_mb: float = 0.0
    """Highest over all starts."""


def open_run(root: Path, name: str, *decisive: object) -> Path:
    """Make or find the folder of the run that these parts decide.

    Raises:
        StorageError: It cannot be made.
    """
    folder = root / name / f".run-{short_id(*decisive)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be made: {error.strerror}. Mend the permissions there, or set "
            "PACALOOM_OUTPUTS to another folder."
        ) from error
    return folder


def close_run(folder: Path) -> None:
    """Remove the state of a run whose model is published."""
    shutil.rmtree(folder, ignore_errors=True)


def mark_complete(checkpoint: Path) -> None:
    """Say that all of a checkpoint is on disk."""
    write_text(checkpoint / _MARK, "")


def last_checkpoint(folder: Path) -> Path | None:
    """Find the newest complete checkpoint; incomplete ones are removed."""
    complete: dict[int, Path] = {}
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / _MARK).is_file():
            complete[int(checkpoint.name.removeprefix("checkpoint-"))] = checkpoint
        else:
            shutil.rmtree(checkpoint)
    return complete[max(complete)] if complete else None


def read_state(folder: Path) -> RunState | None:
    """Read what earlier starts of the run measured; None at the first start."""
    path = folder / _STATE
    return RunState.model_validate_json(path.read_bytes()) if path.is_file() else None


def write_state(folder: Path, state: RunState) -> None:
    """Keep what this start has measured."""
    write_text(folder / _STATE, state.model_dump_json())
