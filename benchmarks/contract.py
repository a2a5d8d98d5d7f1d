"""The data contract on 50,000 rows of real text, against TRL's tokenizing of the same rows.

The contract tokenizes and proves every row, and holds them against 2,000 evaluation items and the
validation split; TRL's trainer only tokenizes, in its own constructor, of which the time for eight
rows is taken off. Both in one process at one thread, one after the other.

    .venv/bin/python -m benchmarks.contract --rows 50000
"""

import argparse
import gzip
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from platformdirs import user_cache_path

from benchmarks.endpoint import ROOT
from embedded.models import find_model
from schemas.manifest import DatasetManifest
from schemas.records import LANGUAGES, Language
from training.finetuning.contract.check import Limits, check
from training.finetuning.contract.protection import protect
from training.finetuning.data import Row, TrainingData
from training.quiet import quiet_libraries
from training.templating import find_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CORPORA = ROOT / "../shared/data/corpora"
_STUDENTS = ("smollm2-135m", "gemma-3-270m")
_ANSWER_CHARACTERS = 300
_PROTECTED = 2000
_HELD_OUT = 500
_LIMIT = 100_000


class Seconds(NamedTuple):
    """What something took."""

    wall: float
    cpu: float


def read_rows(language: Language) -> list[Row]:
    """Take different real instructions, each with others for an answer."""
    with gzip.open(_CORPORA / f"{language}_instructions.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["instruction"].strip() for line in lines]
    different = list({" ".join(text.casefold().split()): text for text in texts if text}.values())
    rows: list[Row] = []
    others = cycle(reversed(different))
    for place, text in enumerate(different):
        answer = next(others)
        while len(answer) < _ANSWER_CHARACTERS / (1 if language == "en" else 3):
            answer += " " + next(others)
        rows.append(Row(f"{language}-{place}", text, "", answer, language))
    return rows


def take_time(work: Callable[[], object]) -> Seconds:
    """Run something and measure it."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Seconds(time.perf_counter() - wall, time.process_time() - cpu)


def check_rows(
    rows: Sequence[Row], items: Sequence[str], tokenizer: "PreTrainedTokenizerBase"
) -> int:
    """Run the whole contract; return the tokens."""
    manifest = DatasetManifest.model_construct(name="benchmark", split_by="lineage")
    data = TrainingData(manifest, list(rows[_HELD_OUT:]), list(rows[:_HELD_OUT]))
    limits = Limits(_LIMIT, len(tokenizer))
    template = find_template("instruction", tokenizer)
    return check(data, template, tokenizer, limits, protect({"items": items})).summary.tokens


def tokenize_by_trl(
    rows: Sequence[Row], tokenizer: "PreTrainedTokenizerBase", folder: Path
) -> None:
    """Let TRL's trainer prepare the rows, for a model of almost nothing."""
    from datasets import Dataset, disable_progress_bars
    from transformers import LlamaConfig, LlamaForCausalLM
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    disable_progress_bars()
    template = find_template("instruction", tokenizer)
    texts = [template.render(row.instruction, row.input, row.output, row.language) for row in rows]
    dataset = Dataset.from_list(
        [{"prompt": text.prompt, "completion": text.completion} for text in texts]
    )
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=8, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=1, num_key_value_heads=1,
    )  # fmt: skip
    arguments = SFTConfig(
        output_dir=str(folder), use_cpu=True, bf16=False, report_to="none", max_length=_LIMIT,
        disable_tqdm=True, activation_checkpointing=False,
    )  # fmt: skip
    SFTTrainer(
        LlamaForCausalLM(config), arguments, train_dataset=dataset, processing_class=tokenizer
    )


def measure(checkpoint: Path, rows: Sequence[Row], items: Sequence[str]) -> str:
    """Measure both with one tokenizer and write the line."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    tokens: list[int] = []
    ours = take_time(lambda: tokens.append(check_rows(rows, items, tokenizer)))
    with tempfile.TemporaryDirectory() as folder, quiet_libraries():
        path = Path(folder)
        tokenize_by_trl(rows[:8], tokenizer, path)  # Imports what it needs.
        few = take_time(lambda: tokenize_by_trl(rows[:8], tokenizer, path))
        many = take_time(lambda: tokenize_by_trl(rows, tokenizer, path))
    theirs = Seconds(many.wall - few.wall, many.cpu - few.cpu)
    return (
        f"{tokens[0]:>10}  {ours.wall:>8.1f} ({ours.cpu:.1f})  {theirs.wall:>11.1f} "
        f"({theirs.cpu:.1f})  {ours.cpu / theirs.cpu:>11.2f}"
    )


def main() -> None:
    """Measure for each student that is on this machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=50_000)
    count = parser.parse_args().rows
    found = {language: read_rows(language) for language in LANGUAGES}
    english = found["en"][: count // 2]
    rows = english + found["ko"][: count - len(english)]
    items = [row.instruction + " ?" for row in islice(reversed(found["ko"]), _PROTECTED)]
    print(f"{len(rows)} rows, {len(english)} of them English")
    print("student        tokens      contract s (CPU)    TRL s (CPU)      CPU, contract / TRL")
    for name in _STUDENTS:
        pattern = f"{find_model(name).sha256[:16]}-*"
        checkpoint = next((user_cache_path("pacaloom") / "students").glob(pattern), None)
        told = "is not on this machine" if checkpoint is None else measure(checkpoint, rows, items)
        print(f"{name:<14} {told}", flush=True)


if __name__ == "__main__":
    main()
