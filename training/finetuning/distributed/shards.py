"""Weights that FSDP has spread over the processes: whether they are, and the whole of them.

Cost of the whole: one message of a weight's size for each weight.

This module imports torch and is itself imported only when a run starts.
"""

import torch
from torch import Tensor
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from transformers import Trainer

from schemas.errors import PacaloomError
from training.finetuning.recipe import Recipe


class NotSpreadError(PacaloomError):
    """A student should be spread over the processes, and would not be."""


def check_spread(trainer: Trainer, recipe: Recipe) -> None:
    """Make sure that FSDP is on when it was asked for; otherwise each process would hold all.

    Raises:
        NotSpreadError: accelerate has not taken the configuration that it was given.
    """
    if recipe.distribution == "fsdp" and not trainer.is_fsdp_enabled:
        raise NotSpreadError(
            "distribution 'fsdp' was asked for, but accelerate has not turned FSDP on in this "
            "process. Start the run with ./pacaloom finetune, which starts the processes itself."
        )


def give_back(model: torch.nn.Module) -> None:
    """Let each process hold its own parts only: a forward pass leaves the last layers whole."""
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def _whole(tensor: Tensor) -> Tensor:
    """Gather a tensor on the CPU of every process."""
    gathered = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return gathered.detach().cpu()


def gather_trained(model: torch.nn.Module) -> dict[str, Tensor] | None:
    """Gather what was trained of a spread student; None when none of it is spread.

    A meeting, as those in ``ranks.py``. Tied weights are there once, under their first name.
    """
    give_back(model)
    trained = {name: one for name, one in model.named_parameters() if one.requires_grad}
    if not any(isinstance(one, DTensor) for one in trained.values()):
        return None
    return {name: _whole(one) for name, one in trained.items()}
