from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from schemas.manifest import Method
from training.finetuning.contract.encoding import IGNORED, tokenize_rows
from training.finetuning.data import Row
from training.finetuning.recipe import Hardware, Recipe, resolve
from training.finetuning.student import Student, load_student
from training.templating import find_template

MakeRows = Callable[[int], Sequence[Any]]
CPU = Hardware("cpu", computes_bf16=False, threads=1)


def build(folder: Path, run: Path, method: Method, rows: Sequence[Any]) -> tuple[Any, Any]:
    """Give our trainer on the tiny llama, and the examples."""
    from training.finetuning.assembly import build_trainer

    recipe = Recipe(method=method, gradient_accumulation=2)
    settings = resolve(recipe, CPU)
    loaded = load_student(Student("tiny", folder), recipe, settings)
    named = [Row(str(index), *row) for index, row in enumerate(rows)]
    template = find_template("instruction", loaded.tokenizer)
    examples = tokenize_rows(named, template, loaded.tokenizer)
    return build_trainer(run, loaded, examples, recipe, settings), examples


def test_held_out_loss_weighs_each_token_the_same_whatever_the_batches(
    tiny_llama: Path, tmp_path: Path, make_rows: MakeRows
) -> None:
    import torch

    from training.finetuning.assembly import as_columns

    trainer, examples = build(tiny_llama, tmp_path, "full", make_rows(6))
    trainer.model.eval()
    # By hand, one row at a time: the log-probability of each labelled token, no padding anywhere.
    total, count = 0.0, 0
    for row in examples:
        with torch.no_grad():
            logits = trainer.model(input_ids=torch.tensor([row.input_ids])).logits[0]
        log_probabilities = torch.log_softmax(logits, dim=-1)
        for position, label in enumerate(row.labels):
            if label != IGNORED:
                total -= log_probabilities[position - 1, label].item()
                count += 1

    assert trainer.held_out_loss(as_columns(examples)) == pytest.approx(total / count, rel=1e-5)


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_adapters_are_trained_in_fp32(
    tiny_llama: Path, tmp_path: Path, make_rows: MakeRows, method: Method
) -> None:
    import torch

    trainer, _ = build(tiny_llama, tmp_path, method, make_rows(4))

    kinds = {p.dtype for p in trainer.model.parameters() if p.requires_grad}
    assert kinds == {torch.float32}


def test_a_loss_that_is_not_a_number_stops_training_before_the_step(
    tiny_llama: Path, tmp_path: Path, make_rows: MakeRows
) -> None:
    import torch

    from training.finetuning.trainer import TrainingError

    trainer, _ = build(tiny_llama, tmp_path, "full", make_rows(4))
    with torch.no_grad():
        trainer.model.model.norm.weight.fill_(float("inf"))
    untouched = trainer.model.model.layers[0].mlp.up_proj.weight.clone()

    with pytest.raises(TrainingError, match="loss became nan at step 1") as info:
        trainer.train()

    assert "learning_rate" in str(info.value)
    assert torch.equal(trainer.model.model.layers[0].mlp.up_proj.weight, untouched)
