from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.finetuning.contract.encoding import IGNORED, Example
from training.finetuning.packing import PackingError, pack_rows, probe_packing

LIMIT = 64
ROWS = st.lists(st.integers(min_value=1, max_value=LIMIT), max_size=80)


@given(ROWS)
def test_every_row_is_in_exactly_one_sequence_and_none_is_too_long(lengths: list[int]) -> None:
    packs = pack_rows(lengths, LIMIT)

    assert sorted(row for pack in packs for row in pack) == list(range(len(lengths)))
    assert all(0 < sum(lengths[row] for row in pack) <= LIMIT for pack in packs)


@given(ROWS)
def test_no_two_sequences_would_fit_into_one(lengths: list[int]) -> None:
    packs = pack_rows(lengths, LIMIT)

    totals = sorted(sum(lengths[row] for row in pack) for pack in packs)
    assert len(totals) < 2 or totals[0] + totals[1] > LIMIT


def test_rows_go_where_they_leave_least_room() -> None:
    # By hand, limit 10: 7 opens a sequence, 6 another; 4 fits the second (6 + 4 = 10), 3 the first.
    assert pack_rows([3, 7, 4, 6], 10) == [[1, 0], [3, 2]]


def test_as_many_sequences_are_needed_as_trl_needs() -> None:
    import random

    import pyarrow
    from datasets import Dataset
    from trl.data_utils import pack_dataset

    draw = random.Random(0)  # noqa: S311 (lengths, no secret)
    lengths = [draw.randint(5, 60) for _ in range(300)]
    table = pyarrow.table({"input_ids": [[1] * length for length in lengths]})

    theirs = pack_dataset(Dataset(table), seq_length=128, strategy="bfd")

    assert len(pack_rows(lengths, 128)) == len(theirs)


def make_examples(count: int, longest: int) -> list[Example]:
    import torch

    generator = torch.Generator().manual_seed(3)
    examples: list[Example] = []
    for number in range(count):
        length = 6 + (number * 7) % (longest - 5)
        tokens: list[int] = torch.randint(5, 300, (length,), generator=generator).tolist()
        examples.append(Example(f"row {number}", tokens, [IGNORED] * 4 + tokens[4:]))
    return examples


def build_llama() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**SIZES, num_key_value_heads=2))


