"""Weights and states that FSDP has spread over the processes: each one's own part, and the whole.

A checkpoint of such a run holds the parts as they are, one file a process, so that nothing is
gathered and no process needs room for more than its part; the number of processes belongs to what
decides a run, so the same parts are there when it continues. Only the finished student is gathered.
Cost: of the parts none, of the whole one message of a weight's size for each weight.

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


def own_part(value: object) -> object:
    """Replace spread tensors, at any depth of dicts, lists and tuples, by this process's part."""
    if isinstance(value, DTensor):
        return value.to_local()
    if isinstance(value, dict):
        return {key: own_part(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(own_part(part) for part in value)
    return value


def give_back(model: torch.nn.Module) -> None:
    """Let each process hold its own parts only: a forward pass leaves the last layers whole."""
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def own_tensor(tensor: Tensor) -> Tensor:
    """Return this process's part of a tensor, which shares its memory."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """Gather a tensor on the CPU of every process; a meeting, as those in ``ranks.py``."""
    gathered = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return gathered.detach().cpu()


def spread_states(states: dict[str, object], optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """Make an optimizer's states of their parts, spread as the weights that they belong to."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    return {
        **states,
        "state": {
            index: {name: _like(value, weights[index]) for name, value in state.items()}
            for index, state in states["state"].items()
        },
    }


def _like(value: object, weight: Tensor) -> object:
    """Spread a part as its weight is; counters and the like belong to no part."""
    if not isinstance(weight, DTensor) or not isinstance(value, Tensor):
        return value
    if value.shape != weight.to_local().shape:
        return value
    part = value.to(weight.device)
    return DTensor.from_local(
        part, weight.device_mesh, weight.placements,
        run_check=False, shape=weight.shape, stride=weight.stride(),
    )  # fmt: skip


def gather_trained(model: torch.nn.Module) -> dict[str, Tensor] | None:
    """Gather what was trained of a spread student; None when none of it is spread.

    A meeting, as those in ``ranks.py``. Tied weights are there once, under their first name.
    """
    give_back(model)
    trained = {name: one for name, one in model.named_parameters() if one.requires_grad}
    if not any(isinstance(one, DTensor) for one in trained.values()):
        return None
    return {name: whole(one) for name, one in trained.items()}
