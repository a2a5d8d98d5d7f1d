"""Checkpoints of a trainer without pickles, from which it continues to the same bytes.

transformers 5.23 writes optimizer, scheduler and generators with ``torch.save`` and its own
arguments as a pickle beside them, into the folder that a continued run would look into. Here only
what is trained is written, as safetensors and JSON (``tensor_trees.py``), into a hidden folder that
takes its name at the end (``checkpoints.py``). Cost of one with SmolLM2-135M: see
``benchmarks/resume.py``.

This module imports torch and transformers and is itself imported only when a run starts.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import torch
from safetensors import safe_open
from safetensors.torch import save_file
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

    One device, and several whose processes each hold the whole student (DDP). The learning-rate
    schedule, the order of rows and all generators continue where they were.
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
        if is_main:
            self._refuse_broken_weights()
            stage_checkpoint(run, step)
        self.accelerator.wait_for_everyone()
        with checkpoint_errors_named(run):
            staged = name_staged(run, step)
            write_tree(staged, f"{_RANDOM}-{self.args.process_index}", _read_generators())
            if is_main:
                self._write_state(staged)
        self.accelerator.wait_for_everyone()
        if is_main:
            finish_checkpoint(run, step)
        self.accelerator.wait_for_everyone()

    def _write_state(self, staged: Path) -> None:
        save_file(
            {name: weight.detach().contiguous() for name, weight in self._trained_weights()},
            staged / _WEIGHTS,
        )
        if self.state.global_step < self.state.max_steps:
            write_tree(staged, _OPTIMIZER, self.optimizer.state_dict())
            write_tree(staged, _SCHEDULER, self.lr_scheduler.state_dict())
        self.state.save_to_json(str(staged / _PROGRESS))

    def _trained_weights(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """Give every trained weight once, tied ones under their first name."""
        model: Any = self.model
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                yield name, weight

    def _refuse_broken_weights(self) -> None:
        for name, weight in self._trained_weights():
            if not torch.isfinite(weight).all():
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
                weight.copy_(file.get_tensor(name))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self.optimizer.load_state_dict(read_tree(Path(checkpoint), _OPTIMIZER))
            self.lr_scheduler.load_state_dict(read_tree(Path(checkpoint), _SCHEDULER))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            _set_generators(read_tree(Path(checkpoint), f"{_RANDOM}-{self.args.process_index}"))


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