def build_sliding() -> Any:
    """Gemma 3: five of six layers look back over a window, here shorter than a sequence."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    return Gemma3ForCausalLM(
        Gemma3TextConfig(**SIZES, num_key_value_heads=1, head_dim=16, sliding_window=8)
    )


SIZES: dict[str, Any] = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
}


def sharpen(model: Any) -> Any:
    """Give weights a size at which rows that see each other would show."""
    import torch

    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter.data, std=0.3)
    return model


@pytest.mark.parametrize("build", [build_llama, build_sliding])
def test_packed_rows_do_not_see_each_other(build: Callable[[], Any]) -> None:
    model, examples = sharpen(build()).train(), make_examples(20, 30)
    packs = pack_rows([len(example.input_ids) for example in examples], 100)

    probe = probe_packing(model, examples, packs, 0, rounded=False)

    assert probe.difference <= 1e-4 * probe.scale
    assert model.training


@pytest.mark.parametrize("build", [build_llama, build_sliding])
def test_a_student_whose_packed_rows_see_each_other_is_refused_with_the_row(
    build: Callable[[], Any],
) -> None:
    model, examples = sharpen(build()), make_examples(20, 30)
    packs = pack_rows([len(example.input_ids) for example in examples], 100)
    own = model.forward

    def forget_positions(**inputs: Any) -> Any:
        # A mask of ones is what other trainers hand over; transformers then ignores positions.
        if "position_ids" in inputs:
            inputs["attention_mask"] = inputs["position_ids"].new_ones(inputs["position_ids"].shape)
        return own(**inputs)

    model.forward = forget_positions

    with pytest.raises(PackingError, match=r"row 'row \d+' differ by .* Set packing to false"):
        probe_packing(model, examples, packs, 0, rounded=False)


def test_logits_that_are_no_numbers_are_refused() -> None:
    import torch

    model, examples = build_llama(), make_examples(6, 10)
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))

    with pytest.raises(PackingError):
        probe_packing(model, examples, [[0, 1, 2], [3, 4, 5]], 0, rounded=False)


def test_a_packed_batch_begins_positions_anew_at_each_row_and_its_padding() -> None:
    from training.finetuning.batches import Batches, lay_out

    examples = [Example("a", [5, 6, 7], [IGNORED, 6, 7]), Example("b", [8, 9], [IGNORED, 9])]
    batch = Batches(1, packed=True)(lay_out(examples, [[0, 1], [1]]))

    assert {name: value.tolist() for name, value in batch.items()} == {
        "input_ids": [[5, 6, 7, 8, 9], [8, 9, 1, 1, 1]],
        "labels": [[IGNORED, 6, 7, IGNORED, 9], [IGNORED, 9, IGNORED, IGNORED, IGNORED]],
        "position_ids": [[0, 1, 2, 0, 1], [0, 1, 0, 1, 2]],
        "rows": [[0, 1], [1, -1]],
    }


def test_a_rows_first_token_is_not_predicted_by_the_row_before_it() -> None:
    from training.finetuning.batches import lay_out

    examples = [Example("a", [5, 6], [5, 6]), Example("b", [8, 9], [8, 9])]

    assert lay_out(examples, [[0, 1]])[0]["labels"] == [IGNORED, 6, IGNORED, 9]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 16), st.integers(0, 3))
def test_each_step_holds_the_rows_of_the_shuffled_order_by_length(
    lengths: list[int], rows_a_step: int, epoch: int
) -> None:
    import torch

    from training.finetuning.batches import StepSampler

    sampler = StepSampler(lengths, rows_a_step, random_seed=7)
    sampler.epoch = epoch
    order = list(sampler)

    assert sorted(order) == list(range(len(lengths)))
    assert order == list(sampler)
    shuffled: list[int] = torch.randperm(
        len(lengths), generator=torch.Generator().manual_seed((7 << 20) + epoch)
    ).tolist()
    for start in range(0, len(lengths), rows_a_step):
        step = order[start : start + rows_a_step]
        assert set(step) == set(shuffled[start : start + rows_a_step])
        assert [lengths[row] for row in step] == sorted((lengths[r] for r in step), reverse=True)


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_a_packed_step_has_the_gradients_of_its_rows_in_padded_batches(
    tiny_llama: Path,
    tmp_path: Path,
    make_rows: Callable[[int], Sequence[Any]],
    method: Any,
) -> None:
    import torch

    from training.finetuning.assembly import build_trainer
    from training.finetuning.contract.encoding import tokenize_rows
    from training.finetuning.data import Row
    from training.finetuning.recipe import Hardware, Recipe, resolve
    from training.finetuning.student import Student, load_student
    from training.templating import find_template

    def measure(packing: bool) -> Any:
        recipe = Recipe(method=method, packing=packing, batch_size=8, max_length_tokens=256)
        settings = resolve(recipe, Hardware("cpu", computes_bf16=False, threads=1))
        loaded = load_student(Student("tiny", tiny_llama), recipe, settings)
        rows = [Row(str(index), *row) for index, row in enumerate(make_rows(8))]
        template = find_template("instruction", loaded.tokenizer)
        examples = tokenize_rows(rows, template, loaded.tokenizer)
        trainer: Any = build_trainer(tmp_path, loaded, examples, recipe, settings)
        batch: Any = next(iter(trainer.get_train_dataloader()))
        assert sorted(row for row in batch["rows"].flatten().tolist() if row >= 0) == [*range(8)]
        trainer.compute_loss(trainer.model, batch).backward()
        return torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.requires_grad])

    padded, packed = measure(packing=False), measure(packing=True)

    assert torch.allclose(packed, padded, rtol=1e-3, atol=1e-6)
