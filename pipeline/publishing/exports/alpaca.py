"""Stanford Alpaca's own file: a JSON list of instruction, input and output.

Its ``train.py`` reads it with ``json.load`` and takes ``example.get("input", "") != ""`` for "has
an input" (tatsu-lab/stanford_alpaca).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.publishing.exports.contract import (
    DataFile,
    Exported,
    ExportError,
    Format,
    Mark,
    data_files,
)
from pipeline.publishing.exports.json_files import Object, read_json_list, write_json_list
from pipeline.publishing.exports.rows import Batch, Row, iterate_rows


def write_alpaca(path: Path, batches: Iterator[Batch]) -> None:
    """Write a list of Alpaca's three columns."""
    write_json_list(path, (to_columns(row) for batch in batches for row in iterate_rows(batch)))


def read_alpaca(path: Path, marks: Iterable[Mark]) -> Iterator[Row]:
    """Read the list back."""
    return from_columns(read_json_list(path), marks)


def to_columns(row: Row) -> Object:
    """Write a row in Alpaca's columns."""
    return {"instruction": row.instruction, "input": row.input, "output": row.output}


def from_columns(objects: Iterable[Object], marks: Iterable[Mark]) -> Iterator[Row]:
    """Read Alpaca's columns back.

    Raises:
        ExportError: A column is missing, or is no text.
    """
    for one, mark in zip(objects, marks, strict=True):
        texts = [one.get(name) for name in ("instruction", "input", "output")]
        if not all(isinstance(text, str) for text in texts):
            raise ExportError(f"{mark.file}: wanted three texts for {mark.id}, found {texts!r:.60}")
        yield Row(mark.id, mark.language, *map(str, texts))


def _load(exported: Exported, folder: str) -> str:
    return f'datasets.load_dataset("json", data_files={data_files(exported, folder)})'


ALPACA = Format(
    name="alpaca",
    summary="a JSON list of instruction, input, output",
    reader="Stanford Alpaca's train.py, and whatever takes alpaca_data.json",
    data=DataFile("{split}.json", write_alpaca, read_alpaca),
    loss="id, language and lineage",
    load=_load,
)
