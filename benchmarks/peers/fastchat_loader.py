"""What FastChat's ``train.py`` makes of an export: argument FOLDER, prints JSON.

Its dataset class renders Vicuna's template; question and answer are what stands in it.
"""

# Installed in an environment of its own, where pyright does not look.
# pyright: reportMissingImports=false

import json
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import torch
from fastchat.conversation import get_conv_template
from fastchat.train.train import make_supervised_data_module

from benchmarks.peers.characters import PAD, CharacterTokenizer, decode


class BatchTokenizer:
    """Takes one text or a list of one, and gives attributes, as FastChat asks."""

    pad_token_id = PAD
    legacy = True
    model_max_length = 1 << 16

    def __call__(self, text: str | list[str], **_: object) -> SimpleNamespace:
        tokenize = CharacterTokenizer()
        if isinstance(text, str):
            return SimpleNamespace(**tokenize(text))
        (only,) = text
        return SimpleNamespace(input_ids=torch.tensor([tokenize(only)["input_ids"]]))


def take_apart(text: str, turn: str) -> tuple[str, str]:
    """Cut Vicuna's template off; ``turn`` is the first turn as the file has it."""
    template = get_conv_template("vicuna_v1.1")
    head = f"{template.system_message}{template.sep}{template.roles[0]}: "
    middle = f"{template.sep}{template.roles[1]}: "
    question = text.removeprefix(head)[: len(turn)]
    return question, text[len(head + question + middle) :].removesuffix(template.sep2)


def main() -> None:
    folder = Path(sys.argv[1])
    names = {"train": "train.json", "validation": "validation.json"}
    paths = SimpleNamespace(
        data_path=str(folder / names["train"]), eval_data_path=str(folder / names["validation"]),
        lazy_preprocess=True,
    )  # fmt: skip
    loaded = make_supervised_data_module(BatchTokenizer(), paths)
    splits: dict[str, list[tuple[str, str]]] = {}
    for split, key in (("train", "train_dataset"), ("validation", "eval_dataset")):
        rows = loaded[key]
        splits[split] = [
            take_apart(decode(row["input_ids"].tolist()), raw["conversations"][0]["value"])
            for row, raw in zip(rows, rows.raw_data, strict=True)
        ]
    print(json.dumps({"version": version("fschat"), "splits": splits}))


if __name__ == "__main__":
    main()
