"""TRL's SFTTrainer with the loss computed at labelled positions only, and stops that are safe.

TRL 1.16 projects every position onto the vocabulary on CPU and throws the prompt's away. Here a
hook on the head lets only labelled positions through: the model's own forward does the rest (soft
caps, scales), and loss and gradients are TRL's within rounding (a test compares them). CPU seconds
for forward and backward at one thread, SmolLM2-135M, 4 rows of 150 tokens with 80 labelled:

    ==============  =====  =====
    QLoRA, compute  TRL    here
    ==============  =====  =====
    bf16            3.44   2.06
    fp32            6.22   4.76
    ==============  =====  =====

This module imports torch and trl and is itself imported only when a run starts.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from trl.trainer.sft_trainer import SFTTrainer

from schemas.errors import PacaloomError
from training.finetuning.contract.encoding import IGNORED
from training.finetuning.resumable import ResumableTrainer


class TrainingError(PacaloomError):
    """Training cannot go on."""


class StudentTrainer(ResumableTrainer, SFTTrainer):
    """SFTTrainer that spends nothing on positions without a label and stops at a broken loss."""

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
            inputs: ``input_ids``, ``attention_mask`` and ``labels``, each (batch, seq).
            return_outputs: Never asked for here: nothing needs the logits.
            num_items_in_batch: Labelled positions of all batches that make up one step.
        """
        total, count = self._sum_loss(model, inputs)
        return total / (count if num_items_in_batch is None else num_items_in_batch)

    def training_step(
        self,
        model: Any,  # noqa: ANN401 (whatever accelerate wrapped the student in)
        inputs: dict[str, Any],
        *args: Any,  # noqa: ANN401 (the Trainer's)
    ) -> torch.Tensor:
        """Do one forward and backward pass, and count the tokens of all processes' rows.

        Raises:
            TrainingError: The loss is not a number; weights are still those of the step before.
        """
        loss = super().training_step(model, inputs, *args)
        # The Trainer's own count takes a stop token for padding where both are the same token.
        self.state.num_input_tokens_seen += self._count_tokens(inputs)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss.item()} at step {self.state.global_step + 1}. Lower "
                "learning_rate (a tenth is a fair try), raise warmup, or set precision to fp32."
            )
        return loss

    def held_out_loss(self, rows: Sequence[dict[str, list[int]]]) -> float:
        """Compute the mean cross entropy in nats a token over all rows' labelled positions.

        The Trainer's own evaluation averages batch means, in which a short answer's token weighs
        more than a long one's.
        """
        model: Any = self.model
        model.eval()
        total, count = 0.0, 0
        size = self.args.per_device_train_batch_size
        # The Trainer sets autocast up when training begins; measured before it without and after
        # it with, the two losses would differ by bf16's rounding.
        autocast = torch.autocast(self.args.device.type, torch.bfloat16, enabled=self.args.bf16)
        with torch.no_grad(), autocast:
            for start in range(0, len(rows), size):
                batch = self.data_collator(list(rows[start : start + size]))
                batch_total, batch_count = self._sum_loss(model, self._prepare_inputs(batch))
                total += batch_total.item()
                count += batch_count
        model.train()
        return total / count

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (TRL's)
        """Write none: TRL's names no base for local students. The finished version gets ours."""

    def _count_tokens(self, inputs: dict[str, Any]) -> int:
        """Count tokens that are no padding; packed rows come without a mask and have none."""
        mask = inputs.get("attention_mask")
        own = inputs["input_ids"].numel() if mask is None else mask.sum().item()
        counts = torch.tensor([own], device=self.args.device)
        return int(self.accelerator.gather(counts).sum().item())

    def _sum_loss(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, int]:  # noqa: ANN401
        labels = inputs["labels"]
        # Position t predicts token t + 1, so the last position predicts nothing.
        labelled = torch.zeros_like(labels, dtype=torch.bool)
        labelled[:, :-1] = labels[:, 1:] != IGNORED
        targets = labels[:, 1:][labelled[:, :-1]]
        others = {name: value for name, value in inputs.items() if name != "labels"}
        with _head_sees_only(self.model, labelled):
            logits = model(**others, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
        return loss, targets.numel()


@contextmanager
def _head_sees_only(model: Any, positions: torch.Tensor) -> Generator[None]:  # noqa: ANN401
    """Let only the marked positions, a (batch, seq) mask, into the projection on the vocabulary."""
    head = model.get_output_embeddings()
    hook = head.register_forward_pre_hook(lambda _, hidden: (hidden[0][positions],))
    try:
        yield
    finally:
        hook.remove()
