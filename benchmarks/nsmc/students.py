"""The students of the study: which set each is tuned on, and how; and the tuning itself.

A student that is there already, tuned on the very same records in the very same way, is not tuned
again; one that was cut off continues from its checkpoint. Both are the tool's own doing but for the
finding.
"""

from pathlib import Path
from typing import NamedTuple

from benchmarks.nsmc.mixtures import SetName
from flows.engine import PlainEngine
from flows.parameters import FinetuneParams
from flows.settings import Settings
from flows.steps.finetuning import finetune_student
from pipeline.publishing.tables import read_records
from schemas.manifest import Method, TrainingManifest
from schemas.storage import read_manifest

BASE = "gemma-3-270m"


class Plan(NamedTuple):
    """One student."""

    name: str
    method: Method
    data: SetName
    learning_rate: float
    epochs: float = 1.0


PLANS = (
    Plan("mixture-lora", "lora", "mixture", 1e-3),
    Plan("mixture-qlora", "qlora", "mixture", 1e-3),
    Plan("mixture-full", "full", "mixture", 2e-5),
    Plan("reviews-lora", "lora", "reviews", 1e-3),
    Plan("general-lora", "lora", "general", 1e-3, epochs=2.0),
)


def tune(plan: Plan, dataset: Path, protect: Path, settings: Settings, threads: int) -> Path:
    """Tune a student, or find it.

    Args:
        plan: What is wanted.
        dataset: The version of its set.
        protect: Evaluation items that no record may hold.
        settings: Where students are kept, and that the base's terms are accepted.
        threads: Of the training.
    """
    params = FinetuneParams(
        dataset=str(dataset),
        student=BASE,
        name=f"nsmc-{plan.name}",
        protect=(str(protect),),
        method=plan.method,
        epochs=plan.epochs,
        learning_rate=plan.learning_rate,
        # A step is one sequence of about 20 rows: padded batches of 16 rows were half padding here,
        # and batches of 4 read the weights four times.
        packing=True,
        batch_size=1,
        gradient_accumulation=1,
        max_length_tokens=1024,
        on_overlong="drop",
        precision="bf16",
        threads=threads,
        save_steps=50,
    )
    return _find(params, settings) or finetune_student(params, settings, PlainEngine()).model


_NOT_DECISIVE = frozenset({"threads", "save_steps", "sample_steps", "processes", "min_rows"})


def _find(params: FinetuneParams, settings: Settings) -> Path | None:
    """Find a student of the same recipe and the same records, whatever file they were read from."""
    asked = params.model_dump(mode="json", exclude_none=True)
    for file in sorted((settings.outputs / "models").glob("*/*/manifest.json")):
        manifest = read_manifest(file.parent, TrainingManifest, "a tuned student")
        decided = (manifest.recipe.keys() & asked.keys()) - _NOT_DECISIVE
        same_recipe = all(manifest.recipe[key] == asked[key] for key in decided)
        if same_recipe and manifest.student == params.student:
            data = settings.outputs / "datasets" / manifest.dataset
            if data.is_dir() and _record_ids(data) == _record_ids(Path(params.dataset)):
                return file.parent
    return None


def _record_ids(version: Path) -> list[str]:
    return [record.id for record in read_records(version)]
