"""Axolotl: JSON lines in Alpaca's columns, and the ``datasets:`` part of a config.

Languages have files of their own, because each has a template: English is Axolotl's type
``alpaca``, whose text is ours; Korean is a type of the user's own with KoAlpaca's template.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipeline.publishing.exports.alpaca import from_columns, to_columns
from pipeline.publishing.exports.contract import DataFile, Exported, Format, Mark, quote
from pipeline.publishing.exports.json_files import encode, read_json_lines, write_json_lines
from pipeline.publishing.exports.rows import Batch, Row, Split, iterate_rows
from schemas.records import Language
from schemas.templates import INSTRUCTION

CONFIG = "axolotl.yaml"


def write_lines(path: Path, batches: Iterator[Batch]) -> None:
    """Write Alpaca's three columns, one record a line."""
    write_json_lines(path, (to_columns(row) for batch in batches for row in iterate_rows(batch)))


def read_lines(path: Path, marks: Iterable[Mark]) -> Iterator[Row]:
    """Read the lines back."""
    return from_columns(read_json_lines(path), marks)


def _configure(exported: Exported) -> Mapping[str, str]:
    lines = [
        "# Paste into your config. The paths are relative to where axolotl is started.",
        *_section("datasets", "train", exported),
        *_section("test_datasets", "validation", exported),
    ]
    return {CONFIG: "\n".join(lines) + "\n"}


def _section(key: str, split: Split, exported: Exported) -> list[str]:
    files = [file for file in exported.files if file.part.split == split]
    lines = [f"{key}:"] if files else []
    for file in files:
        lines += [f"  - path: {file.name}", "    ds_type: json", "    split: train"]
        lines += _type(file.part.languages[0])
    return lines


def _type(language: Language) -> list[str]:
    if language == "en":
        return ["    type: alpaca"]
    # JSON's strings are YAML's double-quoted ones. What joins prompt and answer stands at the end,
    # because Axolotl puts the output right behind the prompt.
    joint = INSTRUCTION.render_completion("", language)
    with_input = encode(
        INSTRUCTION.render_prompt("{instruction}", "{input}", language) + joint
    ).decode()
    without = encode(INSTRUCTION.render_prompt("{instruction}", "", language) + joint).decode()
    return [
        "    type:",
        "      field_instruction: instruction",
        "      field_input: input",
        "      field_output: output",
        f"      format: {with_input}",
        f"      no_input_format: {without}",
    ]


def _load(exported: Exported, folder: str) -> str:
    return f"cd {quote(folder)} && axolotl preprocess CONFIG.yaml    # yours, with {CONFIG} in it"


AXOLOTL = Format(
    name="axolotl",
    summary="JSON lines of alpaca's columns by language, with the datasets: part of a config",
    reader="Axolotl",
    data=DataFile("{split}.{language}.jsonl", write_lines, read_lines),
    loss="id and lineage",
    load=_load,
    configure=_configure,
)
