"""Keep what a model answered to a cell in one small parquet file, which is there whole or not."""

from pathlib import Path
from typing import NamedTuple

from schemas.storage import atomic_path


class Kept(NamedTuple):
    """The answers to a cell, without the cell."""

    log_probs: list[list[float]]
    neutral: list[list[float]]
    texts: list[str]
    ended: list[bool]


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
