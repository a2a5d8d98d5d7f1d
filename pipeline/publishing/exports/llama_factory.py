"""LLaMA-Factory: Alpaca's columns, and ``dataset_info.json`` with an entry for each split.

Its converter joins instruction and input with one line feed (``llamafactory/data/converter.py``).
"""

import json
from collections.abc import Mapping

from pipeline.publishing.exports.alpaca import read_alpaca, write_alpaca
from pipeline.publishing.exports.contract import DataFile, Exported, Format, quote

DATASET_INFO = "dataset_info.json"
_COLUMNS = {"prompt": "instruction", "query": "input", "response": "output"}


def _configure(exported: Exported) -> Mapping[str, str]:
    entries = {
        _entry(exported, file.part.split): {
            "file_name": file.name, "formatting": "alpaca", "columns": _COLUMNS
        }
        for file in exported.files
    }  # fmt: skip
    # LLaMA-Factory opens it in the locale's encoding; names of ours are ASCII.
    return {DATASET_INFO: json.dumps(entries, indent=2) + "\n"}


def _entry(exported: Exported, split: str) -> str:
    return f"{exported.dataset}_{split}"


def _load(exported: Exported, folder: str) -> str:
    splits = [file.part.split for file in exported.files]
    flags = f"--dataset_dir {quote(folder)} --dataset {_entry(exported, splits[0])}"
    if len(splits) > 1:
        flags += f" --eval_dataset {_entry(exported, splits[1])}"
    return f"llamafactory-cli train --stage sft --do_train {flags} …"


LLAMA_FACTORY = Format(
    name="llama-factory",
    summary="alpaca's columns with dataset_info.json, one entry for each split",
    reader="LLaMA-Factory",
    data=DataFile("{dataset}_{split}.json", write_alpaca, read_alpaca),
    loss="id, language and lineage",
    load=_load,
    configure=_configure,
)
