"""Load a model for inference: a base model, or a tuned student of our own.

Both rooms of training load through here, so what is evaluated is what was trained. An adapter goes
only onto the very weights it was trained on: the manifest names their sha256. A QLoRA adapter was
trained on 4-bit weights, so its base is quantized the same way and dequantized before the adapter
is folded in: onto the unquantized base it would be a slightly different model.

Cost: that of the base (``training/base_model.py``); for QLoRA the dequantized base in memory as
well.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.manifest import TrainingManifest
from schemas.storage import read_manifest
from training.base_model import (
    ModelLoadError,
    Precision,
    four_bit,
    load_base,
    weights_sha256,
)
from training.quiet import quiet_libraries

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
    """
    if not (path / "manifest.json").is_file():
        model, tokenizer = load_base(path)
    else:
        manifest = read_manifest(path, TrainingManifest, "a tuned student")
        if manifest.method == "full":
            model, tokenizer = load_base(path)
        else:
            model, tokenizer = _load_adapted(path, manifest)
    if precision == "bf16":
        # Rounded once, at the end: an adapter folded into rounded weights would be rounded twice.
        model = model.bfloat16()
    return model.eval(), tokenizer


def _load_adapted(
    path: Path, manifest: TrainingManifest
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    from peft import PeftModel

    base = Path(manifest.student_path)
    check_adapter_base(path, manifest, base)
    if manifest.method == "qlora":
        model, tokenizer = load_base(base, four_bit("fp32"))
        with quiet_libraries():
            model = model.dequantize()
    else:
        model, tokenizer = load_base(base)
    with quiet_libraries():
        model = PeftModel.from_pretrained(model, str(path)).merge_and_unload()
    return model, tokenizer


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
