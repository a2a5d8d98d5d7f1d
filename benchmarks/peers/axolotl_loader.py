"""What Axolotl's own loader makes of an export and its config: argument FOLDER, prints JSON.

Prompt and answer are told apart by the labels, as its loss does.
"""

# Installed in an environment of its own, where pyright does not look.
# pyright: reportMissingImports=false

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import yaml
from axolotl.utils.data.sft import _load_and_process_single_dataset
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.datasets import SFTDataset

from benchmarks.peers.characters import CharacterTokenizer, decode

SECTIONS = {"train": "datasets", "validation": "test_datasets"}


def load(section: list[dict[str, object]], split: str) -> list[tuple[str, str]]:
    settings = DictDefault({"sequence_len": 1 << 24, "train_on_inputs": False, "seed": 0})
    pairs: list[tuple[str, str]] = []
    for entry in section:
        checked = SFTDataset.model_validate(entry).model_dump(exclude_none=True)
        rows, _ = _load_and_process_single_dataset(
            DictDefault(checked), settings, CharacterTokenizer(), split, 0
        )
        for row in rows:
            border = row["labels"].count(-100)
            pairs.append((decode(row["input_ids"][:border]), decode(row["input_ids"][border:])))
    return pairs


def main() -> None:
    os.chdir(Path(sys.argv[1]))
    config = yaml.safe_load(Path("axolotl.yaml").read_text(encoding="utf-8"))
    splits = {split: load(config[key], split) for split, key in SECTIONS.items() if key in config}
    print(json.dumps({"version": version("axolotl"), "splits": splits}))


if __name__ == "__main__":
    main()
