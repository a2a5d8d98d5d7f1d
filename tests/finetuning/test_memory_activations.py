"""What autograd keeps of a block, counted by the plan and by torch itself."""

from pathlib import Path
from typing import Any

import pytest

from schemas.manifest import Method
from training.base_model import Precision, four_bit
from training.finetuning.memory.activations import (
    Batch,
    Computation,
    saved_bytes,
)
from training.finetuning.memory.shape import read_shape
from training.quiet import quiet_libraries

ROWS, LENGTH, RANK = 2, 48, 16


def build_student(folder: Path, family: str, layers: int) -> Path:
    """Write a student of distinct sizes, so that no formula is right by accident."""
    import torch
    from transformers import (
        Gemma3ForCausalLM,
        Gemma3TextConfig,
        LlamaConfig,
        LlamaForCausalLM,
        Qwen3Config,
        Qwen3ForCausalLM,
    )

    sizes: dict[str, Any] = {
        "vocab_size": 256,
        "hidden_size": 192,
        "intermediate_size": 640,
        "num_hidden_layers": layers,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "head_dim": 64,
        "max_position_embeddings": 256,
        "tie_word_embeddings": True,
    }
    torch.manual_seed(0)
    if family == "llama":
        model = LlamaForCausalLM(LlamaConfig(**sizes))
    elif family == "qwen3":
        model = Qwen3ForCausalLM(Qwen3Config(**sizes))
    else:
        kinds = ["full_attention"] * layers
        model = Gemma3ForCausalLM(Gemma3TextConfig(**sizes, layer_types=kinds))
    model.save_pretrained(folder)
    return folder


def count_saved(folder: Path, how: Computation, batch: Batch) -> int:
    """Add up the storages that autograd saves, parameters apart."""
    import torch

    from training.base_model import load_weights
    from training.quantization_guard import guard_quantized_layers

    quantization = four_bit(how.precision) if how.method == "qlora" else None
    model = load_weights(folder, quantization)
    guard_quantized_layers(model)
    wrapped = wrap(model, how).train()
    ids = torch.randint(3, 250, (batch.rows, batch.length))
    mask = torch.ones_like(ids)
    if batch.is_masked:
        mask[1, batch.length // 2 :] = 0
    known = {parameter.untyped_storage().data_ptr() for parameter in wrapped.parameters()}
    sizes: dict[int, int] = {}
    kept: list[Any] = []

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            sizes[storage.data_ptr()] = storage.nbytes()
            kept.append(tensor)
        return tensor

    autocast = torch.autocast("cpu", torch.bfloat16, enabled=how.precision == "bf16")
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), autocast:
        if how.method == "prompt_tuning":
            embedded = model.get_input_embeddings()(ids).detach().requires_grad_()
            model.get_decoder()(inputs_embeds=embedded, attention_mask=mask, use_cache=False)
        else:
            model.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False)
    return sum(sizes.values())


def wrap(model: Any, how: Computation) -> Any:
    from peft import LoraConfig, get_peft_model

    if how.method == "full":
        return model
    if how.method == "prompt_tuning":
        return model.requires_grad_(requires_grad=False)
    config = LoraConfig(
        r=how.rank,
        target_modules="all-linear",
        use_dora=how.method == "dora",
        lora_dropout=how.dropout,
        task_type="CAUSAL_LM",
    )
    with quiet_libraries():
        return get_peft_model(model, config)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("method", ["full", "lora", "qlora", "dora", "prompt_tuning"])
@pytest.mark.parametrize(
    "family", ["llama", "gemma3", pytest.param("qwen3", marks=pytest.mark.slow)]
)
def test_the_plan_counts_what_autograd_keeps_of_a_block(
    tmp_path: Path, family: str, method: Method, precision: Precision
) -> None:
    rank = RANK if method in ("lora", "qlora", "dora") else 0
    how = Computation(method, precision, rank, dropout=0.0, is_checkpointed=False)
    batch = Batch(ROWS, LENGTH, labelled=0, is_masked=False)

    check_one_block(tmp_path, family, how, batch)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_rows_of_different_lengths_cost_a_mask_and_repeated_keys(
    tmp_path: Path, method: Method
) -> None:
    rank = RANK if method == "lora" else 0
    how = Computation(method, "fp32", rank, dropout=0.0, is_checkpointed=False)

    check_one_block(tmp_path, "llama", how, Batch(ROWS, LENGTH, labelled=0, is_masked=True))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_dropout_beside_adapters_is_counted(tmp_path: Path, precision: Precision) -> None:
    how = Computation("lora", precision, RANK, dropout=0.1, is_checkpointed=False)

    check_one_block(tmp_path, "llama", how, Batch(ROWS, LENGTH, labelled=0, is_masked=False))


def check_one_block(folder: Path, family: str, how: Computation, batch: Batch) -> None:
    """Compare the difference that a third block makes, so that all around the blocks cancels."""
    two, three = (build_student(folder / str(n), family, n) for n in (2, 3))
    planned = saved_bytes(read_shape(three), batch, how) - saved_bytes(read_shape(two), batch, how)

    kept = count_saved(three, how, batch) - count_saved(two, how, batch)

    assert planned == pytest.approx(kept, rel=0.01)
