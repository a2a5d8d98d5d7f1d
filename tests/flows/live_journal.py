"""What stands in a journal that a run is writing, whose file no second connection may open."""

from contextlib import suppress
from pathlib import Path

from flows.metrics.journal_snapshot import SnapshotError, read_snapshot


def count_answers(journal: Path) -> int:
    """Count what is committed; none before there is a journal, or while it cannot be read."""
    with suppress(SnapshotError):
        return read_snapshot(
            journal, lambda rows: rows.execute("SELECT count(*) FROM completions").fetchone()[0]
        )
    return 0
