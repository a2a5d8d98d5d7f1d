"""A student that is about to leave: loaded, merged, and with the way it has to be asked."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.exports import EngineMeasurement, ExportManifest, MergeReport
from schemas.manifest import TrainingManifest
from training.exporting.chat_template import Asking, find_asking
from training.exporting.placing import ExportError
from training.loading import load_model, measure_merge, read_training_manifest

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class LeavingStudent(NamedTuple):
    """Plain fp32 weights and all that is said about them."""

    name: str
    """``NAME/VERSION`` of a tuned one."""
    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    asking: Asking
    base: Path
    """The checkpoint that it was tuned on, or is."""
    manifest: TrainingManifest | None
    """None for a base."""
    merge: MergeReport | None


def load_leaving(folder: Path, name: str) -> LeavingStudent:
    """Load a tuned student or a base for an export.

    Args:
        folder: A version of ours or a checkpoint.
        name: What a base is called; a version has its own name.

    Raises:
        UserError: No model, another base, another template, or of a method that has no plain form.
        MergeError: The adapter cannot be merged without becoming another model.
    """
    manifest = read_training_manifest(folder)
    refuse_virtual_tokens(manifest)
    merge = measure_merge(folder)
    model, tokenizer = load_model(folder)
    asking = find_asking(manifest, tokenizer)
    tokenizer.chat_template = asking.chat_template
    return LeavingStudent(
        name=f"{manifest.name}/{manifest.version}" if manifest else name,
        model=model,
        tokenizer=tokenizer,
        asking=asking,
        base=Path(manifest.student_path) if manifest else folder,
        manifest=manifest,
        merge=merge,
    )


def refuse_virtual_tokens(manifest: TrainingManifest | None) -> None:
    """Refuse a student whose trained part no plain checkpoint can hold.

    Raises:
        ExportError: It was tuned by prompt tuning.
    """
    if manifest is not None and manifest.method == "prompt_tuning":
        raise ExportError(
            f"{manifest.name}/{manifest.version} was tuned by prompt_tuning: its trained "
            "embeddings stand before every prompt, which neither a plain checkpoint nor GGUF can "
            "say. Evaluate it here, or finetune with lora to export or serve."
        )


def describe_export(
    student: LeavingStudent,
    weights: str,
    files: tuple[str, ...],
    engine: EngineMeasurement | None,
) -> ExportManifest:
    """Say what an export is and was made from."""
    facts = ExportManifest(
        model=student.name,
        weights=weights,
        files=files,
        template=student.asking.template,
        template_hash=student.asking.hash,
        stop=student.asking.stop,
        merge=student.merge,
        engine=engine,
    )
    if (manifest := student.manifest) is None:
        return facts
    return facts.model_copy(
        update={
            "method": manifest.method,
            "base": manifest.student,
            "base_sha256": manifest.student_sha256,
            "dataset": manifest.dataset,
        }
    )
