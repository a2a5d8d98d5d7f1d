"""TRL's SFTTrainer with a loss that spends nothing on the prompt, and stops that are safe.

The loss is computed in ``training/finetuning/loss.py``, batches are laid out in ``batches.py``; all
else that a step does is TRL's and the Trainer's. A loss or gradient that is not a number ends the
run before it reaches the weights: those of the step before are saved, and the rows named.

This module imports torch and trl and is itself imported only when a run starts.
"""

from collections.abc import Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerBase
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from schemas.errors import PacaloomError
from training.finetuning.batches import (
    NO_ROW,
    Batches,
    EpochCallback,
    Sequences,
    StepSampler,
    blank,
)
from training.finetuning.checkpoints import last_checkpoint
from training.finetuning.contract.encoding import Example
from training.finetuning.distributed.ranks import any_of, gather
from training.finetuning.loss import add_labelled_loss, count_labelled
from training.finetuning.resumable import ResumableTrainer

_ROWS_NAMED = 8
"""More rows than these make no message better."""


class TrainingError(PacaloomError):
    """Training cannot go on."""


class StudentTrainer(ResumableTrainer, SFTTrainer):
    """SFTTrainer that spends nothing on positions without a label and stops at a broken loss."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401 (a transformers model, or one of peft's)
        args: SFTConfig,
        tokenizer: PreTrainedTokenizerBase,
        examples: Sequence[Example],
        sequences: Sequence[Sequences],
        *,
        packed: bool,
    ) -> None:
        """Take all that a run needs.

        Args:
            model: The student, its adapter attached.
            args: How to train.
            tokenizer: The student's.
            examples: The training rows.
            sequences: The same rows as they are trained on.
            packed: Whether a sequence holds several rows.
        """
        pad_token = int(tokenizer.pad_token_id)  # pyright: ignore[reportArgumentType] (load_tokenizer sets it)
        self._examples = examples
        self._padded = Batches(pad_token, packed=False)
        self._rows_of_step: list[int] = []
        super().__init__(
            model=model,
            args=args,
            data_collator=Batches(pad_token, packed=packed),
            train_dataset=Dataset.from_list([dict(one) for one in (*sequences, blank(pad_token))]),
            processing_class=tokenizer,
        )
        add_labelled_loss(model.get_base_model() if hasattr(model, "peft_config") else model)
        lengths = [len(one["input_ids"]) for one in sequences]
        rows_a_step = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
        together = args.train_batch_size * args.world_size if args.world_size > 1 else 1
        self._sampler = StepSampler(lengths, rows_a_step, args.seed, together)
        self.add_callback(EpochCallback(self._sampler))

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401 (whatever accelerate wrapped the student in)
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Compute the mean cross entropy over labelled positions, as TRL does.

        Args:
            model: The student.
            inputs: A batch of :class:`Batches`.
            return_outputs: Never asked for here: nothing needs the logits.
            num_items_in_batch: Labelled positions of all batches that make up one step.
        """
        labels = inputs["labels"]
        total = self._sum_loss(model, inputs)
        if num_items_in_batch is None:
            return total / count_labelled(labels)
        # The labelled positions of all processes were counted, but their gradients are averaged.
        return total / num_items_in_batch * self.accelerator.num_processes

    def training_step(
        self,
        model: Any,  # noqa: ANN401 (whatever accelerate wrapped the student in)
        inputs: dict[str, Any],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Do one forward and backward pass, and count the tokens of all processes' rows.

        Raises:
            TrainingError: The loss is not a number; weights are still those of the step before.
        """
        rows = [row for row in inputs["rows"].flatten().tolist() if row != NO_ROW]
        loss = super().training_step(model, inputs, num_items_in_batch)
        # The Trainer's own count takes a stop token for padding where both are the same token.
        self.state.num_input_tokens_seen += self._count_tokens(rows)
        is_broken = not torch.isfinite(loss)
        # All processes have to end at the same place, and the one with the rows names them.
        if any_of(is_broken):
            self._stop(
                f"loss became {loss.item() if is_broken else nan}", rows if is_broken else []
            )
        self._rows_of_step += rows
        return loss

    def _clip_grad_norm(self, model: Any) -> Any:  # noqa: ANN401 (the Trainer's)
        """Shorten the gradient, unless it is not finite: an optimizer step would spread that."""
        norm: Any = super()._clip_grad_norm(model)
        if not isfinite(norm):
            self._stop(f"gradient's length became {float(norm)}", self._rows_of_step)
        self._rows_of_step = []
        return norm

    def held_out_loss(self, rows: Sequence[Sequences]) -> float:
        """Compute the mean cross entropy in nats a token over all rows' labelled positions.

        The Trainer's own evaluation averages batch means, in which a short answer's token weighs
        more than a long one's.
        """
        model: Any = self.model
        model.eval()
        total, count = 0.0, 0
        size = self.args.per_device_train_batch_size
        # Rows of like length fill up no batch; the sum does not mind the order.
        ordered = sorted(rows, key=lambda row: -len(row["input_ids"]))
        # The Trainer sets autocast up when training begins; measured before it without and after
        # it with, the two losses would differ by bf16's rounding.
        autocast = torch.autocast(self.args.device.type, torch.bfloat16, enabled=self.args.bf16)
        with torch.no_grad(), autocast:
            for start in range(0, len(ordered), size):
                batch: Any = self._prepare_inputs(dict(self._padded(ordered[start : start + size])))
                total += self._sum_loss(model, batch).item()
                count += count_labelled(batch["labels"])
        model.train()
        return total / count

    def _send_telemetry(self) -> None:
        """Tell nobody; TRL would tell its makers which trainer runs on which machine."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (TRL's)
        """Write none: TRL's names no base for local students. The finished version gets ours."""

    def _get_train_sampler(self, train_dataset: object = None) -> StepSampler:
        return self._sampler

    def _set_signature_columns_if_needed(self) -> None:
        # All columns reach the collator, which knows what of them is the model's.
        self._signature_columns = list(Sequences.__annotations__)

    def _sum_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:  # noqa: ANN401
        own = {"labels", "rows"}
        others = {name: value for name, value in inputs.items() if name not in own}
        return model(**others, loss_labels=inputs["labels"]).loss

    def _count_tokens(self, rows: Sequence[int]) -> int:
        """Count the tokens of these rows and of those that other processes have; no padding."""
        own = sum(len(self._examples[row].input_ids) for row in rows)
        return sum(gather([own]))

    def _stop(self, what: str, rows: Sequence[int]) -> None:
        """Keep the weights, which are still those of the step before, and end the run.

        Raises:
            TrainingError: Always.
        """
        rows = gather(rows)
        names = [repr(self._examples[row].id) for row in rows[:_ROWS_NAMED]]
        others = f" and {len(rows) - _ROWS_NAMED} more" if len(rows) > _ROWS_NAMED else ""
        raise TrainingError(
            f"The {what} at step {self.state.global_step + 1} of {self.state.max_steps}, in rows "
            f"{', '.join(names)}{others}. {self._keep_weights()} The same recipe would meet it "
            "again: look at these rows, lower learning_rate (a tenth is a fair try), raise warmup, "
            "or set precision to fp32."
        )

    def _keep_weights(self) -> str:
        """Save the state before the broken step, unless it was saved then, and say where it is."""
        step = self.state.global_step
        if step == 0:
            return "No step was made, so the student is as it was."
        folder = Path(str(self.args.output_dir))
        checkpoint = folder / f"checkpoint-{step}"
        if last_checkpoint(folder) != checkpoint:
            self._save_checkpoint(self.model, None)
            self.control = self.callback_handler.on_save(self.args, self.state, self.control)
        return f"The weights after step {step}, the last good ones, are in {checkpoint}."
