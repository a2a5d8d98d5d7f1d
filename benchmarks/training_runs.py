"""One training run of a benchmark in a process of its own: ours, or TRL's SFTTrainer alike.

Both get the same tokens, labels, rows a step, learning rate and schedule; TRL's side is what
``trl.scripts.sft`` does with these settings: a model from its checkpoint, a ``LoraConfig``, an
``SFTConfig``, ``SFTTrainer``. TRL's rows come in the order in which ours are drawn, so that step
by step both see the same ones. The last line printed is a :class:`Report`.

    .venv/bin/python -m benchmarks.training_runs '["ours", "lora", "smollm2-135m", 2, 8]'
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import BaseModel

from embedded.fetch import fetch_model
from embedded.models import find_model
from embedded.student import prepare_student
from flows.settings import read_settings
from schemas.manifest import Method
from training.finetuning.contract.encoding import Example
from training.finetuning.data import Row
from training.finetuning.recipe import Recipe, Settings, read_hardware, resolve

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ROOT = Path(__file__).parents[1]
Side = Literal["ours", "packed", "trl", "trl-packed", "gradients"]
_LIMIT = 1024


class Run(NamedTuple):
    """What a process of its own is to do."""

    side: Side
    method: Method
    student: str
    steps: int
    """0 for as many as see each row once."""
    rows: int
    """A step; with ``steps`` 0, in all."""
    length: int = _LIMIT
    """Longest sequence of packed rows, in tokens."""

    @property
    def is_packed(self) -> bool:
        return self.side.endswith("packed")


class Report(BaseModel):
    """What one run took and came to."""

    tokens: int
    """Of the rows trained on, without padding."""
    cpu_s: float
    wall_s: float
    peak_mb: float
    losses: tuple[float, ...]


class GradientReport(BaseModel):
    """Our gradients of one batch against TRL's."""

    losses: tuple[float, float]
    """Ours and TRL's."""
    difference: float
    """Length of the difference of both gradients, relative to the length of TRL's."""


def run_apart(run: Run) -> Report | GradientReport:
    """Do a run in a process of its own, at one thread.

    Raises:
        RuntimeError: It failed; with the end of what it said.
    """
    command = [sys.executable, "-W", "ignore", "-m", __name__, json.dumps(run)]
    own = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "MALLOC_ARENA_MAX": "1"}
    environment = {**os.environ, **own}  # noqa: TID251 (a child process of a benchmark)
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{run}: {ended.stderr[-2000:]}")
    kind = GradientReport if run.side == "gradients" else Report
    return kind.model_validate_json(ended.stdout.strip().rpartition("\n")[2])


def main(run: Run) -> None:
    """Do a run here and print its report."""
    import torch

    from training.quiet import quiet_libraries

    torch.set_num_threads(1)
    recipe = Recipe(
        method=run.method,
        # A packed sequence holds about as much as a batch of padded rows.
        batch_size=1 if run.is_packed else 4,
        gradient_accumulation=run.rows // 4 if run.steps else 4,
        max_steps=run.steps or None,
        epochs=1,
        packing=run.is_packed,
        max_length_tokens=run.length,
        # In bf16 two right gradients differ by their rounding.
        precision="fp32" if run.side == "gradients" else None,
        threads=1,
    )
    settings = resolve(recipe, read_hardware())
    with quiet_libraries(), tempfile.TemporaryDirectory() as folder:
        do = {"ours": _train, "packed": _train, "gradients": _compare}.get(run.side, _train_trl)
        report = do(run, recipe, settings, Path(folder))
    print(report.model_dump_json())


def _train(run: Run, recipe: Recipe, settings: Settings, folder: Path) -> Report:
    from training.finetuning.assembly import build_trainer
    from training.finetuning.student import Student, load_student

    loaded = load_student(Student(run.student, _checkpoint(run.student)), recipe, settings)
    examples = _read_examples(run, loaded.tokenizer)
    trainer = build_trainer(folder, loaded, examples, recipe, settings)
    return _measure(trainer, examples)


def _train_trl(run: Run, recipe: Recipe, settings: Settings, folder: Path) -> Report:
    trainer, examples = _build_trl(run, recipe, settings, folder)
    return _measure(trainer, examples)


