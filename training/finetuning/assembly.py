"""Put student, rows and recipe into TRL's hands: every setting that differs from its defaults.

This module imports trl and is itself imported only when a run starts.
"""

from collections.abc import Sequence
from pathlib import Path

from datasets import Dataset
from transformers import PrinterCallback
from trl.trainer.sft_config import SFTConfig

from training.finetuning.contract.encoding import Example
from training.finetuning.recipe import Recipe, Settings
from training.finetuning.student import LoadedStudent
from training.finetuning.trainer import StudentTrainer


def build_trainer(
    run: Path,
    loaded: LoadedStudent,
    examples: Sequence[Example],
    recipe: Recipe,
    settings: Settings,
) -> StudentTrainer:
    """Make the trainer of a run; checkpoints go to the run's folder."""
    trainer = StudentTrainer(
        model=loaded.model,
        args=_describe_run(run, recipe, settings),
        train_dataset=Dataset.from_list(as_columns(examples)),
        processing_class=loaded.tokenizer,
    )
    trainer.remove_callback(PrinterCallback)  # It prints on standard output.
    for parameter in loaded.model.parameters():
        if parameter.requires_grad:
            # TRL casts QLoRA adapters to bf16, which a checkpoint does not keep: a continued run
            # would train fp32 adapters and end elsewhere than an undisturbed one.
            parameter.data = parameter.data.float()
    return trainer


def _describe_run(run: Path, recipe: Recipe, settings: Settings) -> SFTConfig:
    return SFTConfig(
        output_dir=str(run),
        num_train_epochs=recipe.epochs,
        max_steps=recipe.max_steps or -1,
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        learning_rate=settings.method.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup,  # below 1 it is a share of all steps
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_gradient_norm,
        optim={"adamw": "adamw_torch", "adamw-8bit": "adamw_bnb_8bit"}[recipe.optimizer],
        seed=recipe.random_seed,
        data_seed=recipe.random_seed,
        bf16=settings.precision == "bf16",
        use_cpu=settings.device == "cpu",
        activation_checkpointing=settings.gradient_checkpointing,
        max_length=None,  # The contract has seen to it; TRL would cut rows in silence.
        save_strategy="steps",
        save_steps=recipe.save_steps,
        save_total_limit=2,  # The newest may be half written when the run is killed.
        eval_strategy="no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=settings.device == "cuda",
    )


def as_columns(examples: Sequence[Example]) -> list[dict[str, list[int]]]:
    """Lay examples out in the columns that TRL takes as tokenized already."""
    return [{"input_ids": row.input_ids, "labels": row.labels} for row in examples]
