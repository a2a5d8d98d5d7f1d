"""What TRL's SFTTrainer makes of an export, in our own environment: argument FOLDER, prints JSON.

A model of a few thousand weights and a tokenizer of bytes; prompt and completion are told apart by
the labels, as its loss does.
"""

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from datasets import load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

SPLITS = ("train", "validation")
CHAT = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Make a tokenizer whose tokens are bytes, so that every text comes back as it was."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({one: place for place, one in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    fast.add_special_tokens({"eos_token": "\ufdd0", "pad_token": "\ufdd1"})
    fast.chat_template = CHAT
    return fast


def tell_apart(row: dict[str, list[int]], tokenizer: PreTrainedTokenizerFast) -> tuple[str, str]:
    border = row["labels"].count(-100)
    ids = row["input_ids"]
    return str(tokenizer.decode(ids[:border])), str(tokenizer.decode(ids[border:]))


def main() -> None:
    folder = Path(sys.argv[1])
    tokenizer = make_tokenizer()
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=8, intermediate_size=8, num_hidden_layers=1,
            num_attention_heads=1, num_key_value_heads=1,
        )
    )  # fmt: skip
    files = {split: str(folder / f"{split}.jsonl") for split in SPLITS}
    with tempfile.TemporaryDirectory() as cache:
        data = load_dataset("json", data_files=files, cache_dir=cache)
        settings = SFTConfig(output_dir=cache, max_length=None, report_to=[], use_cpu=True)
        trainer = SFTTrainer(
            model, settings, train_dataset=data["train"], eval_dataset=data["validation"],
            processing_class=tokenizer,
        )  # fmt: skip
        held: list[Any] = [trainer.train_dataset, trainer.eval_dataset]
        splits = {
            split: [tell_apart(row, tokenizer) for row in rows]
            for split, rows in zip(SPLITS, held, strict=True)
        }
    print(json.dumps({"version": version("trl"), "splits": splits}))


if __name__ == "__main__":
    main()
