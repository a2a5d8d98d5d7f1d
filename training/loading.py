"""Load a student: a Hugging Face checkpoint folder, or a model folder of our own.

Both rooms of training load through here, so what is evaluated is what was trained. An adapter goes
only onto the very weights it was trained on: the manifest names their sha256. A QLoRA adapter was
trained on 4-bit weights, so its base is quantized the same way and dequantized before the adapter
is folded in: onto the unquantized base it would be a slightly different model.

Cost: reading the weights once to hash them (about 1 GB/s), once to load them; for QLoRA the
dequantized base in memory as well.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from schemas.errors import UserError
from schemas.manifest import TrainingManifest
from schemas.storage import read_manifest
from training.quiet import quiet_libraries

if TYPE_CHECKING:
    from transformers import BitsAndBytesConfig, PreTrainedModel, PreTrainedTokenizerBase

Precision = Literal["fp32", "bf16"]
"""Number format of weights or arithmetic."""


class ModelLoadError(UserError):
    """A folder is not a model that can be loaded, or not the base that an adapter belongs to."""


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


def load_base(
    path: Path, quantization: "BitsAndBytesConfig | None" = None
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Load a checkpoint folder in fp32, or quantized; the tokenizer always has a padding token.

    Raises:
        ModelLoadError: Names what the folder lacks.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    check_checkpoint(path)
    try:
        with quiet_libraries():
            tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
            # The declared type forgets that output_loading_info makes it a pair.
            pair: Any = AutoModelForCausalLM.from_pretrained(
                path,
                dtype=torch.float32,
                quantization_config=quantization,
                local_files_only=True,
                output_loading_info=True,
            )
            model, loaded = pair
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelLoadError(
            f"{path} cannot be loaded as a causal language model: {reason}"
        ) from error
    if missing := sorted(loaded["missing_keys"]):
        # transformers would fill them with random numbers and only warn.
        raise ModelLoadError(
            f"{path}: the weights lack {len(missing)} tensors of the architecture, the first is "
            f"{missing[0]}. Fetch or convert the checkpoint again."
        )
    if tokenizer.pad_token_id is None:
        # Only fills up batches: padded positions are masked by position, never by this id, so the
        # stop token that it stands in for is trained like any other.
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def four_bit(compute: Precision) -> "BitsAndBytesConfig":
    """Describe QLoRA's weights: NF4 with double quantization (Dettmers et al. 2023, section 3)."""
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype={"fp32": torch.float32, "bf16": torch.bfloat16}[compute],
    )


def check_checkpoint(path: Path) -> None:
    """Refuse a folder that is no checkpoint with safetensors weights.

    Raises:
        ModelLoadError: Names what the folder lacks.
    """
    wanted = "a checkpoint folder with config.json, a tokenizer and *.safetensors weights"
    if not path.is_dir():
        raise ModelLoadError(f"{path}: wanted {wanted}, found no folder there.")
    if not (path / "config.json").is_file():
        raise ModelLoadError(f"{path}: wanted {wanted}, found no config.json.")
    if not any(path.glob("*.safetensors")):
        # Pickled weights (pytorch_model.bin) can run code when read, so they are never loaded.
        raise ModelLoadError(f"{path}: wanted {wanted}, found no *.safetensors file.")


def weights_sha256(path: Path) -> str:
    """Hash names and bytes of all safetensors files of a folder, in the order of their names."""
    total = hashlib.sha256()
    for file in sorted(path.glob("*.safetensors")):
        with file.open("rb") as weights:
            total.update(file.name.encode())
            total.update(hashlib.file_digest(weights, "sha256").digest())
    return total.hexdigest()


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
