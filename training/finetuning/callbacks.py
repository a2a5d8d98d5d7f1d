"""What happens between the steps of a run: it is reported, saved completely, and stopped if asked.

This module imports transformers and is itself imported only when a run starts.
"""

from collections.abc import Callable
from pathlib import Path

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from schemas.progress import Progress
from training.finetuning.checkpoints import mark_complete


class RunCallback(TrainerCallback):
    """Report each step, mark complete checkpoints, and stop between two steps when asked to."""

    def __init__(
        self, progress: Progress, stop_asked: Callable[[], bool], saved: Callable[[], None]
    ) -> None:
        """Take what to call.

        Args:
            progress: After each step, with its loss.
            stop_asked: Whether to save a checkpoint and stop.
            saved: After each complete checkpoint.
        """
        self._progress = progress
        self._stop_asked = stop_asked
        self._saved = saved

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Decide about saving and stopping."""
        if state.global_step >= state.max_steps:
            # The Trainer would save here too, but continues wrongly from there: with max_steps in
            # mid-epoch it does one step more. What follows the last step takes seconds anyway.
            control.should_save = False
        elif self._stop_asked():
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: object,
    ) -> None:
        """Report the step's loss."""
        if logs and "loss" in logs:
            self._progress(state.global_step, state.max_steps, f"loss {logs['loss']:.3f}")

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Mark the checkpoint, which is now all on disk."""
        mark_complete(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}")
        self._saved()
