"""Keep what a model answered to a cell in one small parquet file, which is there whole or not.

The files of a model have a folder of their own, so that it can be told whose they are, and they go
together when nobody asks the model any more (``./pacaloom maintenance``).
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from schemas.identity import short_id
from schemas.storage import atomic_path


class Kept(NamedTuple):
    """The answers to a cell, without the cell."""

    log_probs: list[list[float]]
    neutral: list[list[float]]
    texts: list[str]
    ended: list[bool]


def name_model(fingerprint: str) -> str:
    """Name the folder of a model's cells; the fingerprint itself may be an address."""
    return short_id(fingerprint)


def open_model(folder: Path, fingerprint: str) -> Path:
    """Find the folder of a model's cells, there or not yet, and set its time: it is in use."""
    of_model = folder / name_model(fingerprint)
    # Somebody else's folder can be read, and stays as it is.
    with suppress(OSError):
        os.utime(of_model)
    return of_model


def read_kept(path: Path) -> Kept | None:
    """Read kept answers; None when there are none yet."""
    import pyarrow.parquet as pq

    if not path.is_file():
        return None
    table = pq.read_table(path)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return Kept(
        log_probs=columns.get("log_probs", []),
        neutral=columns.get("neutral", []),
        texts=columns.get("text", []),
        ended=columns.get("ended", []),
    )


def write_kept(path: Path, kept: Kept) -> None:
    """Write answers, one row an item."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = (
        {"text": kept.texts, "ended": kept.ended}
        if kept.texts
        else {"log_probs": kept.log_probs, "neutral": kept.neutral}
    )
    with atomic_path(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")
