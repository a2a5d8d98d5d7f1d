"""Load a base model: a Hugging Face checkpoint folder with safetensors weights.

Cost: reading the weights once to hash them (about 1 GB/s), once to load them.
"""

import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from training.checkpoint_files import (
    ModelLoadError,
    check_checkpoint,
    read_headers,
    weight_files,
)
from training.quiet import quiet_libraries

if TYPE_CHECKING:
    from transformers import BitsAndBytesConfig, PreTrainedModel, PreTrainedTokenizerBase

Precision = Literal["fp32", "bf16"]
"""Number format of weights or arithmetic."""
_IN_BLOCK = re.compile(r"\.\d+\.")


def load_base(
    path: Path, quantization: "BitsAndBytesConfig | None" = None
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Load a checkpoint folder in fp32, or quantized; the tokenizer always has a padding token.

    Raises:
        ModelLoadError: Names what the folder lacks, or why it is no student.
    """
    return load_weights(path, quantization), load_tokenizer(path)


def load_tokenizer(path: Path) -> "PreTrainedTokenizerBase":
    """Load a checkpoint's tokenizer alone, with a padding token.

    Raises:
        ModelLoadError: The folder has none that can be read.
    """
    from transformers import AutoTokenizer

    with _failures_named(path, "a tokenizer"), quiet_libraries():
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            path, local_files_only=True, trust_remote_code=False
        )
    if tokenizer.pad_token_id is None:
        # Only fills up batches: padded positions are masked by position, never by this id, so the
        # stop token that it stands in for is trained like any other.
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_weights(path: Path, quantization: "BitsAndBytesConfig | None" = None) -> "PreTrainedModel":
    """Load a checkpoint folder in fp32, or quantized, without its tokenizer.

    Raises:
        ModelLoadError: Names what the folder lacks, or why it is no student.
    """
    import torch
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig

    check_checkpoint(path)
    with _failures_named(path, "a causal language model"), quiet_libraries():
        config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        classes: Any = MODEL_FOR_CAUSAL_LM_MAPPING  # declared as a mapping to nothing usable
        if type(config) not in classes:
            raise ModelLoadError(
                f"{path} cannot be loaded as a causal language model: transformers has none of "
                f"type {config.model_type!r}."
            )
        # The declared type forgets that output_loading_info makes it a pair.
        pair: Any = classes[type(config)].from_pretrained(
            None,
            config=config,
            state_dict=_open_weights(path, quantized=quantization is not None),
            dtype=torch.float32,
            quantization_config=quantization,
            output_loading_info=True,
        )
    model, loaded = pair
    if missing := sorted(loaded["missing_keys"]):
        # transformers would fill them with random numbers and only warn.
        raise ModelLoadError(
            f"{path}: the weights lack {len(missing)} tensors of the architecture, the first is "
            f"{missing[0]}. Fetch or convert the checkpoint again."
        )
    _restore_origin(model, path)
    return model


def _open_weights(path: Path, *, quantized: bool) -> dict[str, Any]:
    """Open all tensors of a checkpoint, to be read one by one when the model takes them.

    What stays as it is in the file is mapped into memory and used where it is: loading it costs no
    memory beyond its own, and none before its first use. Tensors that change on the way would leave
    their pages behind for as long as any other tensor of the file is in use (a SmolLM2-135M
    quantized to 4 bits held 497 MB instead of 187), so these are read with ``pread``: each is there
    only while it is quantized or converted.
    """
    from safetensors import safe_open

    headers = read_headers(path)
    opened: dict[str, Any] = {}
    for file in weight_files(path):
        mapped = safe_open(file, framework="pt", backend="mmap")
        read = safe_open(file, framework="pt", backend="pread")
        for name in mapped.keys():  # noqa: SIM118 (no dictionary)
            # Embeddings and head, outside the numbered blocks, are never quantized.
            is_changed = headers[name].dtype != "F32" or (quantized and _IN_BLOCK.search(name))
            opened[name] = (read if is_changed else mapped).get_slice(name)
    return opened


def _restore_origin(model: "PreTrainedModel", path: Path) -> None:
    """Set what transformers sets only when it opens the folder itself."""
    from transformers import GenerationConfig

    model.config.name_or_path = model.name_or_path = str(path)
    if (path / "generation_config.json").is_file():
        with _failures_named(path, "a generation config"):
            model.generation_config = GenerationConfig.from_pretrained(path, local_files_only=True)


@contextmanager
def _failures_named(path: Path, wanted: str) -> Generator[None]:
    """Turn whatever the libraries raise for a folder into one line that names it."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelLoadError(f"{path} cannot be loaded as {wanted}: {reason}") from error


def four_bit(compute: Precision, *, spread: bool = False) -> "BitsAndBytesConfig":
    """Describe QLoRA's weights: NF4 with double quantization (Dettmers et al. 2023, section 3).

    Args:
        compute: Number format of the matrix products.
        spread: Store the bits in that format instead of bytes, as FSDP needs it to spread them.
    """
    import torch
    from transformers import BitsAndBytesConfig

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[compute]
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_quant_storage=dtype if spread else torch.uint8,
    )


def weights_sha256(path: Path) -> str:
    """Hash names and bytes of all safetensors files of a folder, in the order of their names."""
    total = hashlib.sha256()
    for file in sorted(path.glob("*.safetensors")):
        with file.open("rb") as weights:
            total.update(file.name.encode())
            total.update(hashlib.file_digest(weights, "sha256").digest())
    return total.hexdigest()
