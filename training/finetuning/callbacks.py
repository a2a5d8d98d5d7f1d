"""What happens between the steps of a run: it is told, written down, asked, saved and stopped.

This module imports transformers and is itself imported only when a run starts.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from schemas.manifest import TrainingPoint
from schemas.progress import Progress
from training.finetuning.history import StepLog, Stopwatch, open_history, tokens_per_second
from training.finetuning.recipe import Recipe, Settings
from training.finetuning.samples import Interview, open_samples
from training.finetuning.student import LoadedStudent
from training.templating import find_template


class Records(NamedTuple):
    """What a run writes down about itself."""

    history: StepLog[TrainingPoint]
    interview: Interview
    sample_steps: int | None
    """Steps between two rounds of questions; None asks before the first and after the last only."""
    stopwatch: Stopwatch
    """Of training; stands still while questions are asked."""


def open_records(
    run: Path,
    checkpoint: Path | None,
    loaded: LoadedStudent,
    recipe: Recipe,
    settings: Settings,
    seconds: float,
) -> Records:
    """Open what a run writes down about itself.

    Args:
        run: Its folder.
        checkpoint: What it continues from; None from the beginning.
        loaded: The student.
        recipe: How it is tuned.
        settings: The same, decided.
        seconds: Trained already, up to the checkpoint.

    Raises:
        HistoryError: Files and checkpoint do not fit.
        StorageError: The files cannot be written.
    """
    step = int(checkpoint.name.removeprefix("checkpoint-")) if checkpoint else None
    answers = open_samples(run, step, recipe.sample_steps)
    return Records(
        open_history(run, step),
        Interview(loaded, find_template(recipe.template, loaded.tokenizer), settings, answers),
        recipe.sample_steps,
        Stopwatch(seconds),
    )


class BeginCallback(TrainerCallback):
    """Do something when the student is where it will be trained, and before it is."""

    def __init__(self, begin: Callable[[], None]) -> None:
        """Take what to call."""
        self._begin = begin

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Call it."""
        self._begin()


class RunCallback(TrainerCallback):
    """Report and record each step, and save and stop when asked to.

    Of several processes only the first writes.
    """

    def __init__(
        self,
        progress: Progress,
        stop_asked: Callable[[], bool],
        saved: Callable[[], None],
        records: Records,
    ) -> None:
        """Take what to call.

        Args:
            progress: After each step, with its loss.
            stop_asked: Whether to save a checkpoint and stop.
            saved: After each complete checkpoint.
            records: Where steps and answers are written down.
        """
        self._progress = progress
        self._stop_asked = stop_asked
        self._saved = saved
        self._records = records

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Ask the base, unless the run continues and has its answers."""
        if state.global_step == 0:
            if state.is_world_process_zero:
                self._progress(0, state.max_steps, "asking the base the fixed questions")
            self._ask(state)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Ask if it is time to, and decide about saving and stopping."""
        is_last = state.global_step >= state.max_steps
        every = self._records.sample_steps
        if is_last or (every and state.global_step % every == 0):
            self._ask(state)
        if is_last:
            # What follows may be cut off too, and need not cost the steps since the last one.
            control.should_save = True
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
        """Write the step down and report it; the trainer has refused what is not a number."""
        if not logs or "loss" not in logs or not state.is_world_process_zero:
            return
        point = TrainingPoint(
            step=state.global_step,
            loss=logs["loss"],
            learning_rate=logs["learning_rate"],
            gradient_norm=logs["grad_norm"],
            tokens=state.num_input_tokens_seen,
        )
        history = self._records.history
        history.append(point)
        speed = tokens_per_second(history.entries, self._records.stopwatch.seconds)
        self._progress(state.global_step, state.max_steps, describe_step(point, speed))

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Keep what was measured up to the checkpoint."""
        if state.is_world_process_zero:
            self._saved()

    def _ask(self, state: TrainerState) -> None:
        interview = self._records.interview
        if state.is_world_process_zero or interview.needs_all:
            with self._records.stopwatch.paused():
                interview.ask(state.global_step, write=state.is_world_process_zero)


def describe_step(point: TrainingPoint, tokens_per_second: float) -> str:
    """Say in a few words how a step went: ``loss 1.234, 412 tokens/s, gradient 0.81``."""
    return (
        f"loss {point.loss:.3f}, {tokens_per_second:,.0f} tokens/s, "
        f"gradient {point.gradient_norm:.2f}"
    )
