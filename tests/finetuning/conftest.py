"""A student small enough for every test, and dataset versions to train it on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.identity import digest, short_id
from schemas.manifest import DatasetManifest
from schemas.records import LANGUAGES, Language, Reason


class Row(NamedTuple):
    """A record as the training room reads it."""

    instruction: str
    input: str
    output: str
    language: Language


MakeDataset = Callable[..., Path]

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


def write_dataset(
    folder: Path,
    train: Sequence[Row],
    validation: Sequence[Row],
    rejected: dict[Reason, int] | None = None,
) -> Path:
    """Write a dataset version as the publishing room does, as far as training reads it."""
    import pyarrow
    import pyarrow.parquet

    (folder / "data").mkdir(parents=True)
    for split, rows in (("train", train), ("validation", validation)):
        columns = {
            "id": [short_id(*row) for row in rows],
            "instruction": [row.instruction for row in rows],
            "input": [row.input for row in rows],
            "output": [row.output for row in rows],
            "language": [row.language for row in rows],
            "teacher": ["script" for _ in rows],
        }
        schema = pyarrow.schema([(name, pyarrow.string()) for name in columns])
        table = pyarrow.table(columns, schema=schema)
        pyarrow.parquet.write_table(table, folder / "data" / f"{split}.parquet")
    rejected = rejected or {}
    kept = len(train) + len(validation)
    manifest = DatasetManifest(
        licence="apache-2.0",
        name="colours",
        version="0001-0123456789ab",
        content_hash=digest(train, validation),
        generated=kept + sum(rejected.values()),
        kept=kept,
        rejected=rejected,
        kept_by_language={
            language: sum(row.language == language for row in [*train, *validation])
            for language in LANGUAGES
        },
        rejected_by_language={},
        splits={"train": len(train), "validation": len(validation)},
        teachers={"script": kept},
        strategies={"import": kept},
        curation={},
        seeds=(),
        files=(),
        code_version="test",
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give 24 learnable rows in both languages, 6 of them held out."""
    rows = learnable_rows(24)
    return write_dataset(tmp_path_factory.mktemp("datasets") / "v", rows[:18], rows[18:])


@pytest.fixture(scope="session")
def make_dataset() -> MakeDataset:
    return write_dataset


@pytest.fixture(scope="session")
def make_rows() -> Callable[[int], list[Row]]:
    return learnable_rows
