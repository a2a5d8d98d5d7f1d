"""Give memory back that the C library would keep for later, so that a run's peak is its plan's.

glibc serves tensors below 32 MB from one heap and keeps what is freed there. Between saved
activations that leaves holes that nothing fits into: SmolLM2-135M by LoRA at 2 rows of 256 tokens
peaked at 1,703 MB above the empty process, 1,481 of them in tensors; full at 3,032, 2,620 in
tensors. Returned after every block of the forward pass, the holes go, for about 5 % of the CPU
time. In the backward pass gradients and unpacked 4-bit weights leave others (61 MB by QLoRA at 2
rows of 64). Smaller thresholds for separate mappings (``M_MMAP_THRESHOLD``) do as well and take 1.5
times the time: each tensor then faults its pages in anew.

Where there is no glibc nothing happens, and the measured peak stays an upper bound.
"""

import ctypes
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

_BLOCKS_A_TRIM = 3
_M_ARENA_MAX = -8  # malloc.h of glibc


def keep_one_arena() -> None:
    """Let all threads of this process share one heap: what one frees is of use to the others."""
    library = _find_glibc()
    if library is not None:
        library.mallopt(_M_ARENA_MAX, 1)


def trim_memory() -> None:
    """Return free pages of the heap to the system."""
    library = _find_glibc()
    if library is not None:
        library.malloc_trim(0)


def trim_between_blocks(model: "nn.Module") -> int:
    """Trim after each block's forward pass, every few blocks of the backward pass, and after it.

    To be called once, on a model that trains on the CPU, before anything wraps it.

    Args:
        model: The base.

    Returns:
        Number of blocks.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    library = _find_glibc()
    if library is None:
        return 0

    def trim(*_: object) -> None:
        library.malloc_trim(0)

    def trim_with_gradient(_: object, __: object, output: object) -> None:
        first = cast("tuple[Tensor, ...]", output)[0] if isinstance(output, tuple) else output
        if getattr(first, "requires_grad", False):
            cast("Tensor", first).register_hook(trim)

    blocks = [part for part in model.modules() if isinstance(part, GradientCheckpointingLayer)]
    for number, block in enumerate(blocks):
        block.register_forward_hook(trim)
        if number % _BLOCKS_A_TRIM == 0:
            block.register_forward_hook(trim_with_gradient)
    # The embeddings' output gets its gradient last.
    embeddings = cast("PreTrainedModel", model).get_input_embeddings()
    embeddings.register_forward_hook(trim_with_gradient)
    return len(blocks)


def _find_glibc() -> ctypes.CDLL | None:
    """Find the C library of this process, if it is glibc."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "malloc_trim") else None
    except (OSError, TypeError):
        # No C library that ctypes can look into (TypeError: Windows).
        return None
