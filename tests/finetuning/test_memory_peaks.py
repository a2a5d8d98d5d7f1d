import sys
from pathlib import Path

import pytest

from training.base_model import four_bit, load_weights
from training.finetuning.memory.measuring import read_peak_mb, read_resident_mb, reset_peak

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self")


@only_linux
@pytest.mark.parametrize("quantized", [False, True])
def test_what_stays_as_in_the_file_is_used_where_it_is(
    tiny_llama: Path, *, quantized: bool
) -> None:
    model = load_weights(tiny_llama, four_bit("fp32") if quantized else None)

    address = model.get_input_embeddings().weight.data_ptr()  # pyright: ignore[reportCallIssue, reportAttributeAccessIssue]
    assert "model.safetensors" in find_mapping(address)


def find_mapping(address: int) -> str:
    """Find the line of this process's memory map that an address lies in."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(bound, 16) for bound in line.split()[0].split("-"))
        if start <= address < end:
            return line
    raise AssertionError(address)


@only_linux
def test_a_tied_head_and_embedding_need_two_gradients_and_not_three() -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from training.finetuning.loss import add_labelled_loss

    config = LlamaConfig(
        vocab_size=60_000, hidden_size=256, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    add_labelled_loss(model)
    tokens = torch.arange(16)[None] + 5
    loss = model(input_ids=tokens, loss_labels=tokens).loss  # the head's gradient is there now
    reset_peak("cpu")
    before = read_resident_mb()

    loss.backward()

    matrix = 60_000 * 256 * 4 / 1e6
    assert 0.8 * matrix < read_peak_mb("cpu") - before < 1.5 * matrix
