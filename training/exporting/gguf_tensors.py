"""Name and lay out a student's weights as llama.cpp wants them.

llama.cpp rotates neighbouring pairs of a llama's query and key, transformers its two halves, so
their rows are interleaved; Gemma's norms multiply by 1 + weight here and by weight there. The names
are the gguf package's. What is not known exactly is refused: a wrong layout loads, and babbles.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import gguf
import numpy as np

from schemas.exports import GgufKind
from training.exporting.gguf_metadata import GgufError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Array = np.ndarray[Any, Any]

_KINDS = {
    "f32": gguf.GGMLQuantizationType.F32,
    "f16": gguf.GGMLQuantizationType.F16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
}


class Architecture(NamedTuple):
    """How a kind of transformer is written in GGUF."""

    name: str
    family: gguf.MODEL_ARCH
    interleaves_rotation: bool = False
    norm_offset: float = 0.0


_ARCHITECTURES = {
    "llama": Architecture("llama", gguf.MODEL_ARCH.LLAMA, interleaves_rotation=True),
    "qwen2": Architecture("qwen2", gguf.MODEL_ARCH.QWEN2),
    "qwen3": Architecture("qwen3", gguf.MODEL_ARCH.QWEN3),
    "gemma3_text": Architecture("gemma3", gguf.MODEL_ARCH.GEMMA3, norm_offset=1.0),
}


class PlannedTensor(NamedTuple):
    """One matrix or vector of the file, not yet computed."""

    name: str
    weight: "torch.Tensor"
    stored: gguf.GGMLQuantizationType
    heads: int = 0
    """Heads whose rows are interleaved; 0 for none."""
    offset: float = 0.0
    """Added to every number."""

    @property
    def byte_count(self) -> int:
        """Size in the file."""
        block, size = gguf.GGML_QUANT_SIZES[self.stored]
        return self.weight.numel() // block * size

    def compute(self) -> Array:
        """Return the floats, or the bytes of the quantized blocks."""
        data: Array = self.weight.detach().float().cpu().numpy()
        if self.offset:
            data = data + np.float32(self.offset)
        if self.heads:
            data = _interleave(data, self.heads)
        return gguf.quantize(data, self.stored)


def find_architecture(model_type: str) -> Architecture:
    """Look up how a model type of transformers is written.

    Raises:
        GgufError: Lists what can be.
    """
    if model_type not in _ARCHITECTURES:
        raise GgufError(
            f"A student of type {model_type!r} cannot be written as GGUF, only "
            f"{', '.join(_ARCHITECTURES)}. Export it with --format hf instead."
        )
    return _ARCHITECTURES[model_type]


def plan_tensors(model: "PreTrainedModel", kind: GgufKind) -> list[PlannedTensor]:
    """Lay out every tensor of the file.

    Raises:
        GgufError: The student has a tensor that llama.cpp does not know.
    """
    config: Any = model.config
    architecture = find_architecture(config.model_type)
    names = gguf.get_tensor_name_map(architecture.family, config.num_hidden_layers)
    planned: list[PlannedTensor] = []
    for key, weight in _own_weights(model):
        name = names.get_name(key, (".weight", ".bias"))
        if name is None:
            raise GgufError(
                f"The student's tensor {key} has no place in a GGUF file of {architecture.name}. "
                "Export it with --format hf instead."
            )
        planned.append(
            PlannedTensor(
                name,
                weight,
                _choose_storage(weight, kind),
                _interleaved_heads(name, architecture, config),
                architecture.norm_offset if name.endswith("norm.weight") else 0.0,
            )
        )
    if (factors := _rotation_factors(model)) is not None:
        planned.append(PlannedTensor("rope_freqs.weight", factors, _KINDS["f32"]))
    return planned


def _own_weights(model: "PreTrainedModel") -> "Iterator[tuple[str, torch.Tensor]]":
    """Pass over a head that is the input embeddings: llama.cpp takes those when there is none."""
    weights = model.state_dict()
    embeddings = weights["model.embed_tokens.weight"]
    for key, weight in weights.items():
        if key != "lm_head.weight" or weight.data_ptr() != embeddings.data_ptr():
            yield key, weight


def _choose_storage(weight: "torch.Tensor", kind: GgufKind) -> gguf.GGMLQuantizationType:
    """Round matrices as asked; vectors are few, and stay exact."""
    stored = _KINDS[kind if weight.ndim > 1 else "f32"]
    block, _ = gguf.GGML_QUANT_SIZES[stored]
    # Rows that do not fill whole blocks cannot be quantized.
    return _KINDS["f16"] if weight.shape[-1] % block else stored


def _interleaved_heads(name: str, architecture: Architecture, config: Any) -> int:  # noqa: ANN401
    if not architecture.interleaves_rotation:
        return 0
    if ".attn_q." in name:
        return config.num_attention_heads
    return config.num_key_value_heads if ".attn_k." in name else 0


def _interleave(data: Array, heads: int) -> Array:
    """Put row i of a head's second half behind row i of its first half."""
    halves = data.reshape(heads, 2, -1, *data.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(data.shape)


def _rotation_factors(model: "PreTrainedModel") -> "torch.Tensor | None":
    """Return by what Llama 3 slows its rotations, one number for each; None where it does not.

    Raises:
        GgufError: They are changed in another way.
    """
    import torch

    config: Any = model.config
    if config.model_type == "gemma3_text":
        # It has two kinds of layers, whose rotations llama.cpp knows by the architecture.
        return None
    rope = config.rope_parameters
    if rope["rope_type"] == "default":
        return None
    if rope["rope_type"] != "llama3":
        raise GgufError(
            f"The student's rope_type {rope['rope_type']!r} cannot be written as GGUF, only "
            "default and llama3. Export it with --format hf instead."
        )
    network: Any = model.model
    slowed = network.rotary_emb.inv_freq.double()
    exponents = torch.arange(len(slowed), dtype=torch.float64) / len(slowed)
    return (rope["rope_theta"] ** -exponents / slowed).float()
