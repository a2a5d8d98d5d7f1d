"""The peers that read our exports: how each is run, and what it should hold of a record."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

from benchmarks.peers.environments import PeerError
from benchmarks.peers.overlays import find_overlay
from pipeline.publishing.exports.tabular import defuse
from schemas.records import InstructionRecord
from schemas.templates import INSTRUCTION

ROOT = Path(__file__).parents[2]
SPLITS = ("train", "validation")
QUIET = {
    "HOME": str(Path.home()), "PATH": os.defpath, "PYTHONUTF8": "1", "PYTHONWARNINGS": "ignore",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
    "AXOLOTL_DO_NOT_TRACK": "1",
}  # fmt: skip

Texts = tuple[str, ...]
"""What a peer holds of one record."""


class Loaded(NamedTuple):
    """What a peer made of an export."""

    how: str
    splits: dict[str, list[Texts]]


Load = Callable[[Path, Path], Loaded]
"""Takes an export's folder and the folder of environments."""


class Reader(NamedTuple):
    """A peer that reads a format."""

    format: str
    name: str
    load: Load
    expect: Callable[[InstructionRecord], Texts]
    by_language: bool = False
    """Whether it takes all English records before all Korean ones."""


def run_module(module: str, environment: str, how: str) -> Load:
    """Make a loader that runs in the environment of a peer; in our own where that is empty."""

    def load(folder: Path, environments: Path) -> Loaded:
        python = find_overlay(environment, environments) if environment else Path(sys.executable)
        done = subprocess.run(
            [str(python), "-m", f"benchmarks.peers.{module}", str(folder)],
            cwd=ROOT, env=QUIET, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise PeerError(" ".join(done.stderr.split())[-300:])
        found = json.loads(done.stdout.splitlines()[-1])
        splits = {name: [tuple(row) for row in rows] for name, rows in found["splits"].items()}
        return Loaded(how.format(found["version"]), splits)

    return load


def load_with_datasets(
    kind: str, pattern: str, columns: tuple[str, ...], why: str = "", **options: bool
) -> Load:
    """Make a loader over ``datasets.load_dataset``."""

    def load(folder: Path, environments: Path) -> Loaded:
        import datasets

        datasets.disable_progress_bars()
        files = {split: str(folder / pattern.format(split)) for split in SPLITS}
        with tempfile.TemporaryDirectory() as cache:
            found: Any = datasets.load_dataset(
                kind, data_files=files, cache_dir=cache, **cast("dict[str, Any]", options)
            )
            splits = {
                str(split): [tuple(str(row[one]) for one in columns) for row in rows]
                for split, rows in found.items()
            }
        return Loaded(f"datasets {datasets.__version__}, load_dataset{why}", splits)

    return load


def read_as_stanford(folder: Path, environments: Path) -> Loaded:
    """Access the list as ``train.py`` of tatsu-lab/stanford_alpaca does."""
    splits: dict[str, list[Texts]] = {}
    for split in SPLITS:
        with (folder / f"{split}.json").open(encoding="utf-8") as file:
            examples: list[dict[str, str]] = json.load(file)
        splits[split] = [
            (one["instruction"], one["input"] if one.get("input", "") != "" else "", one["output"])
            for one in examples
        ]
    return Loaded("documented: json.load and example.get, as in its train.py", splits)


def read_as_openai(folder: Path, environments: Path) -> Loaded:
    """Validate each message by the package's own types, and by the rules of its cookbook."""
    import openai
    from openai.types.chat import ChatCompletionMessageParam
    from pydantic import TypeAdapter

    chat = TypeAdapter(list[ChatCompletionMessageParam])
    splits: dict[str, list[Texts]] = {}
    for split in SPLITS:
        splits[split] = []
        with (folder / f"{split}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                example = json.loads(line)
                chat.validate_python(example["messages"])
                problem = find_chat_problem(example)
                if problem:
                    raise PeerError(problem)
                splits[split].append(tuple(one["content"] for one in example["messages"]))
    return Loaded(
        f"openai {openai.__version__}, its types; documented: its cookbook's rules", splits
    )


def find_chat_problem(example: dict[str, list[dict[str, str]]]) -> str:
    """Check what OpenAI's cookbook checks before an upload ("Data preparation for chat models")."""
    messages = example.get("messages")
    if not messages:
        return "missing_messages_list"
    for message in messages:
        if "role" not in message or "content" not in message:
            return "message_missing_key"
        if set(message) - {"role", "content", "name", "function_call", "weight"}:
            return "message_unrecognized_key"
        if message["role"] not in ("system", "user", "assistant", "function"):
            return "unrecognized_role"
        if not message["content"]:
            return "missing_content"
    if not any(message["role"] == "assistant" for message in messages):
        return "example_missing_assistant_message"
    return ""


def as_columns(record: InstructionRecord) -> Texts:
    return (record.instruction, record.input, record.output)


def as_chat(record: InstructionRecord, between: str = "\n\n") -> Texts:
    question = record.instruction + (between + record.input if record.input else "")
    return (question, record.output)


def as_llama_factory(record: InstructionRecord) -> Texts:
    return as_chat(record, "\n")


def as_koalpaca(record: InstructionRecord) -> Texts:
    return as_chat(record, "\n\n### 맥락: ")


def as_koalpaca_text(record: InstructionRecord) -> Texts:
    return (
        "".join(INSTRUCTION.render(record.instruction, record.input, record.output, "ko"))
        + "<|endoftext|>",
    )


def as_trained(record: InstructionRecord) -> Texts:
    return INSTRUCTION.render(record.instruction, record.input, record.output, record.language)


def as_trained_by_trl(record: InstructionRecord) -> Texts:
    prompt, completion = as_trained(record)
    return (prompt, completion + "\ufdd0")


def as_chat_by_trl(record: InstructionRecord) -> Texts:
    prompt, completion = as_chat(record)
    return (f"<user>{prompt}<assistant>", completion + "\ufdd0")


def as_axolotl(record: InstructionRecord) -> Texts:
    # Its prompt ends with what stands between the two; the text is the same.
    prompt, completion = as_trained(record)
    return (prompt + completion[0], completion[1:])


def as_cells(record: InstructionRecord) -> Texts:
    return (record.id, *map(defuse, as_columns(record)))


READERS = (
    Reader("alpaca", "Stanford Alpaca", read_as_stanford, as_columns),
    Reader(
        "alpaca",
        "datasets",
        load_with_datasets("json", "{}.json", ("instruction", "input", "output")),
        as_columns,
    ),
    Reader(
        "koalpaca-v1.1a",
        "datasets",
        load_with_datasets("json", "{}.jsonl", ("instruction", "output")),
        as_koalpaca,
    ),
    Reader(
        "koalpaca-v1.1a",
        "KoAlpaca's run_clm.py",
        load_with_datasets(
            "json", "{}_textonly.json", ("text",), "; documented: the column its run_clm.py takes"
        ),
        as_koalpaca_text,
    ),
    Reader("openai-chat", "OpenAI", read_as_openai, as_chat),
    Reader(
        "sharegpt",
        "FastChat",
        run_module("fastchat_loader", "fastchat", "fschat {}, dataset class of its train.py"),
        as_chat,
    ),
    Reader(
        "llama-factory",
        "LLaMA-Factory",
        run_module("llama_factory_loader", "llama_factory", "llamafactory {}, loader, converter"),
        as_llama_factory,
    ),
    Reader(
        "axolotl",
        "Axolotl",
        run_module("axolotl_loader", "axolotl", "axolotl {}, config, loader, prompt strategies"),
        as_axolotl,
        by_language=True,
    ),
    Reader("trl", "TRL", run_module("trl_loader", "", "trl {}, SFTTrainer"), as_trained_by_trl),
    Reader("trl-chat", "TRL", run_module("trl_loader", "", "trl {}, SFTTrainer"), as_chat_by_trl),
    Reader(
        "parquet",
        "datasets",
        load_with_datasets("parquet", "{}.parquet", ("id", "instruction", "input", "output")),
        lambda record: (record.id, *as_columns(record)),
    ),
    Reader(
        "csv",
        "datasets (pandas)",
        load_with_datasets(
            "csv", "{}.csv", ("id", "instruction", "input", "output"), keep_default_na=False
        ),
        as_cells,
    ),
)  # fmt: skip
