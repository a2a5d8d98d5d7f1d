"""How a student is tuned: the recipe, and what it leaves to the method and the machine.

One flat model is flags, YAML and Prefect parameters at once; ``None`` leaves a setting to the
method (``training/finetuning/methods.py``) or to the machine. Where each default comes from stands
in its :class:`Origin` and is printed by ``./pacaloom finetune --explain``.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, JsonValue

from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.manifest import Method, TemplateName
from training.base_model import Precision
from training.finetuning.methods import (
    METHODS,
    Alpha,
    Dropout,
    LearningRate,
    MethodRecipe,
    Origin,
    Rank,
)

Device = Literal["cuda", "cpu"]
Distribution = Literal["ddp", "fsdp"]

OF_METHODS = ("learning_rate", "r", "alpha", "dropout", "virtual_tokens")
"""Settings that belong to the method; a method need not have each."""

_USUAL_LENGTH = 2048


class RecipeError(UserError):
    """A recipe asks for what its method or this machine does not have."""


class Recipe(Frozen):
    """All that decides a tuned student besides its data and its base."""

    method: Annotated[
        Method, Origin("least memory at about LoRA's quality (QLoRA paper, table 4)")
    ] = "qlora"
    """``full`` trains every weight (most memory); ``lora`` trains small adapters beside the frozen
    weights; ``qlora`` does the same over weights stored in 4 bits, NF4 with double quantization;
    ``dora`` is LoRA with direction and magnitude apart; ``prompt_tuning`` trains only the
    embeddings of a few tokens before each prompt."""
    template: Annotated[
        TemplateName, Origin("the forms of Stanford Alpaca and KoAlpaca v1.1: fit any base model")
    ] = "instruction"
    """``instruction`` writes Stanford Alpaca's form for English, KoAlpaca v1.1's for Korean rows;
    ``chat`` the student's own chat template, for students that were tuned to chat already."""
    epochs: Annotated[float, Field(gt=0, le=100), Origin("Stanford Alpaca")] = 3.0
    """Times each row is seen. Lower it when the held-out loss rises."""
    max_steps: Annotated[int | None, Origin("epochs decide")] = Field(default=None, ge=1)
    """Optimizer steps after which training ends whatever ``epochs`` says; None goes by epochs."""
    learning_rate: LearningRate | None = None
    """Peak step size; None takes the method's. Lower it when the loss jumps, raise it when it
    hardly falls."""
    r: Rank | None = None
    """LoRA rank: the adapters' width; None takes 16. Raise it when the loss stays high on plenty of
    data."""
    alpha: Alpha | None = None
    """LoRA scale is ``alpha / r``; None takes 32. Change it together with r."""
    dropout: Dropout | None = None
    """Share of adapter inputs zeroed in training; None takes 0. Raise towards 0.1 when few rows
    overfit."""
    virtual_tokens: int | None = Field(default=None, ge=1, le=512)
    """Tokens that ``prompt_tuning`` puts before each prompt; None takes 20."""
    batch_size: Annotated[int, Field(ge=1, le=1024), Origin("QLoRA paper, table 9: 16 a step")] = 4
    """Rows computed at once. Lower it when memory runs out, and raise the accumulation instead."""
    gradient_accumulation: Annotated[
        int, Field(ge=1, le=1024), Origin("QLoRA paper, table 9: 4 x 4 = 16 rows a step")
    ] = 4
    """Batches summed before a step."""
    max_length_tokens: Annotated[
        int | None, Origin("2,048 or what the student can read, whichever is less")
    ] = Field(default=None, ge=16, le=131072)
    """Longest row, prompt, answer and stop token together; None takes 2,048 or what the student can
    read. Costs nothing while rows are shorter."""
    on_overlong: Annotated[
        Literal["refuse", "drop"],
        Origin("TRL cuts rows in silence, and with them their stop token"),
    ] = "refuse"
    """What happens to rows above the limit: stop with their count, or leave them out and say in the
    manifest how many. They are never cut: a cut answer teaches the student not to stop."""
    packing: Annotated[
        bool, Origin("off, so that a step is so many rows; on where rows are short and many")
    ] = False
    """Put several rows into one sequence of at most ``max_length_tokens`` (best fit, decreasing),
    each seeing only itself, so that nothing is computed for padding. A step then holds more rows:
    ``batch_size`` counts sequences. Set ``max_length_tokens`` to a few times the usual row."""
    warmup: Annotated[float, Field(ge=0, lt=1), Origin("Stanford Alpaca; QLoRA, table 9")] = 0.03
    """Share of the steps in which the learning rate rises from 0. Raise it when the first losses
    jump. Afterwards it falls along a cosine."""
    weight_decay: Annotated[float, Field(ge=0, le=1), Origin("Stanford Alpaca")] = 0.0
    """Pull of the trained weights towards 0 (AdamW)."""
    optimizer: Annotated[
        Literal["adamw", "adamw-8bit"],
        Origin("measured: 0.46 s a step on CPU against 2.88 s in 8 bits, at 135M parameters"),
    ] = "adamw"
    """``adamw-8bit`` keeps a quarter of the optimizer state; worth it for ``full`` on a GPU."""
    max_gradient_norm: Annotated[
        float, Field(gt=0), Origin("the Trainer's; QLoRA, table 9 has 0.3")
    ] = 1.0
    """Longer gradients are scaled down to this length, so that one odd batch cannot ruin a run."""
    random_seed: Annotated[int, Field(ge=0, lt=2**32), Origin("any number does")] = 0
    """Decides adapter initialisation, dropout and the order of rows."""
    min_rows: Annotated[int, Field(ge=2), Origin("fewer are learned by heart")] = 10
    """Fewer training rows are refused: the student would only learn them by heart."""
    save_steps: Annotated[int, Field(ge=1), Origin("a few minutes of work at most on 2 cores")] = 50
    """Steps between the checkpoints that an interrupted run continues from. Raise it when writing
    them takes long (``full`` writes three times the model's size)."""
    sample_steps: Annotated[
        int | None, Origin("samples before the first and after the last step")
    ] = Field(default=None, ge=1)
    """Steps between the answers to a few fixed questions in both languages that the model card
    shows; None writes them before the first and after the last step only."""
    precision: Precision | None = None
    """Number format of the matrix products; weights that are trained stay fp32. None takes bf16
    where the processor computes in it (0.6 of the time), else fp32."""
    device: Device | None = None
    """``cuda`` or ``cpu``; None takes a GPU where there is one."""
    processes: Annotated[int, Field(ge=1, le=1024), Origin("one device")] = 1
    """Processes that train together, one a GPU (on CPU, over gloo). Each takes ``batch_size`` rows:
    a step holds ``processes`` times as many."""
    distribution: Annotated[
        Distribution, Origin("each process holds the whole student; the simplest that is exact")
    ] = "ddp"
    """How several processes share the work: ``ddp`` each holds the whole student; ``fsdp`` weights,
    gradients and optimizer states are spread over the GPUs, for students that fit on none alone."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads; None takes all. With 1, the same recipe gives the same bytes on a machine."""


