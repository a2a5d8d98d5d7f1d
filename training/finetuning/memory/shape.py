"""Read from a checkpoint's config and headers what decides its memory; no weights, no torch.

What is counted (embeddings, linear layers, norms) is read from the tensors' own shapes; how they
are computed with (heads, gates) from ``config.json``. A student with layers other than attention
and feed-forward is refused: methods, guards and the plan know only these.
"""

import re
from pathlib import Path
from typing import NamedTuple, cast

from schemas.errors import UserError
from training.checkpoint_files import TensorHeader, check_checkpoint, read_config, read_headers

_IN_LAYER = re.compile(r"\.(?:layers|h|blocks)\.(\d+)\.(.+)$")
_FOREIGN = re.compile(
    r"experts|router|moe|mixer|mamba|ssm|rwkv|time_mix|linear_attn|conv|A_log|recurrent"
)
_EMBEDDING = re.compile(r"(?:^|\.)(?:embed_tokens|wte|word_embeddings|embed_in)\.weight$")
_HEAD = re.compile(r"(?:^|\.)(?:lm_head|embed_out)\.weight$")
_ATTENTION = {"full_attention", "sliding_attention", "chunked_attention"}


class UnsupportedStudentError(UserError):
    """A causal language model whose layers the methods of tuning do not know."""


class Linear(NamedTuple):
    """One linear layer: its weight has ``rows * columns`` parameters."""

    rows: int
    columns: int

    @property
    def parameters(self) -> int:
        return self.rows * self.columns


class StudentShape(NamedTuple):
    """Sizes of a student, in numbers of parameters or elements."""

    model_type: str
    vocabulary: int
    hidden: int
    """Width of the residual stream."""
    intermediate: int
    """Width inside the feed-forward block."""
    layers: int
    heads: int
    key_heads: int
    head_size: int
    longest: int | None
    """Tokens that it can read at most."""
    window: int | None
    """Tokens that its sliding layers look back; None without such layers."""
    embedding_parameters: int
    """Of the input embeddings, the head too where both are one."""
    head_parameters: int
    """Of a head of its own; 0 where it is tied to the embeddings."""
    other_parameters: int
    """Norms, biases, positions: always kept in full."""
    linears: tuple[Linear, ...]
    """All linear layers of all blocks; what adapters stand beside and 4 bits apply to."""
    norms: int
    """Norms over the residual stream in one block."""
    has_head_norms: bool
    """Whether queries and keys are normed too."""
    is_gated: bool
    """Whether the feed-forward block multiplies by a gate."""
    weight_bytes: int
    """Of all weights in their files."""

    @property
    def linear_parameters(self) -> int:
        return sum(linear.parameters for linear in self.linears)

    @property
    def parameters(self) -> int:
        """All of them."""
        return (
            self.embedding_parameters
            + self.head_parameters
            + self.other_parameters
            + self.linear_parameters
        )

    @property
    def queries(self) -> int:
        """Elements of all queries of one token."""
        return self.heads * self.head_size

    @property
    def keys(self) -> int:
        """Elements of all keys of one token; as many are its values."""
        return self.key_heads * self.head_size


def read_shape(folder: Path) -> StudentShape:
    """Read the sizes of a student.

    Raises:
        ModelLoadError: The folder is no checkpoint of a causal language model.
        UnsupportedStudentError: It has layers that the methods do not know, or lacks sizes.
    """
    check_checkpoint(folder)
    config = read_config(folder)
    headers = read_headers(folder)
    _check_layers(folder, config, headers)
    sizes = _Config(folder, config)
    hidden = sizes.read("hidden_size", "n_embd", "d_model")
    heads = sizes.read("num_attention_heads", "n_head")
    tensors = _sort_tensors(headers)
    block = [name for name in headers if (found := _IN_LAYER.search(name)) and found[1] == "0"]
    return StudentShape(
        model_type=str(config.get("model_type", "")),
        vocabulary=sizes.read("vocab_size"),
        hidden=hidden,
        intermediate=sizes.read("intermediate_size", "n_inner", default=4 * hidden),
        layers=sizes.read("num_hidden_layers", "n_layer"),
        heads=heads,
        key_heads=sizes.read("num_key_value_heads", default=heads),
        head_size=sizes.read("head_dim", default=hidden // heads),
        longest=sizes.read("max_position_embeddings", "n_positions", default=0) or None,
        window=_read_window(config),
        embedding_parameters=tensors.embedding,
        head_parameters=0 if config.get("tie_word_embeddings", False) is True else tensors.head,
        other_parameters=tensors.other,
        linears=tuple(tensors.linears),
        norms=sum(
            headers[name].shape == (hidden,) and "norm" in name.lower() and "bias" not in name
            for name in block
        ),
        has_head_norms=any("q_norm" in name or "q_layernorm" in name for name in block),
        is_gated=any("gate_proj" in name or "gate_up_proj" in name for name in block),
        weight_bytes=tensors.stored_bytes,
    )


class _Config(NamedTuple):
    """Sizes of a config, by any of the names that architectures give them."""

    folder: Path
    values: dict[str, object]

    def read(self, *names: str, default: int | None = None) -> int:
        for name in names:
            value = self.values.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
        if default is not None:
            return default
        raise UnsupportedStudentError(
            f"{self.folder}/config.json: wanted a positive {names[0]}, found "
            f"{self.values.get(names[0], 'none')!r}. Choose another student."
        )


class _Tensors(NamedTuple):
    embedding: int
    head: int
    other: int
    linears: list[Linear]
    stored_bytes: int


def _sort_tensors(headers: dict[str, TensorHeader]) -> _Tensors:
    embedding = head = other = stored = 0
    linears: list[Linear] = []
    for name, header in headers.items():
        count = _product(header.shape)
        stored += count * (int(re.sub(r"\D", "", header.dtype)[:2] or 8) // 8 or 1)
        if _EMBEDDING.search(name):
            embedding += count
        elif _HEAD.search(name):
            head += count
        elif len(header.shape) == 2 and _IN_LAYER.search(name):
            linears.append(Linear(*header.shape))
        else:
            other += count
    return _Tensors(embedding, head, other, linears, stored)


def _product(shape: tuple[int, ...]) -> int:
    result = 1
    for size in shape:
        result *= size
    return result


def _read_window(config: dict[str, object]) -> int | None:
    window = config.get("sliding_window")
    if not isinstance(window, int) or config.get("use_sliding_window") is False:
        return None
    return window


def _check_layers(
    folder: Path, config: dict[str, object], headers: dict[str, TensorHeader]
) -> None:
    kinds = config.get("layer_types")
    named = (
        {str(kind) for kind in cast("list[object]", kinds)} if isinstance(kinds, list) else set()
    )
    found = sorted(named - _ATTENTION)
    for name, header in headers.items():
        inside = _IN_LAYER.search(name)
        if inside and (_FOREIGN.search(inside[2]) or len(header.shape) > 2):
            found.append(f"tensor {name}")
    if found:
        raise UnsupportedStudentError(
            f"{folder}: wanted a student of attention and feed-forward layers, found {found[0]}. "
            "Mixtures of experts and state-space layers cannot be tuned here: choose another."
        )
    if not any(_IN_LAYER.search(name) for name in headers):
        raise UnsupportedStudentError(
            f"{folder}: no tensor is named like a layer's; this architecture is not known here. "
            "Choose another student."
        )
