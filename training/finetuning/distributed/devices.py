"""Which shipped configuration of accelerate a run takes, and which runs are refused beforehand."""

from pathlib import Path

from training.finetuning.recipe import Device, Recipe, RecipeError

CONFIGURATIONS = Path(__file__).parent / "configurations"


def choose_configuration(recipe: Recipe, device: Device) -> Path:
    """Choose by distribution, method and device."""
    if recipe.distribution == "ddp":
        name = "ddp" if device == "cuda" else "ddp-cpu"
    else:
        name = "fsdp-qlora" if recipe.method == "qlora" else "fsdp"
    return CONFIGURATIONS / f"{name}.yaml"


def check_devices(recipe: Recipe, device: Device, gpus: int) -> None:
    """Refuse more processes than there are GPUs, and what FSDP cannot spread.

    Args:
        recipe: How many processes it asks for, and how they share the work.
        device: The one that was decided on.
        gpus: How many torch finds.

    Raises:
        RecipeError: The recipe asks for what this machine or FSDP does not have.
    """
    if device == "cuda" and recipe.processes > gpus:
        raise RecipeError(
            f"processes {recipe.processes} was given, one a GPU, but torch finds {gpus} here "
            "(torch.cuda.device_count()). Lower processes, or set device to cpu for a rehearsal."
        )
    if recipe.distribution == "fsdp" and recipe.optimizer == "adamw-8bit":
        raise RecipeError(
            "optimizer 'adamw-8bit' was given with distribution 'fsdp', but its kernels take no "
            "spread weights. Take 'adamw', whose states FSDP spreads over the GPUs, or 'ddp'."
        )


def count_gpus() -> int:
    """Count the GPUs of this machine; imports torch."""
    import torch

    return torch.cuda.device_count()
