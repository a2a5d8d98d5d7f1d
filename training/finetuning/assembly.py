"""Put student, rows and recipe into TRL's hands: every setting that differs from its defaults.

This module imports trl and is itself imported only when a run starts.
"""

from collections.abc import Sequence
from pathlib import Path

from transformers import PrinterCallback
from trl.trainer.sft_config import SFTConfig

from training.finetuning.batches import Sequences, lay_out
from training.finetuning.contract.batch_check import check_batches
from training.finetuning.contract.encoding import Example
from training.finetuning.packing import pack_rows, probe_packing
from training.finetuning.recipe import Recipe, Settings, limit_length
from training.finetuning.student import LoadedStudent
from training.finetuning.trainer import StudentTrainer


def build_trainer(
    run: Path,
    loaded: LoadedStudent,
    examples: Sequence[Example],
    recipe: Recipe,
    settings: Settings,
    report_to: tuple[str, ...] = (),
) -> StudentTrainer:
    """Make the trainer of a run; checkpoints and logs go to the run's folder.

    Args:
        run: The run's folder.
        loaded: The student.
        examples: The training rows.
        recipe: How to tune.
        settings: What the recipe left open, decided.
        report_to: Trackers by the Trainer's names (``tensorboard``, ``trackio``, ``mlflow``, …).

    Raises:
        PackingError: Packed rows see each other in this student.
        ContractError: The batches hold something else than the rows that were checked.
    """
    sequences = as_columns(examples)
    if recipe.packing:
        lengths = [len(example.input_ids) for example in examples]
        packs = pack_rows(
            lengths, limit_length(recipe, loaded.model.config.max_position_embeddings)
        )
        sequences = lay_out(examples, packs)
        # Multiplied in fp32 here, whatever the run does; only 4-bit weights bring their own type.
        rounded = recipe.method == "qlora" and settings.precision == "bf16"
        pad_token = int(loaded.tokenizer.pad_token_id)  # pyright: ignore[reportArgumentType] (load_tokenizer sets it)
        probe_packing(loaded.model, examples, packs, pad_token, rounded=rounded)
    trainer = StudentTrainer(
        loaded.model,
        _describe_run(run, recipe, settings, report_to),
        loaded.tokenizer,
        examples,
        sequences,
        packed=recipe.packing,
    )
    check_batches(trainer.data_collator, sequences, examples, recipe.batch_size)
    trainer.remove_callback(PrinterCallback)  # It prints on standard output.
    for parameter in loaded.model.parameters():
        if parameter.requires_grad:
            # TRL casts QLoRA adapters to bf16, which a checkpoint does not keep: a continued run
            # would train fp32 adapters and end elsewhere than an undisturbed one.
            parameter.data = parameter.data.float()
    return trainer


def _describe_run(
    run: Path, recipe: Recipe, settings: Settings, report_to: tuple[str, ...]
) -> SFTConfig:
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
        optim={"adamw": "adamw_torch_fused", "adamw-8bit": "adamw_bnb_8bit"}[recipe.optimizer],
        seed=recipe.random_seed,
        data_seed=recipe.random_seed,
        bf16=settings.precision == "bf16",
        use_cpu=settings.device == "cpu",
        activation_checkpointing=settings.gradient_checkpointing,
        max_length=None,  # The contract has seen to it; TRL would cut rows in silence.
        save_strategy="steps",
        save_steps=recipe.save_steps,
        eval_strategy="no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to=list(report_to) or "none",
        disable_tqdm=True,
        dataloader_pin_memory=settings.device == "cuda",
    )


def as_columns(examples: Sequence[Example]) -> list[Sequences]:
    """Lay examples out in the columns that the trainer takes, one row a sequence."""
    return lay_out(examples, [[row] for row in range(len(examples))])
