"""The student before its first step: base weights as the method wants them, adapter attached."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from training.base_model import four_bit, load_tokenizer, load_weights, weights_sha256
from training.finetuning.memory.trimming import trim_between_blocks, trim_memory
from training.finetuning.methods import (
    DoraRecipe,
    FullRecipe,
    MethodRecipe,
    PromptTuningRecipe,
)
from training.finetuning.recipe import Recipe, Settings
from training.quantization_guard import guard_quantized_layers
from training.quiet import quiet_libraries

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Student(NamedTuple):
    """The model that is to be tuned."""

    name: str
    """As the user named it: an embedded model's name, a hub id or a path."""
    path: Path
    """Hugging Face checkpoint folder with safetensors weights."""


class LoadedStudent(NamedTuple):
    """A student with all that training needs."""

    model: "PreTrainedModel | PeftModel"
    tokenizer: "PreTrainedTokenizerBase"
    sha256: str
    """Over the base weights."""


def load_student(
    student: Student,
    recipe: Recipe,
    settings: Settings,
    tokenizer: "PreTrainedTokenizerBase | None" = None,
) -> LoadedStudent:
    """Load the base and attach what the method trains.

    Args:
        student: The base.
        recipe: How to tune.
        settings: What the recipe left open, decided.
        tokenizer: The student's, where rows were tokenized before; None loads it.

    Raises:
        ModelLoadError: The folder is absent, or no student.
    """
    spread = recipe.distribution == "fsdp"
    quantization = four_bit(settings.precision, spread=spread) if recipe.method == "qlora" else None
    base = load_weights(student.path, quantization)
    if quantization is not None:
        guard_quantized_layers(base)
    if settings.device == "cpu":
        trim_memory()
        trim_between_blocks(base)
    model = _attach(base, settings.method, recipe.random_seed)
    tokenizer = tokenizer or load_tokenizer(student.path)
    return LoadedStudent(model, tokenizer, weights_sha256(student.path))


def _attach(
    base: "PreTrainedModel", method: MethodRecipe, random_seed: int
) -> "PreTrainedModel | PeftModel":
    """Attach what the method trains; full finetuning trains the base itself."""
    import torch
    from peft import LoraConfig, PromptTuningConfig, get_peft_model

    if isinstance(method, FullRecipe):
        return base
    if isinstance(method, PromptTuningRecipe):
        config = PromptTuningConfig(num_virtual_tokens=method.virtual_tokens, task_type="CAUSAL_LM")
    else:
        config = LoraConfig(
            r=method.r,
            lora_alpha=method.alpha,
            lora_dropout=method.dropout,
            target_modules=method.target_modules,
            use_dora=isinstance(method, DoraRecipe),
            task_type="CAUSAL_LM",
        )
    torch.manual_seed(random_seed)
    with quiet_libraries():
        return get_peft_model(base, config)
