"""Compact the journals that nobody has open; no answer is ever removed."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from flows.retention.disk import list_readable
from pipeline.generation.journal.compacting import compact, measure_slack
from schemas.errors import PacaloomError
from schemas.progress import Progress


class Compactable(NamedTuple):
    """A journal with room to give back."""

    key: str
    size_bytes: int
    """To give back."""


class Compaction(NamedTuple):
    """What was given back, and what people should know."""

    compacted: tuple[Compactable, ...]
    notices: tuple[str, ...]


def find_compactable(outputs: Path) -> Compaction:
    """Find journals that hold something for nothing; nothing is opened or written."""
    found: list[Compactable] = []
    notices: list[str] = []
    for path in _find_journals(outputs):
        try:
            slack = measure_slack(path)
        except PacaloomError as error:
            notices.append(str(error))
            continue
        if slack.is_worth_it:
            key = path.relative_to(outputs).as_posix()
            found.append(Compactable(key, slack.total_bytes))
    return Compaction(tuple(found), tuple(notices))


def compact_journals(
    journals: tuple[Compactable, ...], outputs: Path, progress: Progress
) -> Compaction:
    """Compact them; one that is in use, damaged, or has no room for it stays as it is."""
    done: list[Compactable] = []
    notices: list[str] = []
    for number, journal in enumerate(journals):
        progress(number, len(journals), journal.key)
        try:
            compacted = compact(outputs / journal.key)
        except PacaloomError as error:
            notices.append(f"{journal.key} is not compacted: {error}")
            continue
        freed = compacted.before_bytes - compacted.after_bytes
        done.append(Compactable(journal.key, max(freed, 0)))
    progress(len(journals), len(journals), "")
    return Compaction(tuple(done), tuple(notices))


def _find_journals(outputs: Path) -> Iterator[Path]:
    for path in list_readable(outputs / "journals"):
        is_journal = path.suffix == ".sqlite" and not path.name.startswith(".")
        # An empty file is a journal that was never written to.
        if is_journal and path.is_file() and not path.is_symlink() and path.stat().st_size:
            yield path
