"""The records of a version as a stream.

Cost: linear; a batch of 2,000 records at a time is in memory.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.publishing.exports.rows import SPLITS, Part, Split, is_intact, iterate_rows
from pipeline.publishing.tables import RECORD_COLUMNS, TableError
from schemas.records import LANGUAGES, Language

_BATCH_ROWS = 2_000
_WAY_OUT = "Copy the version again, or publish it anew."


def count_rows(version: Path) -> dict[tuple[Split, Language], int]:
    """Count the records of a version by split and language.

    Raises:
        TableError: A table is missing, damaged, or not one of ours.
    """
    counts: dict[tuple[Split, Language], int] = {}
    for split in SPLITS:
        found = dict.fromkeys(LANGUAGES, 0)
        for batch in _read(_table(version, split), ["language"]):
            values = batch.column(0).to_pylist()
            for language in LANGUAGES:
                found[language] += values.count(language)
        counts |= {(split, language): count for language, count in found.items()}
    return counts


def check_rows(version: Path, part: Part) -> None:
    """Hold every record against its id.

    Raises:
        TableError: A text is not the one that its id was made from, or as for
            :func:`read_batches`.
    """
    for batch in read_batches(version, part):
        for row in iterate_rows(batch):
            if not is_intact(row):
                raise TableError(
                    f"{_table(version, part.split)}: the text of record {row.id} is not the one "
                    f"that was published. {_WAY_OUT}"
                )


def read_batches(version: Path, part: Part) -> Iterator[pa.RecordBatch]:
    """Read the records of one part, in order and with all columns.

    Raises:
        TableError: A table is missing, damaged, or not one of ours.
    """
    path = _table(version, part.split)
    for batch in _read(path, RECORD_COLUMNS.names):
        languages = batch.column("language").to_pylist()
        chosen = batch.filter(pa.array([one in part.languages for one in languages], pa.bool_()))
        if chosen.num_rows:
            yield chosen


def _table(version: Path, split: Split) -> Path:
    return version / "data" / f"{split}.parquet"


def _read(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with _naming(path), pq.ParquetFile(path) as file:
        missing = set(columns) - set(file.schema_arrow.names)
        if missing:
            raise TableError(
                f"{path} lacks the columns {', '.join(sorted(missing))}: it is of another version "
                f"of Pacaloom. {_WAY_OUT}"
            )
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=columns)


@contextmanager
def _naming(path: Path) -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise TableError(f"{path} cannot be read: there is no such file. {_WAY_OUT}") from error
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise TableError(f"{path} cannot be read as a table: {reason}. {_WAY_OUT}") from error
