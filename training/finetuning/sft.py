"""Tune a student on a dataset version: check, train, measure, publish.

The held-out loss is measured before the first step and after the last on the same rows with the
same code. A run that is cut off leaves no version; the same call continues it from its last
checkpoint. Cost: SmolLM2-135M by QLoRA about 2 CPU-s a step of 2 rows of 256 tokens with bf16.
"""

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from schemas.locking import Say, say_nothing
from schemas.progress import Progress, no_progress
from training.finetuning.checkpoints import (
    RunState,
    checkpoint_errors_named,
    last_checkpoint,
    read_state,
    write_state,
)
from training.finetuning.contract.check import Contract
from training.finetuning.contract.protection import NOTHING_PROTECTED, Protected
from training.finetuning.distributed.ranks import (
    any_of,
    is_first,
    largest,
    share,
    wait_for_all,
)
from training.finetuning.history import tokens_per_second
from training.finetuning.interrupts import deferred_interrupt
from training.finetuning.memory.fitting import read_available_mb, refuse_if_it_cannot_fit
from training.finetuning.memory.measuring import read_peak_mb, read_resident_mb, reset_peak
from training.finetuning.memory.trimming import keep_one_arena, trim_memory
from training.finetuning.preparation import prepare
from training.finetuning.recipe import (
    Recipe,
    Settings,
    decided_values,
    read_hardware,
    resolve,
)
from training.finetuning.run_folder import (
    RunDescription,
    close_run,
    describe_leftovers,
    describe_run,
    leftover_runs,
    open_run,
)
from training.finetuning.student import LoadedStudent, Student, load_student
from training.finetuning.tracking import Tracker, check_trackers, name_run
from training.finetuning.versions import (
    Outcome,
    Publication,
    check_name,
    count_parameters,
    find_finished,
    publish_model,
)
from training.quiet import quiet_libraries

_NONE = "-"
"""What the first process tells the others when it found no version."""


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
    report_to: Sequence[Tracker] = (),
    protected: Protected = NOTHING_PROTECTED,
) -> Path:
    """Tune a student and publish it as a version under ``root/name``.

    Of several processes (``distributed/``) each calls this with the same arguments; the first
    writes and tells.

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
        report_to: Trackers that get each step's figures.
        protected: Evaluation items that no training row may be or contain.

    Returns:
        The version's folder; when the same run, or the same weights, were published before, that
        folder.

    Raises:
        UserError: Dataset, student, name or recipe cannot be used, or rows break the contract.
        ResumeError: ``resume`` is no unfinished run, or one with other values.
        RunBusyError: Another process is at work on the same run.
        TrainingError: The loss is no longer a number.
        KeyboardInterrupt: After Ctrl-C, with a checkpoint written; the same call continues. After
            SIGTERM, in the same way, whatever its handler raises.
    """
    check_name(name)
    check_trackers(report_to)
    settings = resolve(recipe, read_hardware())
    with _cpu_threads(settings.threads), quiet_libraries():
        # Imported in the quiet: bitsandbytes, which comes with it, has advice to give.
        from training.finetuning.distributed.shards import gather_trained

        ready = prepare(
            dataset, student.path, recipe, settings, protected, _start_counting(settings)
        )
        available_mb = read_available_mb(settings.device)
        refuse_if_it_cannot_fit(
            ready.memory, ready.shape, recipe, settings, ready.lengths, available_mb
        )
        loaded = load_student(student, recipe, settings, ready.tokenizer)
        parameters = count_parameters(loaded)
        description = describe_run(
            name,
            decided_values(recipe, settings),
            dataset=ready.dataset.content_hash,
            student=loaded.sha256,
            template=ready.template.hash,
        )
        with _open_run(root, description, resume, say) as run:
            if finished := _find_finished(root, description, run, say):
                return finished
            outcome = _train(run, loaded, ready.contract, recipe, settings, progress, report_to)
            publication = Publication(
                name=name,
                student=student,
                loaded=loaded,
                parameters=parameters,
                gathered=gather_trained(loaded.model),
                template=ready.template,
                dataset=ready.dataset,
                recipe=recipe,
                settings=settings,
                outcome=outcome,
                contract=ready.contract.summary,
                memory=ready.memory,
                code_version=code_version,
            )
            return _publish(publication, run, root, say)


