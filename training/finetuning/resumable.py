"""Checkpoints of a trainer without pickles, from which it continues to the same bytes.

transformers 5.23 writes optimizer, scheduler and generators with ``torch.save`` and its own
arguments as a pickle beside them, into the folder that a continued run would look into. Here only
what is trained is written, as safetensors and JSON (``tensor_trees.py``), into a hidden folder that
takes its name at the end (``checkpoints.py``). Cost of one with SmolLM2-135M: see
``benchmarks/resume.py``.

This module imports torch and transformers and is itself imported only when a run starts.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import Trainer, TrainerState

from training.finetuning.checkpoints import (
    CheckpointError,
    checkpoint_errors_named,
    finish_checkpoint,
    name_staged,
    stage_checkpoint,
)
from training.finetuning.tensor_trees import read_tree, write_tree

_WEIGHTS = "trained.safetensors"
_OPTIMIZER = "optimizer"
_SCHEDULER = "scheduler"
_RANDOM = "random"
_PROGRESS = "trainer_state.json"  # the Trainer reads it itself, under this name


class ResumableTrainer(Trainer):
    """Trainer whose checkpoints are whole or absent, hold no pickle, and lose no bit.

    Learning-rate schedule, order of rows and all generators continue where they were. Of several
    processes each keeps its own generators; weights and optimizer are the first one's, gathered
    tensor by tensor where each holds but a part of them (FSDP 2, whose parts are DTensors).
    """

    def restore_finished(self, checkpoint: Path) -> bool:
        """Take the trained weights of a run that was cut off after its last step.

        Returns:
            False: the checkpoint is of an earlier step, and nothing was done.
        """
        state = TrainerState.load_from_json(str(checkpoint / _PROGRESS))
        if state.global_step < state.max_steps:
            return False
        self._load_from_checkpoint(str(checkpoint))
        self.state = state
        return True

    def _save_checkpoint(self, model: object, trial: object) -> None:
        """Write a checkpoint in place of the Trainer's; after the last step without optimizer.

        Raises:
            CheckpointError: A trained weight is no number any more; the checkpoint before stays.
            StorageError: The disk does not take it; the checkpoint before stays.
        """
        run, step = Path(str(self.args.output_dir)), self.state.global_step
        is_main = bool(self.args.should_save)
        self._refuse_broken_weights()
        if is_main:
            stage_checkpoint(run, step)
        self.accelerator.wait_for_everyone()
        with checkpoint_errors_named(run):
            self._write_state(name_staged(run, step), is_main)
        self.accelerator.wait_for_everyone()
        if is_main:
            finish_checkpoint(run, step)
        self.accelerator.wait_for_everyone()

    def _write_state(self, staged: Path, is_main: bool) -> None:
        write_tree(staged, f"{_RANDOM}-{self.args.process_index}", _read_generators())
        weights = {name: gather(weight, is_main) for name, weight in self._trained_weights()}
        if is_main:
            save_file(weights, staged / _WEIGHTS)
        del weights
        if self.state.global_step < self.state.max_steps:
            optimizer, scheduler = self._made()
            gathered = _map_tensors(optimizer.state_dict(), lambda part: gather(part, is_main))
            if is_main:
                write_tree(staged, _OPTIMIZER, gathered)
                write_tree(staged, _SCHEDULER, scheduler.state_dict())
        if is_main:
            self.state.save_to_json(str(staged / _PROGRESS))

    def _trained_weights(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """Give every trained weight once, tied ones under their first name."""
        model: Any = self.model
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                yield name, weight

    def _refuse_broken_weights(self) -> None:
        for name, weight in self._trained_weights():
            if not torch.isfinite(_own_part(weight)).all():
                raise CheckpointError(
                    f"After step {self.state.global_step} the weight {name} holds values that are "
                    "no numbers, so the checkpoint before is kept. Lower learning_rate (a tenth is "
                    "a fair try), raise warmup, or set precision to fp32."
                )

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: object = None) -> None:
        """Take the trained weights of a checkpoint.

        Raises:
            CheckpointError: It holds weights of other names or shapes.
        """
        path = Path(resume_from_checkpoint) / _WEIGHTS
        weights = dict(self._trained_weights())
        with safe_open(path, framework="pt", device="cpu") as file, torch.no_grad():
            held = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            if held != {name: tuple(weight.shape) for name, weight in weights.items()}:
                raise CheckpointError(
                    f"{path} holds other weights than this student trains: {len(held)} against "
                    f"{len(weights)}. Remove {path.parent.parent} to start anew."
                )
            # One at a time, so that no second copy of all weights is ever in memory.
            for name, weight in weights.items():
                weight.copy_(share_out(file.get_tensor(name), weight))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        optimizer, scheduler = self._made()
        state: Any = read_tree(Path(checkpoint), _OPTIMIZER)
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        for index, of_weight in state["state"].items():
            state["state"][index] = _map_tensors(
                of_weight, partial(share_out, weight=weights[index])
            )
        optimizer.load_state_dict(state)
        scheduler.load_state_dict(read_tree(Path(checkpoint), _SCHEDULER))

    def _made(self) -> tuple[Any, Any]:
        """Give optimizer and scheduler, which the Trainer declares optional, as they now are."""
        return self.optimizer, self.lr_scheduler

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            _set_generators(read_tree(Path(checkpoint), f"{_RANDOM}-{self.args.process_index}"))


def gather(tensor: torch.Tensor, is_kept: bool) -> torch.Tensor:
    """Bring the parts of a tensor together; all processes have to call it in the same order.

    Returns:
        The whole tensor, on the CPU where it was spread; an empty one where it is not kept.
    """
    tensor = tensor.detach()
    if isinstance(tensor, DTensor):
        tensor = tensor.full_tensor()
        tensor = tensor.cpu() if is_kept else tensor
    return tensor.contiguous() if is_kept else torch.empty(0)


def share_out(tensor: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Give this process its part of a whole tensor that belongs to a weight spread over many."""
    if isinstance(weight, DTensor) and tensor.shape == weight.shape:
        there = tensor.to(weight.device_mesh.device_type)
        return distribute_tensor(there, weight.device_mesh, weight.placements)
    return tensor


def _own_part(weight: torch.Tensor) -> torch.Tensor:
    return weight.to_local() if isinstance(weight, DTensor) else weight


def _map_tensors(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:  # noqa: ANN401
    """Change every tensor in nested dicts, lists and tuples; a shared one stays shared."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: _map_tensors(part, change) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_map_tensors(part, change) for part in value)
    return value


def _read_generators() -> dict[str, object]:
    """Read the states of all generators that training draws from."""
    name, keys, position, has_gauss, gauss = numpy.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys), position, has_gauss, gauss),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _set_generators(states: Any) -> None:  # noqa: ANN401 (as read from JSON)
    random.setstate(states["python"])
    name, keys, *rest = states["numpy"]
    numpy.random.set_state((name, keys.numpy(), *rest))
    torch.set_rng_state(states["torch"])
    if torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
