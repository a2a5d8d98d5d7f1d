"""KoAlpaca v1.1a: JSON lines of instruction and output, and its trainer's text-only file.

Beomi/KoAlpaca trains v1.1 with ``run_clm.py`` on a file that has nothing but the column ``text``:
``### 질문: … ### 답변: …<|endoftext|>``. A record's input is joined with the label that KoAlpaca's
README gives the context, so that what is trained on is the same text as with an input of its own.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.publishing.exports.contract import (
    DataFile,
    DerivedFile,
    Exported,
    Format,
    Mark,
    first_file,
    quote,
)
from pipeline.publishing.exports.joining import join, restore
from pipeline.publishing.exports.json_files import read_json_lines, write_json_lines
from pipeline.publishing.exports.rows import Batch, Row, iterate_rows
from schemas.templates import INSTRUCTION

CONTEXT = "\n\n### 맥락: "
"""Stands between instruction and input."""
_END = "<|endoftext|>"


def write_koalpaca(path: Path, batches: Iterator[Batch]) -> None:
    """Write the two columns of v1.1a that are not about its source."""
    rows = (row for batch in batches for row in iterate_rows(batch))
    write_json_lines(
        path, ({"instruction": join(row, CONTEXT), "output": row.output} for row in rows)
    )


def read_koalpaca(path: Path, marks: Iterable[Mark]) -> Iterator[Row]:
    """Read them back."""
    for one, mark in zip(read_json_lines(path), marks, strict=True):
        yield restore(one.get("instruction"), one.get("output"), mark, CONTEXT)


def _write_text_only(path: Path, batches: Iterator[Batch]) -> None:
    rows = (row for batch in batches for row in iterate_rows(batch))
    write_json_lines(path, ({"text": _render(row)} for row in rows))


def _render(row: Row) -> str:
    return "".join(INSTRUCTION.render(row.instruction, row.input, row.output, "ko")) + _END


def _load(exported: Exported, folder: str) -> str:
    file = (first_file(exported, "train") or exported.files[0].name).removesuffix(".jsonl")
    return (
        f"python run_clm.py --train_file {quote(folder, f'{file}_textonly.json')} "
        "--model_name_or_path EleutherAI/polyglot-ko-1.3b --do_train --output_dir out"
    )


KOALPACA = Format(
    name="koalpaca-v1.1a",
    summary="JSON lines of instruction and output, and the text-only file of its trainer",
    reader="KoAlpaca's train_v1.1b/run_clm.py, and what loads beomi/KoAlpaca-v1.1a",
    data=DataFile("{split}.jsonl", write_koalpaca, read_koalpaca),
    derived=DerivedFile("{split}_textonly.json", _write_text_only),
    loss="the border between instruction and input, id, language and lineage",
    load=_load,
)
