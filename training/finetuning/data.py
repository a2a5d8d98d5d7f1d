"""Read the rows of a dataset version, and refuse a version that is too small to learn from.

Cost: linear in the rows, about 3 µs each.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.errors import UserError
from schemas.manifest import DatasetManifest
from schemas.records import Language
from schemas.storage import read_manifest

if TYPE_CHECKING:
    from pyarrow import Table

_COLUMNS = ["id", "instruction", "input", "output", "language"]
_LINEAGE = ["seed_ids", "derived_from"]
"""Columns that an outside version may lack."""


class DatasetError(UserError):
    """A dataset version cannot be read or cannot be trained on."""


class Row(NamedTuple):
    """One record, as far as training needs it."""

    id: str
    instruction: str
    input: str
    output: str
    language: Language
    lineage: tuple[str, ...] = ()
    """Ids of the record and of the seed tasks, document or record that it was made from."""


class TrainingData(NamedTuple):
    """A dataset version, read."""

    manifest: DatasetManifest
    train: list[Row]
    validation: list[Row]


def read_dataset(folder: Path, min_rows: int) -> TrainingData:
    """Read a dataset version.

    Raises:
        ManifestError: The folder is no dataset version.
        DatasetError: A split cannot be read, or there are too few rows in one.
    """
    manifest = read_manifest(folder, DatasetManifest, "a dataset version")
    data = TrainingData(manifest, _read_split(folder, "train"), _read_split(folder, "validation"))
    for split, rows in (("train", data.train), ("validation", data.validation)):
        promised = manifest.splits.get(split)
        if promised != len(rows):
            raise DatasetError(
                f"{folder}: the manifest promises {promised} {split} rows, data/{split}.parquet "
                f"has {len(rows)}. The version was changed; publish it again."
            )
    if len(data.train) < min_rows or not data.validation:
        raise DatasetError(_explain_shortage(folder, data, min_rows))
    return data


def _read_split(folder: Path, split: str) -> list[Row]:
    import pyarrow
    import pyarrow.parquet

    path = folder / "data" / f"{split}.parquet"
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            missing = set(_COLUMNS) - set(names)
            lineage = [name for name in _LINEAGE if name in names]
            table = None if missing else file.read(columns=_COLUMNS + lineage)
    except (OSError, pyarrow.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise DatasetError(
            f"{path} is not a readable split of a dataset version: {reason}"
        ) from error
    if table is None:
        raise DatasetError(f"{path} lacks the columns {', '.join(sorted(missing))}.")
    seed_ids = _read_column(table, "seed_ids")
    sources = _read_column(table, "derived_from")
    texts = zip(*(table[name].to_pylist() for name in _COLUMNS), strict=True)
    return [
        Row(*text, lineage=tuple(key for key in (text[0], *(seeds or ()), source) if key))
        for text, seeds, source in zip(texts, seed_ids, sources, strict=True)
    ]


def _read_column(table: "Table", name: str) -> list[Any]:
    """Read a column, or as many times nothing."""
    return table[name].to_pylist() if name in table.column_names else [None] * table.num_rows


def _explain_shortage(folder: Path, data: TrainingData, min_rows: int) -> str:
    """Say how many rows there are, what rejected the others, and which knob to turn."""
    manifest = data.manifest
    reasons = sorted(manifest.rejected.items(), key=lambda item: -item[1])[:3]
    rejected = ", ".join(f"{reason} {count}" for reason, count in reasons if count)
    return (
        f"{folder} is too small to train on: wanted at least {min_rows} training rows and 1 "
        f"validation row, found {len(data.train)} and {len(data.validation)}. "
        f"Of {manifest.generated} drafts {manifest.kept} were kept"
        + (f" (most rejected for: {rejected})" if rejected else "")
        + ". Generate more with a higher --quota, loosen the rules that reject most, "
        "or lower min_rows."
    )
