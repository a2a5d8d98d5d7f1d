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
    assert "No step was made" in str(info.value)
    assert torch.equal(trainer.model.model.layers[0].mlp.up_proj.weight, untouched)
    assert not list(tmp_path.glob("checkpoint-*"))


def build_small_steps(
    folder: Path, run: Path, rows: Sequence[Any], poisoned: int, packing: bool
) -> Any:
    """Give a trainer of two sequences a step; the first token of one row is worth nothing."""
    import torch

    from training.finetuning.assembly import build_trainer

    recipe = Recipe(
        method="lora",
        batch_size=2,
        gradient_accumulation=1,
        epochs=1,
        packing=packing,
        max_length_tokens=160,
    )
    settings = resolve(recipe, CPU)
    loaded = load_student(Student("tiny", folder), recipe, settings)
    named = [Row(f"row-{index}", *row) for index, row in enumerate(rows)]
    template = find_template("instruction", loaded.tokenizer)
    examples = tokenize_rows(named, template, loaded.tokenizer)
    spare = 290
    assert not any(spare in example.input_ids for example in examples)
    trainer: Any = build_trainer(run, loaded, examples, recipe, settings)
    table: Any = loaded.model.get_input_embeddings()
    with torch.no_grad():
        table.weight[spare] = float("nan")
    trainer.train_dataset = trainer.train_dataset.map(
        lambda one: {"input_ids": [spare, *one["input_ids"][1:]]} if poisoned in one["rows"] else {}
    )
    # The head is the same table: without this every row would meet the spare token.
    head: Any = loaded.model.get_output_embeddings()
    head.weight = torch.nn.Parameter(table.weight.detach().nan_to_num(), requires_grad=False)
    return trainer


@pytest.mark.parametrize("packing", [False, True])
def test_a_broken_row_is_named_and_the_weights_before_it_are_kept(
    tiny_llama: Path,
    tmp_path: Path,
    make_rows: MakeRows,
    packing: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import torch
    from safetensors.torch import load_file

    from training.finetuning.trainer import TrainingError

    # Drawn last, so that steps were made before.
    probe = build_small_steps(tiny_llama, tmp_path / "a", make_rows(12), -2, packing)
    *_, last = iter(probe.get_train_dataloader())
    poisoned = int(last["rows"][0, 0])
    trainer = build_small_steps(tiny_llama, tmp_path / "b", make_rows(12), poisoned, packing)

    with pytest.raises(TrainingError, match=r"loss became nan at step \d") as info:
        trainer.train()

    step = trainer.state.global_step
    kept = tmp_path / "b" / f"checkpoint-{step}"
    assert step > 0
    assert f"'row-{poisoned}'" in str(info.value)
    assert str(kept) in str(info.value)
    trained = {n: p for n, p in trainer.model.named_parameters() if p.requires_grad}
    found = load_file(kept / "trained.safetensors")
    assert found.keys() == trained.keys()
    assert all(torch.equal(found[name], trained[name]) for name in found)
    assert capsys.readouterr().out == ""


def test_a_gradient_that_is_not_finite_stops_before_it_reaches_the_weights(
    tiny_llama: Path, tmp_path: Path, make_rows: MakeRows
) -> None:
    import torch

    from training.finetuning.trainer import TrainingError

    trainer = build_small_steps(tiny_llama, tmp_path, make_rows(4), -2, packing=False)
    name, weight = next((n, p) for n, p in trainer.model.named_parameters() if p.requires_grad)
    weight.register_hook(
        lambda slope: slope if trainer.state.global_step == 0 else slope * float("inf")
    )

    with pytest.raises(
        TrainingError, match=r"gradient's length became (nan|inf) at step 2"
    ) as info:
        trainer.train()

    assert "'row-" in str(info.value)
    assert torch.isfinite(dict(trainer.model.named_parameters())[name]).all()
    assert (tmp_path / "checkpoint-1").is_dir()


def test_tokens_are_counted_without_padding(
    tiny_llama: Path, tmp_path: Path, make_rows: MakeRows
) -> None:
    trainer = build_small_steps(tiny_llama, tmp_path, make_rows(5), -2, packing=True)

    trainer.train()

    expected = sum(sum(one["lengths"]) for one in trainer.train_dataset if one["rows"])
    assert trainer.state.num_input_tokens_seen == expected
