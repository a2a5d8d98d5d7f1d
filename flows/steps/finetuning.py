"""The finetuning step: a dataset version and a base model in, a tuned student out."""

from flows.engine import Engine
from flows.outcomes import FinetuneOutcome
from flows.parameters import FinetuneParams, part_of
from flows.resources import find_dataset, get_student
from flows.settings import Settings
from pipeline.publishing.versions import open_version
from schemas.manifest import TrainingManifest
from schemas.storage import read_manifest
from training.finetuning.recipe import Recipe


def finetune_student(params: FinetuneParams, settings: Settings, engine: Engine) -> FinetuneOutcome:
    """Tune a student on a dataset version and publish it as a model version."""
    # torch and trl take seconds to import, which no other verb need pay.
    from training.finetuning.sft import finetune

    dataset = find_dataset(params.dataset, settings)
    name = params.name or open_version(dataset).name
    student = get_student(params.student, settings, engine)
    with engine.progress(f"finetune {params.method}") as progress:
        folder = finetune(
            dataset,
            student,
            part_of(params, Recipe),
            settings.outputs / "models",
            name,
            settings.code_version,
            progress,
        )
    manifest = read_manifest(folder, TrainingManifest, "a tuned student")
    engine.say(
        f"Held-out loss {manifest.loss_before:.3f} before, {manifest.loss_after:.3f} after "
        f"{manifest.steps} steps; saved in {folder}"
    )
    return FinetuneOutcome(
        model=folder,
        loss_before=manifest.loss_before,
        loss_after=manifest.loss_after,
        peak_memory_mb=manifest.peak_memory_mb,
        train_seconds=manifest.train_seconds,
        steps=manifest.steps,
    )