@contextmanager
def _open_run(
    root: Path, description: RunDescription, resume: Path | None, say: Say
) -> Generator[Path]:
    """Hold the run in the first process, and let the others into it when it is held."""
    if not is_first():
        yield Path(share(""))
        return
    with open_run(root, description, resume) as run:
        if last_checkpoint(run) is None and (
            line := describe_leftovers(leftover_runs(root, description.name), description)
        ):
            say(line)
        yield Path(share(str(run)))


def _find_finished(root: Path, description: RunDescription, run: Path, say: Say) -> Path | None:
    """Find in the first process what the same call has published before, and close the run."""
    if not is_first():
        return Path(found) if (found := share("")) != _NONE else None
    version = find_finished(root, description)
    share(str(version or _NONE))
    if version is not None:
        say(f"Tuned before with the same values: {version}. Nothing is trained again.")
        close_run(run)
    return version


def _publish(publication: Publication, run: Path, root: Path, say: Say) -> Path:
    """Publish and close the run in the first process; all return the version."""
    if not is_first():
        return Path(share(""))
    version = publish_model(publication, run, root, say)
    close_run(run)
    return Path(share(str(version)))


def _start_counting(settings: Settings) -> float | None:
    """Set the high-water mark back, and return what this process holds without a student in MB."""
    # Imported before anything is counted: libraries are no part of what the student takes.
    import training.finetuning.assembly  # noqa: F401  # pyright: ignore[reportUnusedImport]

    keep_one_arena()
    trim_memory()
    reset_peak(settings.device)
    return read_resident_mb() if settings.device == "cpu" else None


def _train(
    run: Path,
    loaded: LoadedStudent,
    contract: Contract,
    recipe: Recipe,
    settings: Settings,
    progress: Progress,
    report_to: Sequence[Tracker],
) -> Outcome:
    """Train from the start or from where the run was cut off, and measure before and after."""
    from training.finetuning.assembly import as_columns, build_trainer
    from training.finetuning.callbacks import BeginCallback, RunCallback, open_records
    from training.finetuning.distributed.shards import check_spread
    from training.finetuning.trainer import TrainingError

    trainer = build_trainer(run, loaded, contract.train, recipe, settings, tuple(report_to))
    check_spread(trainer, recipe)
    name_run(trainer, run.parent.name, run.name.removeprefix(".run-"))
    held_out = as_columns(contract.validation)
    checkpoint = last_checkpoint(run)
    earlier = read_state(run) if checkpoint else None
    records = open_records(
        run, checkpoint, loaded, recipe, settings, earlier.seconds if earlier else 0.0
    )
    # Each process has cut the files to the same length; from here on only the first writes them.
    wait_for_all()

    def measure_before() -> None:
        nonlocal earlier
        if earlier is None:
            with records.stopwatch.paused():
                loss = trainer.held_out_loss(held_out)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The held-out loss of {run.parent.name!r} is {loss} before the first step: "
                    "weights of the student are no numbers. Fetch its checkpoint again."
                )
            earlier = RunState(loss_before=loss)
            if is_first():
                # Before the first checkpoint is there: a run killed right after it would take what
                # the checkpoint has learned for the base.
                write_state(run, earlier)

    def measured() -> RunState:
        assert earlier is not None  # noqa: S101 (every run begins or has begun)
        peak = max(earlier.peak_memory_mb, read_peak_mb(settings.device))
        return earlier.model_copy(
            update={"seconds": records.stopwatch.seconds, "peak_memory_mb": peak}
        )

    with deferred_interrupt() as stop, checkpoint_errors_named(run):
        # FSDP spreads the student when training begins, and only then all processes have weights.
        trainer.add_callback(BeginCallback(measure_before))
        trainer.add_callback(
            # The processes have to stop after the same step.
            RunCallback(
                progress, lambda: any_of(stop()), lambda: write_state(run, measured()), records
            )
        )
        if checkpoint is None or not trainer.restore_finished(checkpoint):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if any_of(stop()):
        stop.obey()
        raise KeyboardInterrupt
    state = measured()
    loss_after = trainer.held_out_loss(held_out)
    return Outcome(
        steps=trainer.state.global_step,
        loss_before=state.loss_before,
        loss_after=loss_after,
        peak_memory_mb=largest(measured().peak_memory_mb),
        train_seconds=state.seconds,
        tokens_per_second=tokens_per_second(records.history.entries, state.seconds),
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
