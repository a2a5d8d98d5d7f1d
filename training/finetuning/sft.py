"""Tune a student on a dataset version: check, train, measure, publish.

The held-out loss is measured before the first step and after the last on the same rows with the
same code. A run that is cut off leaves no version; the same call continues it from its last
checkpoint. Cost: SmolLM2-135M by QLoRA about 2 CPU-s a step of 2 rows of 256 tokens with bf16.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from schemas.locking import Say, say_nothing
from schemas.progress import Progress, no_progress
from schemas.templates import template_hash
from training.finetuning.checkpoints import (
    RunState,
    checkpoint_errors_named,
    last_checkpoint,
    read_state,
    write_state,
)
from training.finetuning.contract.encoding import ContractError, Encoded, Example, encode
from training.finetuning.data import TrainingData, read_dataset
from training.finetuning.history import tokens_per_second
from training.finetuning.interrupts import deferred_interrupt
from training.finetuning.memory.measuring import read_peak_mb, reset_peak
from training.finetuning.recipe import (
    Recipe,
    Settings,
    decided_values,
    limit_length,
    read_hardware,
    resolve,
)
from training.finetuning.run_folder import (
    close_run,
    describe_leftovers,
    describe_run,
    leftover_runs,
    open_run,
)
from training.finetuning.student import LoadedStudent, Student, load_student
from training.finetuning.versions import Outcome, Publication, check_name, publish_model
from training.quiet import quiet_libraries


class Splits(NamedTuple):
    """What is trained on and what is held out."""

    train: list[Example]
    validation: list[Example]
    overlong: int
    """Rows of both splits that were left out because they are too long."""


def finetune(
    dataset: Path,
    student: Student,
    recipe: Recipe,
    root: Path,
    name: str,
    code_version: str,
    progress: Progress = no_progress,
    say: Say = say_nothing,
    resume: Path | None = None,
) -> Path:
    """Tune a student and publish it as a version under ``root/name``.

    Args:
        dataset: Folder of a dataset version.
        student: The base; its checkpoint folder has to stay, because an adapter needs it.
        recipe: How to tune.
        root: Folder of all models.
        name: Name to publish under.
        code_version: What the manifest says about the code.
        progress: Called after each step.
        say: Told one line when a new run begins beside unfinished ones of the same name.
        resume: Folder of an unfinished run that has to be continued. None continues the one that
            the same call left, or begins.

    Returns:
        The version's folder; when the same weights were published before, that folder.

    Raises:
        UserError: Dataset, student, name or recipe cannot be used, or rows break the contract.
        ResumeError: ``resume`` is no unfinished run, or one with other values.
        RunBusyError: Another process is at work on the same run.
        TrainingError: The loss is no longer a number.
        KeyboardInterrupt: After Ctrl-C, with a checkpoint written; the same call continues. After
            SIGTERM, in the same way, whatever its handler raises.
    """
    check_name(name)
    settings = resolve(recipe, read_hardware())
    data = read_dataset(dataset, recipe.min_rows)
    reset_peak(settings.device)
    with _cpu_threads(settings.threads), quiet_libraries():
        loaded = load_student(student, recipe, settings)
        splits = _encode(data, loaded, recipe)
        description = describe_run(
            name,
            decided_values(recipe, settings),
            dataset=data.manifest.content_hash,
            student=loaded.sha256,
            template=template_hash(),
        )
        with open_run(root, description, resume) as run:
            if last_checkpoint(run) is None and (
                line := describe_leftovers(leftover_runs(root, name), description)
            ):
                say(line)
            outcome = _train(run, loaded, splits, recipe, settings, progress)
            publication = Publication(
                name=name,
                student=student,
                loaded=loaded,
                dataset=data.manifest,
                recipe=recipe,
                settings=settings,
                outcome=outcome,
                train_rows=len(splits.train),
                validation_rows=len(splits.validation),
                overlong_rows=splits.overlong,
                code_version=code_version,
            )
            version = publish_model(publication, run, root)
            close_run(run)
    return version


def _encode(data: TrainingData, loaded: LoadedStudent, recipe: Recipe) -> Splits:
    """Tokenize both splits under the length that recipe and student allow."""
    limit = limit_length(recipe, loaded.model.config)
    train = encode(data.train, loaded.tokenizer, limit)
    validation = encode(data.validation, loaded.tokenizer, limit)
    overlong = len(train.overlong) + len(validation.overlong)
    if overlong and recipe.on_overlong == "refuse":
        raise ContractError(
            f"{overlong} of {len(data.train) + len(data.validation)} rows are longer than {limit} "
            f"tokens, the first is {_first_overlong(train, validation)}. Raise max_length_tokens "
            "if the student can read more, or set on_overlong to 'drop' to leave them out."
        )
    if len(train.examples) < recipe.min_rows or not validation.examples:
        raise ContractError(
            f"Without the {overlong} rows above {limit} tokens there are "
            f"{len(train.examples)} training and {len(validation.examples)} validation rows left; "
            f"wanted at least {recipe.min_rows} and 1. Raise max_length_tokens or generate more."
        )
    return Splits(train.examples, validation.examples, overlong)


def _first_overlong(train: Encoded, validation: Encoded) -> str:
    return [*train.overlong, *validation.overlong][0]


def _train(
    run: Path,
    loaded: LoadedStudent,
    splits: Splits,
    recipe: Recipe,
    settings: Settings,
    progress: Progress,
) -> Outcome:
    """Train from the start or from where the run was cut off, and measure before and after."""
    from training.finetuning.assembly import as_columns, build_trainer
    from training.finetuning.callbacks import RunCallback, open_records

    trainer = build_trainer(run, loaded, splits.train, recipe, settings)
    held_out = as_columns(splits.validation)
    checkpoint = last_checkpoint(run)
    earlier = read_state(run) if checkpoint else None
    if earlier is None:
        earlier = RunState(loss_before=trainer.held_out_loss(held_out))
    records = open_records(run, checkpoint, loaded, recipe, settings, earlier.seconds)

    def measured() -> RunState:
        peak = max(earlier.peak_memory_mb, read_peak_mb(settings.device))
        return earlier.model_copy(
            update={"seconds": records.stopwatch.seconds, "peak_memory_mb": peak}
        )

    with deferred_interrupt() as stop, checkpoint_errors_named(run):
        trainer.add_callback(
            RunCallback(progress, stop, lambda: write_state(run, measured()), records)
        )
        if checkpoint is None or not trainer.restore_finished(checkpoint):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    stop.obey()
    seconds = measured().seconds
    loss_after = trainer.held_out_loss(held_out)
    return Outcome(
        steps=trainer.state.global_step,
        loss_before=earlier.loss_before,
        loss_after=loss_after,
        peak_memory_mb=measured().peak_memory_mb,
        train_seconds=seconds,
        tokens_per_second=tokens_per_second(records.history.entries, seconds),
    )


@contextmanager
def _cpu_threads(count: int) -> Generator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
