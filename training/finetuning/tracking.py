"""Where a run's figures can be followed beside the terminal: trackers that transformers knows.

Off unless asked for, and each is a package of its own. What they write and where is decided by
their own environment variables; ``flows/settings.py`` gives those that are unset values that keep
everything on this machine. Keys come from the environment and are written nowhere.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from schemas.errors import UserError

if TYPE_CHECKING:
    from transformers import Trainer

Tracker = Literal["tensorboard", "trackio", "mlflow", "wandb"]
TRACKERS: tuple[Tracker, ...] = get_args(Tracker)


class TrackerError(UserError):
    """A tracker is not installed."""


def check_trackers(report_to: Sequence[Tracker]) -> None:
    """Refuse trackers that are not installed, before anything is loaded or trained.

    Raises:
        TrackerError: Names them and the command that installs them.
    """
    missing = [name for name in report_to if not _is_installed(name)]
    if missing:
        names = " and ".join(repr(name) for name in missing)
        raise TrackerError(
            f"report_to {names} was asked for, but is not installed. Run "
            f"`.venv/bin/pip install {' '.join(missing)}`, or leave it out of report_to."
        )


def _is_installed(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    # A folder of logs named after its tracker can be imported too, as an empty package.
    return spec is not None and spec.origin is not None


def name_run(trainer: "Trainer", model: str, run: str) -> None:
    """Let trackers show a run under the model's name, beside its other runs.

    Args:
        trainer: Before its first step.
        model: Name that all runs of the model have in common.
        run: Name of this one; where it continues, its figures do too.
    """
    from transformers.integrations.integration_utils import TensorBoardCallback

    trainer.args.project, trainer.args.run_name = model, run
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, TensorBoardCallback) and callback.logging_dir is not None:
            # The other trackers keep runs apart by themselves.
            callback.logging_dir = str(Path(callback.logging_dir) / run)
