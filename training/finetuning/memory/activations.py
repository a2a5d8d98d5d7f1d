"""What autograd keeps of a forward pass until the backward pass, per token and block.

Derived from the models' code, operation by operation, and compared in tests with the very tensors
that torch saves. A tensor is in the *product's* format (bf16 under autocast, else fp32) or always
in fp32, because autocast leaves residual stream and norms there. With h the residual stream, i the
feed-forward width, q and k all queries and keys of a token, r the LoRA rank:

==================  ===========================================================================
feed-forward        gate, activation, up and their product: 4i (without a gate 2i); frozen
                    weights do not need the product, but a LoRA matrix beside them does
attention           turned queries, output, turned keys, values: 2q + 2k; under a mask keys and
                    values are repeated for every head: 4q; fp32: log-sum-exp, one a head
inputs of linears   full and LoRA: fp32 those of attention and of feed-forward, 2h; bf16 a copy
                    for each linear that reads the stream, 5h, and LoRA's of the output layer, q
norms               fp32: input (h) and, where their weights are trained, the normed input (h);
                    the same over queries and keys where the student norms these
LoRA                r beside each linear; DoRA two of each linear's outputs besides
QLoRA in bf16       4-bit layers answer in fp32: gate, activation and up take twice the room
==================  ===========================================================================

With gradient checkpointing only each block's input stays, and one block at a time is computed anew.
"""

from typing import NamedTuple

from schemas.manifest import Method
from training.base_model import Precision
from training.finetuning.memory.shape import StudentShape


class Batch(NamedTuple):
    """The largest batch of a run."""

    rows: int
    length: int
    """Tokens of a row, padding included."""
    labelled: int
    """Positions with a label, at most."""
    is_masked: bool
    """Rows differ in length or are packed, so that attention needs a mask."""

    @property
    def tokens(self) -> int:
        return self.rows * self.length


class Computation(NamedTuple):
    """What is trained, and in which format products are computed."""

    method: Method
    precision: Precision
    rank: int
    """0 without LoRA matrices."""
    dropout: float
    is_checkpointed: bool

    @property
    def product_bytes(self) -> int:
        """Bytes of an element in the format of the products."""
        return 2 if self.precision == "bf16" else 4

    @property
    def trains_base(self) -> bool:
        return self.method == "full"


def saved_bytes(shape: StudentShape, batch: Batch, how: Computation) -> int:
    """Count what stays of a forward pass over all blocks when the loss is computed."""
    block = batch.tokens * token_bytes(shape, batch, how) + _mask_bytes(shape, batch, how)
    block_weights = weight_copies(shape, how) // shape.layers
    stream = batch.tokens * shape.hidden * 4
    if how.is_checkpointed:
        return shape.layers * stream + block + block_weights
    return shape.layers * (block + block_weights) + 3 * stream


def token_bytes(shape: StudentShape, batch: Batch, how: Computation) -> int:
    """Count what one block keeps for one token; see the table above."""
    wide = _wide_elements(shape, how)
    product = _product_elements(shape, batch, how)
    if how.method == "qlora" and how.precision == "bf16":
        moved = shape.intermediate * (3 if shape.is_gated else 1)
        wide, product = wide + moved, product - moved
    return 4 * wide + how.product_bytes * product


def weight_copies(shape: StudentShape, how: Computation) -> int:
    """Count what is kept for the backward pass of weights in another format, over all blocks.

    Autocast casts each fp32 weight to bf16 once a forward pass, and the backward pass needs that
    copy; 4-bit weights are unpacked anew. DoRA multiplies its matrices with an identity of each
    linear's input size and keeps it.
    """
    copies = 0
    if how.precision == "bf16":
        if how.method != "qlora":
            copies += 2 * shape.linear_parameters
        copies += 2 * adapter_parameters(shape, how)
    if how.method == "dora":
        inner = [(linear.columns, how.rank) for linear in shape.linears]
        copies += sum(size * (size + rank) * how.product_bytes for size, rank in inner)
    return copies


def adapter_parameters(shape: StudentShape, how: Computation) -> int:
    """Count LoRA's parameters: ``r`` columns and rows beside each linear; DoRA's magnitudes."""
    count = sum(how.rank * (linear.rows + linear.columns) for linear in shape.linears)
    if how.method == "dora":
        count += sum(linear.rows for linear in shape.linears)
    return count


def _wide_elements(shape: StudentShape, how: Computation) -> int:
    """Count elements that are in fp32 whatever the products are in."""
    copies = 2 if how.trains_base else 1
    count = shape.norms * (copies * shape.hidden + 1) + shape.heads
    if shape.has_head_norms:
        # Gemma multiplies normed inputs by the weight in fp32, others in the products' format.
        in_fp32 = copies if shape.model_type.startswith("gemma") else 1
        count += in_fp32 * (shape.queries + shape.keys) + shape.heads + shape.key_heads
    return count


def _product_elements(shape: StudentShape, batch: Batch, how: Computation) -> int:
    """Count elements in the format of the products."""
    keys = shape.queries if batch.is_masked else shape.keys
    count = 2 * shape.queries + 2 * keys
    if shape.has_head_norms and how.trains_base and not shape.model_type.startswith("gemma"):
        count += shape.queries + shape.keys
    inner = 3 if shape.is_gated else 1
    if how.method == "prompt_tuning":
        return count + inner * shape.intermediate
    linears = len(shape.linears) // shape.layers
    count += (inner + 1) * shape.intermediate + linears * how.rank
    if how.precision == "bf16":
        count += (linears - 2) * shape.hidden + (0 if how.trains_base else shape.queries)
    elif not how.dropout:
        count += 2 * shape.hidden
    if how.method == "dora":
        count += 2 * sum(linear.rows for linear in shape.linears) // shape.layers
    if how.dropout:
        # What is kept is each matrix' own thinned input and the noise that thinned it.
        count -= shape.intermediate if how.precision == "fp32" else 0
        count += 2 * sum(linear.columns for linear in shape.linears) // shape.layers
    return count


def _mask_bytes(shape: StudentShape, batch: Batch, how: Computation) -> int:
    """Count one block's mask: attention turns it from true and false into numbers."""
    is_needed = batch.is_masked or (shape.window is not None and batch.length > shape.window)
    return batch.rows * batch.length**2 * how.product_bytes if is_needed else 0
