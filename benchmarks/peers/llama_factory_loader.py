"""What LLaMA-Factory's own loader and converter make of an export: argument FOLDER, prints JSON."""

# Installed in an environment of its own, where pyright does not look.
# pyright: reportMissingImports=false

import json
import sys
import tempfile
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from importlib.util import module_from_spec
from pathlib import Path

# Its multimodal plugin imports torchaudio at the top; text never comes near it.
sys.modules["torchaudio"] = module_from_spec(ModuleSpec("torchaudio", None))

from llamafactory.data.loader import _get_merged_dataset  # noqa: E402
from llamafactory.hparams import DataArguments, ModelArguments  # noqa: E402
from transformers import Seq2SeqTrainingArguments  # noqa: E402


def main() -> None:
    folder = Path(sys.argv[1])
    entries = json.loads((folder / "dataset_info.json").read_text(encoding="ascii"))
    splits: dict[str, list[tuple[str, str]]] = {}
    with tempfile.TemporaryDirectory() as cache:
        for name in entries:
            data = DataArguments(dataset=name, dataset_dir=str(folder))
            model = ModelArguments(model_name_or_path="none", cache_dir=cache)
            training = Seq2SeqTrainingArguments(output_dir=cache, report_to=[])
            rows = _get_merged_dataset([name], model, data, training, "sft")
            splits[name.rpartition("_")[2]] = [
                (row["_prompt"][-1]["content"], row["_response"][0]["content"]) for row in rows
            ]
    print(json.dumps({"version": version("llamafactory"), "splits": splits}))


if __name__ == "__main__":
    main()
