"""Chats of one question and one answer: OpenAI's messages and ShareGPT's conversations.

Instruction and input are one user turn, with a blank line between them. No system message is
written: the records have none, and one for all of them belongs to whoever trains.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from pipeline.publishing.exports.contract import (
    DataFile,
    Exported,
    ExportError,
    Format,
    Mark,
    first_file,
    quote,
)
from pipeline.publishing.exports.joining import join, restore
from pipeline.publishing.exports.json_files import (
    Object,
    read_json_lines,
    read_json_list,
    write_json_lines,
    write_json_list,
)
from pipeline.publishing.exports.rows import Batch, Row, iterate_rows


def say(role: str, content: str) -> dict[str, str]:
    """Write one message."""
    return {"role": role, "content": content}


def pick_text(turns: object, index: int, key: str, mark: Mark) -> str:
    """Take the text of one turn.

    Raises:
        ExportError: There is no such turn, or it has no such text.
    """
    try:
        text = cast("list[dict[str, object]]", turns)[index][key]
    except (KeyError, IndexError, TypeError) as error:
        raise ExportError(f"{mark.file}: record {mark.id} has no turn with {key!r}.") from error
    if not isinstance(text, str):
        raise ExportError(f"{mark.file}: record {mark.id} has no text in {key!r}.")
    return text


def write_messages(path: Path, batches: Iterator[Batch]) -> None:
    """Write one chat a line, as OpenAI's fine-tuning wants it."""
    write_json_lines(
        path,
        (
            {"messages": [say("user", join(row)), say("assistant", row.output)]}
            for batch in batches
            for row in iterate_rows(batch)
        ),
    )


def read_messages(path: Path, marks: Iterable[Mark]) -> Iterator[Row]:
    """Read the chats back."""
    for one, mark in zip(read_json_lines(path), marks, strict=True):
        turns = one.get("messages")
        question, answer = (pick_text(turns, index, "content", mark) for index in (0, 1))
        yield restore(question, answer, mark)


def write_conversations(path: Path, batches: Iterator[Batch]) -> None:
    """Write a list of conversations, as FastChat's ``train.py`` wants it."""
    write_json_list(path, (_converse(row) for batch in batches for row in iterate_rows(batch)))


def read_conversations(path: Path, marks: Iterable[Mark]) -> Iterator[Row]:
    """Read the conversations back."""
    for one, mark in zip(read_json_list(path), marks, strict=True):
        turns = one.get("conversations")
        question, answer = (pick_text(turns, index, "value", mark) for index in (0, 1))
        yield restore(question, answer, mark)


def _converse(row: Row) -> Object:
    question = {"from": "human", "value": join(row)}
    return {"id": row.id, "conversations": [question, {"from": "gpt", "value": row.output}]}


def _load_openai(exported: Exported, folder: str) -> str:
    path = f"{folder}/{first_file(exported, 'train') or exported.files[0].name}"
    return f'openai.OpenAI().files.create(file=open({path!r}, "rb"), purpose="fine-tune")'


def _load_sharegpt(exported: Exported, folder: str) -> str:
    train, held_out = first_file(exported, "train"), first_file(exported, "validation")
    flags = f" --data_path {quote(folder, train or str(held_out))}"
    flags += f" --eval_data_path {quote(folder, held_out)}" if train and held_out else ""
    return f"python -m fastchat.train.train --model_name_or_path MODEL --output_dir out{flags}"


_BORDER = "the border between instruction and input"

OPENAI_CHAT = Format(
    name="openai-chat",
    summary="JSON lines of messages: a user's turn and the assistant's",
    reader="OpenAI fine-tuning, and all that take its files (TRL, Axolotl, LLaMA-Factory)",
    data=DataFile("{split}.jsonl", write_messages, read_messages),
    loss=f"{_BORDER}, id, language and lineage",
    load=_load_openai,
)
SHAREGPT = Format(
    name="sharegpt",
    summary="a JSON list of conversations with from and value",
    reader="FastChat, and all that take ShareGPT's form",
    data=DataFile("{split}.json", write_conversations, read_conversations),
    loss=f"{_BORDER}, language and lineage",
    load=_load_sharegpt,
)
