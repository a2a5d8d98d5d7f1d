"""Load a base model: a Hugging Face checkpoint folder with safetensors weights.

Cost: reading the weights once to hash them (about 1 GB/s), once to load them.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from schemas.errors import UserError
from training.quiet import quiet_libraries

if TYPE_CHECKING:
    from transformers import BitsAndBytesConfig, PreTrainedModel, PreTrainedTokenizerBase

Precision = Literal["fp32", "bf16"]
"""Number format of weights or arithmetic."""


class ModelLoadError(UserError):
    """A folder is not a model that can be loaded, or not the base that an adapter belongs to."""


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
