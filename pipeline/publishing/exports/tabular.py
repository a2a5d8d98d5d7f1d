"""Tables: Parquet with every column, and CSV for spreadsheets.

A spreadsheet takes a cell that starts with one of ``= + - @`` for a formula, some also after
spaces, line breaks or what nobody sees, and one that a model wrote may call out. Such a cell gets
an apostrophe before it, and so does one that begins with apostrophes before such a sign: then each
has one way back. All cells are in quotes, but where a computer's list separator is a semicolon,
only a file that is imported with the comma named is safe from a cell that begins within another.
"""

import csv
import re
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
from pipeline.publishing.exports.rows import Batch, Row, iterate_rows
from schemas.records import LANGUAGES, Language

# Excel in Japanese takes the full-width signs for formulas too. Importers strip spaces of any kind
# and drop what has no width before they look.
_BLANK = r"\s\0\xad\u200b-\u200f\u2060\ufeff"
_FORMULA = re.compile(rf"'*(?:[\t\r\n]|[{_BLANK}]*[=+\-@＝＋－＠])")
CSV_COLUMNS = (
    "id", "language", "instruction", "input", "output", "task_type", "strategy", "teacher"
)  # fmt: skip
_LONGEST_CELL = 2**31 - 1
_BATCH_ROWS = 2_000


def defuse(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return "'" + text if _FORMULA.match(text) else text


def restore_cell(cell: str) -> str:
    """Undo :func:`defuse`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def write_csv(path: Path, batches: Iterator[Batch]) -> None:
    """Write all cells in quotes, after a byte order mark: Excel reads Hangul only with one."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(CSV_COLUMNS)
        for batch in batches:
            columns = [map(defuse, batch.column(name).to_pylist()) for name in CSV_COLUMNS]
            writer.writerows(zip(*columns, strict=True))


def read_csv(path: Path, marks: Iterable[Mark]) -> Iterator[Row]:
    """Read the table back; it has columns for what marks say."""
    previous = csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            for line in lines:
                yield _to_row({key: restore_cell(text) for key, text in line.items()}, path)
    except csv.Error as error:
        raise ExportError(f"{path} is not a table that was exported: {error}.") from error
    finally:
        csv.field_size_limit(previous)


def write_parquet(path: Path, batches: Iterator[Batch]) -> None:
    """Write every column, lineage included."""
    import pyarrow.parquet as pq

    from pipeline.publishing.tables import RECORD_COLUMNS

    with pq.ParquetWriter(path, RECORD_COLUMNS, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def read_parquet(path: Path, marks: Iterable[Mark]) -> Iterator[Row]:
    """Read the table back; it has columns for what marks say."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            yield from iterate_rows(batch)


def _to_row(line: dict[str, str], path: Path) -> Row:
    known: dict[str | None, Language] = {language: language for language in LANGUAGES}
    language = known.get(line.get("language"))
    if language is None:
        raise ExportError(f"{path}: wanted a language in each line, found {line!r:.80}.")
    return Row(line["id"], language, line["instruction"], line["input"], line["output"])


def _load_parquet(exported: Exported, folder: str) -> str:
    return f'datasets.load_dataset("parquet", data_files={data_files(exported, folder)})'


def _load_csv(exported: Exported, folder: str) -> str:
    # Without it pandas takes the words NA, None and null, and an empty input, for nothing.
    files = data_files(exported, folder)
    return f'datasets.load_dataset("csv", data_files={files}, keep_default_na=False)'


PARQUET = Format(
    name="parquet",
    summary="Parquet with every column, lineage included",
    reader="datasets, pandas, Polars, DuckDB",
    data=DataFile("{split}.parquet", write_parquet, read_parquet),
    loss="nothing",
    load=_load_parquet,
    has_marks=False,
)
CSV = Format(
    name="csv",
    summary="CSV for spreadsheets; formulas are defused with an apostrophe",
    reader="Excel, LibreOffice, pandas",
    data=DataFile("{split}.csv", write_csv, read_csv),
    loss="seed tasks and places in the journal",
    load=_load_csv,
    has_marks=False,
)
