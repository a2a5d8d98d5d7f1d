"""The finetuning step: a dataset version and a base model in, a tuned student out."""

from pathlib import Path
from typing import NamedTuple

from flows.engine import Engine
from flows.evaluation_sets import load_protected
from flows.outcomes import FinetuneOutcome
from flows.parameters import FinetuneParams, part_of
from flows.resources import find_dataset, get_student
from flows.settings import Settings, enter_tracking_environment, read_environment
from pipeline.publishing.versions import open_version
from schemas.manifest import TrainingManifest
from schemas.storage import read_manifest
from training.evaluation.tasks.loading import list_tasks
from training.finetuning.contract.protection import Protected, protect
from training.finetuning.recipe import Recipe
from training.finetuning.student import Student
from training.finetuning.tracking import check_trackers


class TrainingRequest(NamedTuple):
    """What a run is asked to do, found on this machine."""

    dataset: Path
    student: Student
    recipe: Recipe
    name: str
    protected: Protected


def find_request(params: FinetuneParams, settings: Settings, engine: Engine) -> TrainingRequest:
    """Find dataset version and student, and load what may not be trained on.

    Raises:
        UserError: One of them is not there or cannot be used.
    """
    dataset = find_dataset(params.dataset, settings)
    return TrainingRequest(
        dataset=dataset,
        student=get_student(params.student, settings, engine),
        recipe=part_of(params, Recipe),
        name=params.name or open_version(dataset).name,
        protected=load_training_protection(params.protect, settings),
    )


def load_training_protection(sets: tuple[str, ...], settings: Settings) -> Protected:
    """Protect the items of our own evaluation tasks and of sets of the user's."""
    texts: dict[str, list[str]] = {}
    lineage: set[str] = set()
    for item in load_protected(sets, list_tasks(), settings):
        texts.setdefault(item.source, []).extend(item.texts)
        lineage.update(key for key in (item.id, item.derived_from) if key)
    return protect(texts, lineage)


def finetune_student(params: FinetuneParams, settings: Settings, engine: Engine) -> FinetuneOutcome:
    """Tune a student on a dataset version and publish it as a model version."""
    check_trackers(params.report_to)
    request = find_request(params, settings, engine)
    enter_tracking_environment(settings, params.report_to, request.name)
    tune = _tune_here if params.processes == 1 else _tune_in_processes
    folder = tune(request, params, settings, engine)
    manifest = read_manifest(folder, TrainingManifest, "a tuned student")
    engine.say(
        f"Held-out loss {manifest.loss_before:.3f} before, {manifest.loss_after:.3f} after "
        f"{manifest.steps} steps; saved in {folder}"
    )
    return FinetuneOutcome(
        model=folder,
        tuned_on=manifest.dataset,
        loss_before=manifest.loss_before,
        loss_after=manifest.loss_after,
        peak_memory_mb=manifest.peak_memory_mb,
        train_seconds=manifest.train_seconds,
        steps=manifest.steps,
    )


def _tune_here(
    request: TrainingRequest, params: FinetuneParams, settings: Settings, engine: Engine
) -> Path:
    # torch and trl take seconds to import, which no other verb need pay.
    from training.finetuning.sft import finetune

    with engine.progress(f"finetune {params.method}") as progress:
        return finetune(
            request.dataset,
            request.student,
            request.recipe,
            settings.outputs / "models",
            request.name,
            settings.code_version,
            progress,
            engine.say,
            params.resume,
            params.report_to,
            request.protected,
        )


def _tune_in_processes(
    request: TrainingRequest, params: FinetuneParams, settings: Settings, engine: Engine
) -> Path:
    from training.finetuning.distributed.launch import launch
    from training.finetuning.distributed.order import Order, name_protected
    from training.finetuning.preparation import prepare
    from training.finetuning.recipe import read_hardware, resolve

    # Proven here, where a refusal is one line before anything is started.
    decided = resolve(request.recipe, read_hardware())
    prepare(request.dataset, request.student.path, request.recipe, decided, request.protected)
    order = Order(
        dataset=request.dataset.absolute(),
        student=request.student.name,
        student_path=request.student.path.absolute(),
        recipe=request.recipe,
        root=settings.outputs / "models",
        name=request.name,
        code_version=settings.code_version,
        report_to=params.report_to,
        resume=params.resume.absolute() if params.resume else None,
        protected=name_protected(request.protected),
        lineage=tuple(sorted(request.protected.lineage)),
    )
    with engine.progress(f"finetune {params.method} in {params.processes} processes") as progress:
        return launch(order, read_environment(), progress, engine.say)
