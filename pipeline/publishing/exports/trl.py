"""TRL's two prompt-completion forms: rendered text, and messages for a chat template.

``trl`` holds what our own fine-tuning trains on (``schemas/templates.py``): English in Alpaca's
template, Korean in KoAlpaca's; the stop token is the tokenizer's. ``trl-chat`` leaves the template
to the tokenizer. SFTTrainer takes both as they are and computes the loss on the completion.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.publishing.exports.chat import pick_text, say
from pipeline.publishing.exports.contract import (
    DataFile,
    Exported,
    ExportError,
    Format,
    Mark,
    data_files,
)
from pipeline.publishing.exports.joining import join, restore
from pipeline.publishing.exports.json_files import Object, read_json_lines, write_json_lines
from pipeline.publishing.exports.rows import Batch, Row, iterate_rows
from schemas.templates import INSTRUCTION


def write_rendered(path: Path, batches: Iterator[Batch]) -> None:
    """Write prompt and completion as text."""
    write_json_lines(path, (_render(row) for batch in batches for row in iterate_rows(batch)))


def read_rendered(path: Path, marks: Iterable[Mark]) -> Iterator[Row]:
    """Read the text back, without its template."""
    for one, mark in zip(read_json_lines(path), marks, strict=True):
        yield _take_apart(one.get("prompt"), one.get("completion"), mark)


def write_chats(path: Path, batches: Iterator[Batch]) -> None:
    """Write prompt and completion as messages."""
    write_json_lines(path, (_converse(row) for batch in batches for row in iterate_rows(batch)))


def read_chats(path: Path, marks: Iterable[Mark]) -> Iterator[Row]:
    """Read the messages back."""
    for one, mark in zip(read_json_lines(path), marks, strict=True):
        question = pick_text(one.get("prompt"), 0, "content", mark)
        yield restore(question, pick_text(one.get("completion"), 0, "content", mark), mark)


def _render(row: Row) -> Object:
    rendered = INSTRUCTION.render(row.instruction, row.input, row.output, row.language)
    return {"prompt": rendered.prompt, "completion": rendered.completion}


def _converse(row: Row) -> Object:
    return {"prompt": [say("user", join(row))], "completion": [say("assistant", row.output)]}


def _take_apart(prompt: object, completion: object, mark: Mark) -> Row:
    if not (isinstance(prompt, str) and isinstance(completion, str)):
        raise ExportError(f"{mark.file}: wanted text for record {mark.id}, found {prompt!r:.60}.")
    joint = INSTRUCTION.render_completion("", mark.language)
    output = completion[len(joint) :]
    start = len(INSTRUCTION.render_prompt("\0", "", mark.language).partition("\0")[0])
    plain = prompt[start : start + mark.instruction_length]
    if prompt == INSTRUCTION.render_prompt(plain, "", mark.language):
        return Row(mark.id, mark.language, plain, "", output)
    head, _, rest = INSTRUCTION.render_prompt("\0", "\1", mark.language).partition("\0")
    between, _, tail = rest.partition("\1")
    instruction = prompt[len(head) : len(head) + mark.instruction_length]
    input_ = prompt[len(head + instruction + between) : len(prompt) - len(tail)]
    return Row(mark.id, mark.language, instruction, input_, output)


def _load(exported: Exported, folder: str) -> str:
    loaded = f'load_dataset("json", data_files={data_files(exported, folder)})'
    return f'trl.SFTTrainer(MODEL, train_dataset={loaded}["{exported.files[0].part.split}"])'


TRL = Format(
    name="trl",
    summary="JSON lines of prompt and completion, rendered as our own fine-tuning does",
    reader="TRL's SFTTrainer, for base models",
    data=DataFile("{split}.jsonl", write_rendered, read_rendered),
    loss="id, language and lineage",
    load=_load,
)
TRL_CHAT = Format(
    name="trl-chat",
    summary="JSON lines of prompt and completion as messages, for a chat template",
    reader="TRL's SFTTrainer, for chat models",
    data=DataFile("{split}.jsonl", write_chats, read_chats),
    loss="the border between instruction and input, id, language and lineage",
    load=_load,
)