def _build_trl(
    run: Run, recipe: Recipe, settings: Settings, folder: Path
) -> tuple[Any, list[Example]]:
    """Do as trl.scripts.sft does, with the recipe's settings."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from training.base_model import four_bit
    from training.finetuning.batches import StepSampler

    path = _checkpoint(run.student)
    tokenizer: Any = AutoTokenizer.from_pretrained(path)
    quantization = four_bit(settings.precision) if run.method == "qlora" else None
    model = AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32, quantization_config=quantization
    )
    lora: Any = settings.method
    peft_config = None
    if run.method != "full":
        peft_config = LoraConfig(
            r=lora.r, lora_alpha=lora.alpha, target_modules="all-linear", task_type="CAUSAL_LM"
        )
    examples = _read_examples(run, tokenizer)
    order = StepSampler([0] * len(examples), len(examples), recipe.random_seed)
    arguments = SFTConfig(
        output_dir=str(folder),
        max_steps=recipe.max_steps or -1,
        num_train_epochs=recipe.epochs,
        packing=recipe.packing,
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        learning_rate=lora.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup,
        seed=recipe.random_seed,
        bf16=settings.precision == "bf16",
        use_cpu=True,
        gradient_checkpointing=False,
        max_length=recipe.max_length_tokens if recipe.packing else None,
        train_sampling_strategy="sequential",
        save_strategy="no",
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
    )
    rows = [{"input_ids": examples[i].input_ids, "labels": examples[i].labels} for i in order]
    trainer = SFTTrainer(
        model,
        arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=peft_config,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer, examples


def _measure(trainer: Any, examples: Sequence[Example]) -> Report:  # noqa: ANN401 (either side's)
    from training.finetuning.memory.measuring import read_peak_mb, reset_peak

    reset_peak("cpu")
    wall, cpu = time.perf_counter(), time.process_time()
    trainer.train()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Report(
        tokens=sum(len(example.input_ids) for example in examples),
        cpu_s=cpu,
        wall_s=wall,
        peak_mb=read_peak_mb("cpu"),
        losses=tuple(entry["loss"] for entry in trainer.state.log_history if "loss" in entry),
    )


def _compare(run: Run, recipe: Recipe, settings: Settings, folder: Path) -> GradientReport:
    """Compute one batch's gradients both ways, in the same model."""
    import torch

    from training.finetuning.loss import add_labelled_loss, count_labelled

    trainer, _ = _build_trl(run, recipe, settings, folder)
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            # TRL's bf16 adapters would round the comparison; and B is zero before the first step.
            parameter.data = parameter.data.float()
            if parameter.dim() > 1 and not parameter.any():
                torch.nn.init.normal_(parameter.data, std=0.01)
    batch = next(iter(trainer.get_train_dataloader()))
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bf16")

    def differentiate(loss: torch.Tensor) -> torch.Tensor:
        loss.backward()
        found = [p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None]
        trainer.model.zero_grad()
        return torch.cat(found)

    with autocast:
        theirs = trainer.compute_loss(trainer.model, dict(batch))
    expected = differentiate(theirs)
    add_labelled_loss(trainer.model if run.method == "full" else trainer.model.get_base_model())
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    with autocast:
        total = trainer.model(**inputs, loss_labels=batch["labels"]).loss
    ours = total / count_labelled(batch["labels"])
    difference = (differentiate(ours) - expected).norm() / expected.norm()
    return GradientReport(losses=(ours.item(), theirs.item()), difference=difference.item())


def _read_examples(run: Run, tokenizer: "PreTrainedTokenizerBase") -> list[Example]:
    """Take as many seed tasks as the steps hold."""
    from training.finetuning.contract.encoding import tokenize_rows
    from training.templating import find_template

    rows = list(_read_rows((ROOT / "seeds" / "en.jsonl").open(encoding="utf-8")))
    examples = tokenize_rows(rows, find_template("instruction", tokenizer), tokenizer)
    fitting = [example for example in examples if len(example.input_ids) <= run.length]
    return fitting[: run.rows * (run.steps or 1)]


def _read_rows(lines: Iterable[str]) -> Iterable[Row]:
    for line in lines:
        task: dict[str, str] = json.loads(line)
        yield Row(task["id"], task["instruction"], task["input"], task["output"], "en")


def _checkpoint(name: str) -> Path:
    settings = read_settings()
    model = find_model(name)
    gguf = fetch_model(model, settings.cache, accepted_terms=settings.terms)
    return prepare_student(model, gguf, settings.cache)


if __name__ == "__main__":
    main(Run(*json.loads(sys.argv[1])))
