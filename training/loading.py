"""Load a model for inference: a base model, or a tuned student of our own.

Both rooms of training, exports and serving load through here, so that what is evaluated is what is
served. An adapter goes only onto the very weights it was trained on: the manifest names their
sha256. It is folded in by the route that was measured to be closest (``training/merging.py``).

Cost: that of the base (``training/base_model.py``); for an adapter once the measuring, and for
QLoRA the dequantized base in memory as well.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.exports import MergeReport
from schemas.manifest import TrainingManifest
from schemas.storage import read_manifest
from training.base_model import ModelLoadError, Precision, load_base, weights_sha256
from training.merging import load_merged, merge_report
from training.virtual_tokens import load_with_virtual_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_model(
    path: Path, precision: Precision = "fp32"
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Load a checkpoint or one of our model folders for inference, adapter folded in.

    Args:
        path: A Hugging Face checkpoint folder, or ``outputs/models/NAME/VERSION``.
        precision: bf16 halves memory and takes 0.6 of the time on CPUs that know it.

    Raises:
        ModelLoadError: Folder absent or no model, or the adapter's base is gone or another one.
        MergeError: The adapter cannot be folded in without becoming another model.
    """
    manifest = read_training_manifest(path)
    if manifest is None or manifest.method == "full":
        model, tokenizer = load_base(path)
    else:
        base = find_base(path, manifest)
        if manifest.method == "prompt_tuning":
            model, tokenizer = load_with_virtual_tokens(path, base)
        else:
            model, tokenizer = load_merged(path, manifest, base)
    if precision == "bf16":
        # Rounded once, at the end: an adapter folded into rounded weights would be rounded twice.
        model = model.bfloat16()
    return model.eval(), tokenizer


def measure_merge(path: Path) -> MergeReport | None:
    """Say how a tuned student is merged and how close that is; None where nothing is merged.

    Measures at the first call for a version, and recalls it afterwards.
    """
    manifest = read_training_manifest(path)
    if manifest is None or manifest.method in ("full", "prompt_tuning"):
        return None
    return merge_report(path, manifest, find_base(path, manifest))


def read_training_manifest(path: Path) -> TrainingManifest | None:
    """Read what a tuned student says about itself; None for any other folder."""
    if not (path / "manifest.json").is_file():
        return None
    return read_manifest(path, TrainingManifest, "a tuned student")


def find_base(path: Path, manifest: TrainingManifest) -> Path:
    """Find the checkpoint that an adapter was trained on.

    Raises:
        ModelLoadError: It is gone, or is another one.
    """
    base = Path(manifest.student_path)
    check_adapter_base(path, manifest, base)
    return base


def check_adapter_base(path: Path, manifest: TrainingManifest, base: Path) -> None:
    """Refuse a base whose weights are not those the adapter was trained on.

    Raises:
        ModelLoadError: Names both hashes and where they come from.
    """
    if not base.is_dir():
        raise ModelLoadError(
            f"{path} is an adapter for {manifest.student!r}, whose weights should be in {base} but "
            "are not there. Bring the checkpoint back to that folder or finetune again."
        )
    found = weights_sha256(base)
    if found != manifest.student_sha256:
        raise ModelLoadError(
            f"{path} is an adapter for {manifest.student!r} with sha256 "
            f"{manifest.student_sha256[:16]}…, but the weights in {base} have {found[:16]}…. "
            "Bring the original checkpoint back or finetune again on this one."
        )
