"""Write a student as one GGUF file, which llama.cpp serves.

A student whose base came out of an embedded model's file takes tokenizer and metadata from that
very file; for any other both are described anew. Cost: SmolLM2-135M 3 CPU-s in 8 bits; matrices
are rounded one at a time, so that nothing is added to the memory of the loaded student.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
from gguf import GGUFValueType

from embedded.models import EMBEDDED_MODELS
from schemas.exports import GgufKind
from training.exporting.chat_template import Asking
from training.exporting.gguf_metadata import Entry, GgufError, read_metadata
from training.exporting.gguf_tensors import find_architecture, plan_tensors
from training.exporting.gguf_tokenizer import describe_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_FILE_TYPES = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
}
_OF_THE_SOURCE = (
    # What the source file says of itself alone; architecture is the writer's.
    "general.architecture",
    "general.file_type",
    "general.finetune",
    "general.name",
    "general.quantization_version",
    "general.size_label",
)


def write_gguf(
    path: Path,
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    name: str,
    kind: GgufKind,
    asking: Asking,
    source: Path | None,
) -> None:
    """Write the file.

    Args:
        path: Where; not atomic.
        model: Plain weights.
        tokenizer: What it was trained with.
        name: What the file calls it.
        kind: How matrices are stored.
        asking: How it is asked, and ends an answer.
        source: The GGUF file that the base was made from; None for other bases.

    Raises:
        GgufError: Architecture or tokenizer have no form in GGUF.
    """
    config: Any = model.config
    architecture = find_architecture(config.model_type)
    rows = len(model.state_dict()["model.embed_tokens.weight"])
    metadata = (
        _describe(model, tokenizer, rows) if source is None else _take_over(source, rows)
    ) | _describe_asking(tokenizer, asking)
    tensors = plan_tensors(model, kind)
    writer = gguf.GGUFWriter(path, architecture.name)
    try:
        writer.add_name(name)
        writer.add_file_type(_FILE_TYPES[kind])
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        for key, entry in metadata.items():
            writer.add_key_value(key, entry.value, entry.kind, entry.of)
        for tensor in tensors:
            # A type that is not the bytes' own stands for the shape in numbers.
            writer.add_tensor_info(
                tensor.name,
                tuple(tensor.weight.shape),
                gguf.np.dtype("float32"),
                tensor.byte_count,
                tensor.stored,
            )
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for tensor in tensors:
            writer.write_tensor_data(tensor.compute())
    finally:
        writer.close()


def find_source(base: Path) -> Path | None:
    """Find the GGUF file that a checkpoint folder in the cache was converted from.

    Returns:
        None where the folder is no converted embedded model, or its file is gone.
    """
    for model in EMBEDDED_MODELS:
        if base.name.startswith(f"{model.sha256[:16]}-") and base.parent.name == "students":
            path = base.parent.parent / "models" / model.sha256[:16] / model.file_name
            return path if path.is_file() else None
    return None


def _take_over(source: Path, rows: int) -> dict[str, Entry]:
    """Take what a file says about network and tokenizer."""
    metadata = read_metadata(source)
    tokens: Any = metadata["tokenizer.ggml.tokens"].value
    if len(tokens) != rows:
        raise GgufError(
            f"{source} has {len(tokens):,} tokens, the student {rows:,}: it was not made from this "
            "file. Fetch the embedded model again."
        )
    return {key: entry for key, entry in metadata.items() if key not in _OF_THE_SOURCE}


def _describe(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", rows: int
) -> dict[str, Entry]:
    """Describe network and tokenizer anew.

    Raises:
        GgufError: Gemma, whose tokenizer's scores are in its own file only; unknown tokenizers.
    """
    config: Any = model.config
    name = find_architecture(config.model_type).name
    if name == "gemma3":
        raise GgufError(
            "A Gemma student can be written as GGUF only from the embedded gemma-3-270m, whose "
            "file has the scores of its tokenizer. Export it with --format hf instead."
        )
    head_size = (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )
    counts = {
        "vocab_size": rows,
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": head_size,
        "attention.value_length": head_size,
        "rope.dimension_count": head_size,
    }
    measures = {
        "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "rope.freq_base": config.rope_parameters["rope_theta"],
    }
    return {
        **{f"{name}.{key}": Entry(int(n), GGUFValueType.UINT32) for key, n in counts.items()},
        **{f"{name}.{key}": Entry(float(n), GGUFValueType.FLOAT32) for key, n in measures.items()},
        **describe_tokenizer(tokenizer, rows),
    }


def _describe_asking(tokenizer: "PreTrainedTokenizerBase", asking: Asking) -> dict[str, Entry]:
    """Say how it is asked and where an answer ends, whatever the source file said."""
    stop: Any = tokenizer.convert_tokens_to_ids(asking.stop)
    entries = {"tokenizer.ggml.eos_token_id": Entry(stop, GGUFValueType.UINT32)}
    if asking.chat_template:
        entries["tokenizer.chat_template"] = Entry(asking.chat_template, GGUFValueType.STRING)
    return entries
