"""A student small enough for every test, and dataset versions to train it on."""

from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.records import Language


class Row(NamedTuple):
    """A record as the training room reads it."""

    instruction: str
    input: str
    output: str
    language: Language


_COLOURS = ("red", "green", "blue", "white")
_COLOURS_KO = ("빨강", "초록", "파랑", "하양")


def learnable_rows(count: int) -> list[Row]:
    """Rows with a rule that a 0.5M-parameter model picks up in a few steps, both languages."""
    rows: list[Row] = []
    for index in range(count):
        colour, colour_ko = _COLOURS[index % 4], _COLOURS_KO[index % 4]
        if index % 2:
            rows.append(
                Row(f"{index}번 공의 색을 말해 줘.", colour_ko, f"공은 {colour_ko}입니다.", "ko")
            )
        else:
            rows.append(Row(f"Name the colour of ball {index}.", colour, f"It is {colour}.", "en"))
    return rows


def build_tiny_llama(folder: Path, seed: int = 0) -> Path:
    """Write a 0.4M-parameter llama with its own byte-level BPE; sizes are NF4's block of 64."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [" ".join(row[:3]) for row in learnable_rows(32)]
    bpe.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe)
    tokenizer.add_special_tokens({"bos_token": "<s>", "eos_token": "</s>"})
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llama(tmp_path_factory.mktemp("tiny-llama"))


@pytest.fixture(scope="session")
def other_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llama(tmp_path_factory.mktemp("other-llama"), seed=1)
