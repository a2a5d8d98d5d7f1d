"""Say where the memory of a run goes, and what 4 bits really save."""

from typing import NamedTuple

from schemas.manifest import MemoryEstimate
from training.finetuning.memory.activations import Computation
from training.finetuning.memory.plan import describe_computation, weights_bytes
from training.finetuning.memory.shape import StudentShape
from training.finetuning.recipe import Recipe, Settings

_DOMINATING = 0.2
"""Share of parameters outside the linear layers from which on 4 bits save far less than 4 times."""


class PlanRow(NamedTuple):
    """One part of a plan."""

    part: str
    megabytes: float
    """Of 10^6 bytes."""
    why: str


def describe_plan(
    estimate: MemoryEstimate, shape: StudentShape, recipe: Recipe, settings: Settings
) -> list[PlanRow]:
    """Lay a plan out, the parts that are nothing left away, the sum last."""
    how = describe_computation(settings)
    chunk = "logits of a few labelled positions at a time, with their gradient"
    rows = [
        PlanRow("process", estimate.process_mb, "interpreter, libraries, trainer"),
        PlanRow("weights", estimate.weights_mb, _describe_weights(shape, how)),
        PlanRow("adapters", estimate.adapters_mb, "what is trained, in fp32"),
        PlanRow("gradients", estimate.gradients_mb, "fp32, one for each trained weight"),
        PlanRow("optimizer", estimate.optimizer_mb, f"{recipe.optimizer}: two moments of each"),
        PlanRow("activations", estimate.activations_mb, _describe_activations(how)),
        PlanRow("logits", estimate.logits_mb, chunk),
        PlanRow("working space", estimate.working_mb, "of single operations"),
        PlanRow("sum", estimate.total_mb, f"highest at: {estimate.highest_at}"),
    ]
    return [row for row in rows if row.megabytes > 0]


def describe_savings(shape: StudentShape) -> str | None:
    """Say what QLoRA saves in weights where embeddings dominate; None where they do not."""
    kept = shape.parameters - shape.linear_parameters
    share = kept / shape.parameters
    if share < _DOMINATING:
        return None
    full, quantized = 4 * shape.parameters / 1e6, _quantized_mb(shape)
    return (
        f"{share:.0%} of this student's {shape.parameters / 1e6:.0f}M parameters are embeddings "
        f"and norms, which stay in fp32: QLoRA's weights take {quantized:,.0f} MB in place of "
        f"{full:,.0f}, {full / quantized:.1f} times less and not 8 times (4 times of bf16's)."
    )


def _quantized_mb(shape: StudentShape) -> float:
    how = Computation("qlora", "fp32", rank=16, dropout=0.0, is_checkpointed=False)
    return weights_bytes(shape, how) / 1e6


def _describe_weights(shape: StudentShape, how: Computation) -> str:
    if how.method != "qlora":
        return f"{shape.parameters / 1e6:.0f}M parameters in fp32"
    kept = shape.parameters - shape.linear_parameters
    return (
        f"{shape.linear_parameters / 1e6:.0f}M in 4 bits, {kept / 1e6:.0f}M of embeddings and "
        "norms in fp32"
    )


def _describe_activations(how: Computation) -> str:
    if how.is_checkpointed:
        return "input of each block, and one block computed anew"
    copies = " and bf16 copies of the weights" if how.precision == "bf16" else ""
    return f"kept for the backward pass{copies}"