class Hardware(NamedTuple):
    """What this machine offers for training."""

    device: Device
    computes_bf16: bool
    """In hardware; emulated bf16 is slower than fp32."""
    threads: int


class Settings(NamedTuple):
    """What the recipe left to the method and the machine, decided."""

    method: MethodRecipe
    precision: Precision
    threads: int
    device: Device
    gradient_checkpointing: bool


def resolve(recipe: Recipe, hardware: Hardware) -> Settings:
    """Decide what the recipe leaves open.

    Raises:
        RecipeError: A setting that the method does not have, settings that exclude each other, or
            a GPU or number format that this machine lacks.
    """
    device = recipe.device or hardware.device
    if device == "cuda" and hardware.device != "cuda":
        raise RecipeError(
            "device 'cuda' was asked for, but torch finds no GPU here (torch.cuda.is_available() "
            "is false). Leave device out to train on the CPU, or install a CUDA build of torch."
        )
    bf16 = hardware.computes_bf16 and device == hardware.device
    if recipe.precision == "bf16" and device == "cuda" and not bf16:
        raise RecipeError("precision 'bf16' was asked for, but this GPU lacks it. Use 'fp32'.")
    _check_combination(recipe)
    return Settings(
        method=method_recipe(recipe),
        precision=recipe.precision or ("bf16" if bf16 else "fp32"),
        threads=recipe.threads or max(1, hardware.threads // recipe.processes),
        device=device,
        # Recomputing activations saves GPU memory; on CPU it costs 1.20 of the time and memory is
        # not what runs out.
        gradient_checkpointing=device == "cuda",
    )


def method_recipe(recipe: Recipe) -> MethodRecipe:
    """Lay what the recipe names over the defaults of its method.

    Raises:
        RecipeError: It names a setting that its method does not have.
    """
    own = METHODS[recipe.method]
    named: dict[str, object] = {}
    for field in OF_METHODS:
        value: object = getattr(recipe, field)
        if value is None:
            continue
        if field not in own.model_fields:
            having = ", ".join(name for name, kind in METHODS.items() if field in kind.model_fields)
            raise RecipeError(
                f"{field} {value} was given, but method {recipe.method} has no {field}: leave it "
                f"out or choose one of {having}."
            )
        named[field] = value
    return own.model_validate(named)


def _check_combination(recipe: Recipe) -> None:
    if recipe.packing and recipe.method == "prompt_tuning":
        raise RecipeError(
            "packing puts several rows behind one start, and prompt_tuning trains that start for "
            "each row: leave packing out or choose another method."
        )
    if recipe.distribution == "fsdp" and recipe.processes == 1:
        raise RecipeError(
            "distribution 'fsdp' spreads a student over several processes, but processes is 1: "
            "raise processes to the number of GPUs."
        )


def decided_values(recipe: Recipe, settings: Settings) -> dict[str, JsonValue]:
    """Lay all hyperparameters out by name, the decided ones in place of the open ones."""
    decided = {
        **settings.method.model_dump(mode="json"),
        "precision": settings.precision,
        "threads": settings.threads,
        "device": settings.device,
    }
    asked = recipe.model_dump(mode="json")
    # Settings that only other methods have say nothing about this run.
    return {name: value for name, value in asked.items() if name not in OF_METHODS} | decided


def limit_length(recipe: Recipe, readable: int | None) -> int:
    """Decide the longest row in tokens.

    Args:
        recipe: May name a length.
        readable: Tokens that the student can read at most; None for no limit.

    Raises:
        RecipeError: The recipe names more than the student can read.
    """
    if recipe.max_length_tokens is None:
        return min(_USUAL_LENGTH, readable or _USUAL_LENGTH)
    if readable is not None and recipe.max_length_tokens > readable:
        raise RecipeError(
            f"max_length_tokens {recipe.max_length_tokens} was given, but the student reads at "
            f"most {readable} (max_position_embeddings in its config.json). Lower it, or choose "
            "another student."
        )
    return recipe.max_length_tokens


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
