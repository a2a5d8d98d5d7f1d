from pathlib import Path

from training.base_model import load_weights
from training.finetuning.memory.measuring import read_peak_mb, read_resident_mb, reset_peak
from training.finetuning.memory.trimming import keep_one_arena, trim_between_blocks, trim_memory


def test_trimming_between_blocks_changes_no_gradient(tiny_llama: Path) -> None:
    import torch

    tokens = torch.arange(40).reshape(2, 20) + 5
    plain, trimmed = load_weights(tiny_llama), load_weights(tiny_llama)
    assert trim_between_blocks(trimmed) in (0, 2)  # 0 without glibc

    for model in (plain, trimmed):
        model(input_ids=tokens, labels=tokens).loss.backward()

    for one, other in zip(plain.parameters(), trimmed.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.equal(one.grad, other.grad)


def test_trimming_and_one_arena_are_safe_to_ask_for_anywhere() -> None:
    keep_one_arena()
    trim_memory()


def test_the_peak_is_counted_anew_after_a_reset() -> None:
    block = bytearray(60_000_000)
    before = read_peak_mb("cpu")
    del block
    reset_peak("cpu")

    assert read_resident_mb() <= read_peak_mb("cpu") <= before
