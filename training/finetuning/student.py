"""The student before its first step: base weights as the method wants them, adapter attached."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from training.finetuning.quantization_guard import guard_quantized_layers
from training.finetuning.recipe import Recipe, Settings
from training.loading import four_bit, load_base, weights_sha256
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


def load_student(student: Student, recipe: Recipe, settings: Settings) -> LoadedStudent:
    """Load the base and attach what the method trains.

    Raises:
        ModelLoadError: The folder is absent or no checkpoint.
    """
    quantization = four_bit(settings.precision) if recipe.method == "qlora" else None
    base, tokenizer = load_base(student.path, quantization)
    if quantization is not None:
        guard_quantized_layers(base)
    model = base if recipe.method == "full" else _attach_adapter(base, recipe)
    return LoadedStudent(model, tokenizer, weights_sha256(student.path))


def _attach_adapter(base: "PreTrainedModel", recipe: Recipe) -> "PeftModel":
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(recipe.random_seed)
    config = LoraConfig(
        r=recipe.r,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        # All but the head: adapting every linear layer matters more than the rank (QLoRA, fig. 2).
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with quiet_libraries():
        return get_peft_model(base, config)
