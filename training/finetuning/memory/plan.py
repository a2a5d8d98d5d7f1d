"""Foretell where the memory of a run goes, before any weight is loaded.

Pure arithmetic over sizes; what is kept of a forward pass is derived in ``activations.py``. A step
has four phases that hold different things, and the plan is that of the highest:

=========  ==================================================================================
loading    weights, and the tensor that is being quantized or converted
loss       states, gradients of earlier batches of the step, everything kept of the forward
           pass, and one chunk of logits with what its gradient needs
backward   at its end: states, all gradients, and a tied embedding's second gradient
optimizer  states and all gradients; fused AdamW updates both moments in place
=========  ==================================================================================

States are weights (fp32: 4 bytes a parameter; NF4 with double quantization: 0.5 byte, 1/64 for
each block's scale and 1/4096 for the scales' scales, QLoRA paper section 3), adapters and AdamW's
two moments (8 bytes a trained parameter; in 8 bits 2 and 1/32).

Measured against it by ``python -m benchmarks.memory``. Not foretold: what fragmentation adds where
``malloc_trim`` does not exist, and checkpoints of FSDP. Figures for GPUs follow from the same
formulas and were not measured.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from schemas.manifest import MemoryEstimate
from training.finetuning.loss_chunks import chunk_positions
from training.finetuning.memory.activations import (
    Batch,
    Computation,
    adapter_parameters,
    saved_bytes,
    weight_copies,
)
from training.finetuning.memory.shape import StudentShape
from training.finetuning.methods import LoraRecipe, MethodRecipe, PromptTuningRecipe
from training.finetuning.recipe import Recipe, Settings

PROCESS_MB = {"cpu": 580.0, "cuda": 500.0}
"""Measured on CPU: interpreter, torch, transformers, trl, peft, bitsandbytes. CUDA: its context."""
_TRAINER_MB = 60.0
"""Measured: trainer and dataset (28 to 34), and what libraries set up at the first step (30)."""
_FP32 = 4
"""Bytes of an element."""
_NF4_BYTES = 0.5 + 1 / 64 + 1 / 4096
_NF4_TABLES = 1100
"""Bytes of code tables beside each 4-bit layer."""

Phase = Literal["loading", "loss", "backward", "optimizer"]


class RowLength(NamedTuple):
    """A training row, as far as its memory goes."""

    tokens: int
    labelled: int
    """Those with a label."""


class _States(NamedTuple):
    """What stays from step to step, in bytes."""

    weights: float
    adapters: float
    gradients: float
    """All of them, at the end of a backward pass."""
    optimizer: float


class _Moment(NamedTuple):
    """What a phase holds, in bytes; states are held in all of them."""

    phase: Phase
    gradients: float = 0.0
    optimizer: float = 0.0
    activations: float = 0.0
    logits: float = 0.0
    working: float = 0.0


def plan_memory(
    shape: StudentShape,
    recipe: Recipe,
    settings: Settings,
    lengths: Sequence[RowLength],
    process_mb: float | None = None,
) -> MemoryEstimate:
    """Foretell the highest memory of a run.

    Args:
        shape: The student.
        recipe: How to tune.
        settings: What the recipe left open, decided.
        lengths: All training rows; at least one.
        process_mb: What the process holds before weights are loaded, measured; None takes what it
            held in our measurements.
    """
    how = describe_computation(settings)
    batch = worst_batch(lengths, recipe, settings.method)
    states = _count_states(shape, recipe, how, settings.method)
    moments = (
        _loading(shape, how),
        _loss(shape, recipe, how, batch, states),
        _backward(shape, recipe, how, states),
        _Moment("optimizer", gradients=states.gradients, optimizer=states.optimizer),
    )
    highest = max(moments, key=lambda moment: sum(moment[1:]))
    base = PROCESS_MB[settings.device] if process_mb is None else process_mb
    return MemoryEstimate(
        process_mb=base + _TRAINER_MB,
        weights_mb=states.weights / 1e6,
        adapters_mb=states.adapters / 1e6,
        gradients_mb=highest.gradients / 1e6,
        optimizer_mb=highest.optimizer / 1e6,
        activations_mb=highest.activations / 1e6,
        logits_mb=highest.logits / 1e6,
        working_mb=highest.working / 1e6,
        highest_at=highest.phase,
    )


def describe_computation(settings: Settings) -> Computation:
    """Take from the settings what decides what is kept of a forward pass."""
    method = settings.method
    lora = method if isinstance(method, LoraRecipe) else None
    return Computation(
        method=_name(method),
        precision=settings.precision,
        rank=lora.r if lora else 0,
        dropout=lora.dropout if lora else 0.0,
        is_checkpointed=settings.gradient_checkpointing,
    )


def worst_batch(lengths: Sequence[RowLength], recipe: Recipe, method: MethodRecipe) -> Batch:
    """Lay out the batch that needs most: the longest rows at once, as each epoch may draw them."""
    virtual = method.virtual_tokens if isinstance(method, PromptTuningRecipe) else 0
    rows = recipe.batch_size
    longest = max(length.tokens for length in lengths)
    if recipe.packing:
        full = max(longest, recipe.max_length_tokens or longest)
        share = sum(length.labelled for length in lengths) / sum(row.tokens for row in lengths)
        return Batch(rows, full, int(share * rows * full), is_masked=True)
    rows = min(rows, len(lengths))
    labelled = sum(sorted((length.labelled for length in lengths), reverse=True)[:rows])
    differ = len({length.tokens for length in lengths}) > 1 and rows > 1
    return Batch(rows, longest + virtual, labelled, is_masked=differ)


def weights_bytes(shape: StudentShape, how: Computation) -> float:
    """Count the base weights as the method holds them; embeddings and norms stay fp32."""
    if how.method != "qlora":
        return 4.0 * shape.parameters
    kept = shape.parameters - shape.linear_parameters
    return 4.0 * kept + _NF4_BYTES * shape.linear_parameters + _NF4_TABLES * len(shape.linears)


def trained_parameters(shape: StudentShape, how: Computation, method: MethodRecipe) -> int:
    """Count what the optimizer moves."""
    if how.trains_base:
        return shape.parameters
    if isinstance(method, PromptTuningRecipe):
        return method.virtual_tokens * shape.hidden
    return adapter_parameters(shape, how)


def _name(method: MethodRecipe) -> Literal["full", "lora", "qlora", "dora", "prompt_tuning"]:
    from training.finetuning.methods import METHODS

    return next(name for name, kind in METHODS.items() if kind is type(method))


def _count_states(
    shape: StudentShape, recipe: Recipe, how: Computation, method: MethodRecipe
) -> _States:
    trained = trained_parameters(shape, how, method)
    moments = 8.0 if recipe.optimizer == "adamw" else 2 + 1 / 32
    gathered = 2 if recipe.processes > 1 else 1  # DDP keeps its buckets beside the gradients.
    shared = recipe.processes if recipe.distribution == "fsdp" else 1
    return _States(
        weights=weights_bytes(shape, how) / shared,
        adapters=0.0 if how.trains_base else 4.0 * trained / shared,
        gradients=4.0 * trained * gathered / shared,
        optimizer=moments * trained / shared,
    )


def _loading(shape: StudentShape, how: Computation) -> _Moment:
    """Count the tensors that are there twice while they are converted.

    What stays as it is in the file is mapped, not copied. Files in less than 4 bytes a parameter
    are converted tensor by tensor, the largest of which counts; 4-bit layers are made from a
    tensor in fp32 and one in their file's format.
    """
    stored = shape.weight_bytes / shape.parameters
    converted = max(shape.embedding_parameters, shape.head_parameters) if stored < _FP32 else 0
    quantized = max(linear.parameters for linear in shape.linears) if how.method == "qlora" else 0
    return _Moment("loading", working=max(stored * converted, (stored + _FP32) * quantized))


def _loss(
    shape: StudentShape, recipe: Recipe, how: Computation, batch: Batch, states: _States
) -> _Moment:
    """Add up the moment in which a chunk of logits and its gradient exist.

    In bf16 a logit is there as product (2 bytes), in fp32 and as log-probability (4 each); later as
    product and slope (4). The head's weight is cast too, and where it is trained its gradient comes
    in bf16 and in fp32, beside the sum of the chunks before.
    """
    positions = chunk_positions(shape.vocabulary)
    chunk = min(positions, max(1, batch.labelled)) * shape.vocabulary
    head = (shape.head_parameters or shape.embedding_parameters) * 1.0
    half = how.precision == "bf16"
    cast = 2 * head if half else 0.0
    before = chunk * (10 if half else 8) + cast
    after = chunk * (4 if half else 8) + cast
    if how.trains_base:
        summed = 4 * head if batch.labelled > positions else 0.0
        before, after = before + summed, after + summed + (6 if half else 4) * head
    logits = chunk * (10.0 if before >= after and half else 4.0 if half else 8.0)
    return _Moment(
        "loss",
        gradients=states.gradients if recipe.gradient_accumulation > 1 else 0.0,
        optimizer=states.optimizer,
        activations=float(saved_bytes(shape, batch, how)),
        logits=logits,
        working=max(before, after) - logits,
    )


def _backward(shape: StudentShape, recipe: Recipe, how: Computation, states: _States) -> _Moment:
    extra = 0.0
    if how.trains_base:
        # The embedding's gradient comes last: beside the head's, where both are one matrix, and
        # beside the sum of the batches before.
        besides = int(shape.head_parameters == 0) + int(recipe.gradient_accumulation > 1)
        extra = 4.0 * shape.embedding_parameters * besides
    first = float(weight_copies(shape, how)) / shape.layers
    return _Moment(
        "backward",
        gradients=states.gradients,
        optimizer=states.optimizer,
        working=extra + first,
    )
