"""How a student is tuned: the recipe, and what it leaves to the method and the machine.

Where the defaults come from stands under each field. TRL and peft have others, which lose quality
without a word: peft adapts only the query and value projections, TRL keeps full finetuning's
learning rate for LoRA and quantizes without double quantization.
"""

import os
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.manifest import Method
from training.loading import Precision

_LEARNING_RATES: dict[Method, float] = {"full": 2e-5, "lora": 2e-4, "qlora": 2e-4}


class RecipeError(UserError):
    """A recipe asks for something this machine does not have."""


class Recipe(Frozen):
    """All that decides a tuned student besides its data and its base."""

    method: Method = "qlora"
    """``full`` trains every weight (most memory); ``lora`` trains small adapters beside the frozen
    weights (0.37 of the peak memory at 135M parameters); ``qlora`` does the same over weights
    stored in 4 bits, NF4 with double quantization (0.19)."""
    epochs: float = Field(default=3.0, gt=0, le=100)
    """Times each row is seen; 3 is Stanford Alpaca's. Lower it when the held-out loss rises."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps after which training ends whatever ``epochs`` says; None goes by epochs."""
    learning_rate: float | None = Field(default=None, gt=0, le=0.1)
    """Peak step size. None goes by method: 2e-4 for LoRA and QLoRA (QLoRA paper, table 9),
    2e-5 for full (Stanford Alpaca). Lower it when the loss jumps, raise it when it hardly falls."""
    r: int = Field(default=16, ge=1, le=512)
    """LoRA rank: the adapters' width. Raise it when the loss stays high on plenty of data."""
    alpha: int = Field(default=32, ge=1, le=1024)
    """LoRA scale is ``alpha / r``; twice the rank is common practice. Change it together with r."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of adapter inputs zeroed in training. Raise towards 0.1 when few rows overfit."""
    batch_size: int = Field(default=4, ge=1, le=1024)
    """Rows computed at once. Lower it when memory runs out, and raise the accumulation instead."""
    gradient_accumulation: int = Field(default=4, ge=1, le=1024)
    """Batches summed before a step; 4 x 4 = 16 rows a step is the QLoRA paper's (table 9)."""
    max_length_tokens: int = Field(default=2048, ge=16, le=131072)
    """Longest row, prompt, answer and stop token together; the student's own limit holds too.
    Costs nothing while rows are shorter."""
    on_overlong: Literal["refuse", "drop"] = "refuse"
    """What happens to rows above the limit: stop with their count, or leave them out and say in the
    manifest how many. They are never cut: a cut answer teaches the student not to stop."""
    warmup: float = Field(default=0.03, ge=0, lt=1)
    """Share of the steps in which the learning rate rises from 0 (QLoRA, Alpaca). Raise it when
    the first losses jump. Afterwards it falls along a cosine."""
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    """Pull of the trained weights towards 0 (AdamW); 0 is Alpaca's."""
    optimizer: Literal["adamw", "adamw-8bit"] = "adamw"
    """``adamw-8bit`` keeps a quarter of the optimizer state; worth it for ``full`` on a GPU. On CPU
    a step of it takes six times as long (2.88 s against 0.46 s at 135M parameters)."""
    max_gradient_norm: float = Field(default=1.0, gt=0)
    """Longer gradients are scaled down to this length, so that one odd batch cannot ruin a run."""
    random_seed: int = Field(default=0, ge=0, lt=2**32)
    """Decides adapter initialisation, dropout and the order of rows."""
    min_rows: int = Field(default=10, ge=2)
    """Fewer training rows are refused: the student would only learn them by heart."""
    save_steps: int = Field(default=50, ge=1)
    """Steps between the checkpoints that an interrupted run continues from. Raise it when writing
    them takes long (``full`` writes three times the model's size)."""
    precision: Precision | None = None
    """Number format of the matrix products; weights that are trained stay fp32. None takes bf16
    where the processor computes in it (0.6 of the time), else fp32."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads; None takes all. With 1, the same recipe gives the same bytes on a machine."""


class Hardware(NamedTuple):
    """What this machine offers for training."""

    device: Literal["cuda", "cpu"]
    computes_bf16: bool
    """In hardware; emulated bf16 is slower than fp32."""
    threads: int


class Settings(NamedTuple):
    """What the recipe left to the method and the machine, decided."""

    learning_rate: float
    precision: Precision
    threads: int
    device: Literal["cuda", "cpu"]
    gradient_checkpointing: bool


def resolve(recipe: Recipe, hardware: Hardware) -> Settings:
    """Decide what the recipe leaves open.

    Raises:
        RecipeError: bf16 was asked for by name on a GPU that lacks it.
    """
    if recipe.precision == "bf16" and hardware.device == "cuda" and not hardware.computes_bf16:
        raise RecipeError("precision 'bf16' was asked for, but this GPU lacks it. Use 'fp32'.")
    return Settings(
        learning_rate=recipe.learning_rate or _LEARNING_RATES[recipe.method],
        precision=recipe.precision or ("bf16" if hardware.computes_bf16 else "fp32"),
        threads=recipe.threads or hardware.threads,
        device=hardware.device,
        # Recomputing activations saves GPU memory; on CPU it costs 1.20 of the time and memory is
        # not what runs out.
        gradient_checkpointing=hardware.device == "cuda",
    )


def read_hardware() -> Hardware:
    """Look at this machine; imports torch."""
    import torch

    threads = os.cpu_count() or 1
    if torch.cuda.is_available():
        return Hardware("cuda", torch.cuda.is_bf16_supported(including_emulation=False), threads)
    return Hardware("cpu", cpu_computes_bf16(Path("/proc/cpuinfo")), threads)


def cpu_computes_bf16(cpuinfo: Path) -> bool:
    """Read the processor's flags as Linux lists them; elsewhere fp32 is the safe answer."""
    if not cpuinfo.is_file():
        return False
    flags = set(cpuinfo.read_text(encoding="utf-8", errors="replace").split())
    return bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})
