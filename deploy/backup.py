"""Copy what a run cannot make again, while runs are going on.

    python -m deploy.backup OUTPUTS DESTINATION

Journals come first: every answer that was paid for is in one. Each is copied as it stood at one
moment, checked, and put in the place of its last copy; one that changes too fast keeps its last
copy, and the exit status is 1. Readers' decisions are copied anew each time. Version folders never
change, so only new ones are copied, and a copy stays when `maintenance` removes the folder. Bring
all of it back with `cp -a DESTINATION/. OUTPUTS/`.
"""

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from flows.metrics.journal_snapshot import SnapshotError, read_snapshot, remove_leftovers

_VERSIONS = ("datasets/*/*", "models/*/*", "evaluations/*/*")
_ARGUMENTS = 2


def copy_journal(source: Path, target: Path) -> None:
    """Copy a journal that a run may be writing.

    Raises:
        SnapshotError: It changes too fast, or is no journal.
        sqlite3.Error: It is damaged.
    """
    partial = _partial(target)

    def copy(journal: sqlite3.Connection) -> None:
        partial.unlink(missing_ok=True)
        _copy_rows(journal, partial)

    read_snapshot(source, copy)
    partial.replace(target)


def copy_registry(source: Path, target: Path) -> None:
    """Copy the registry, whose readers and writers wait for each other."""
    partial = _partial(target)
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as registry:
        _copy_rows(registry, partial)
    partial.replace(target)


def copy_lines(source: Path, target: Path) -> None:
    """Copy a file to which lines are added; one that is just being added counts for nothing."""
    partial = _partial(target)
    shutil.copy2(source, partial)
    partial.replace(target)


def copy_version(source: Path, target: Path) -> None:
    """Copy a folder that never changes, whole or not at all.

    Raises:
        OSError: It cannot be read or written as a whole.
    """
    if target.exists():
        return
    partial = _partial(target)
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial, symlinks=True)
    partial.rename(target)


def back_up(outputs: Path, destination: Path) -> Iterator[str]:
    """Copy everything; yield a line for each thing that could not be copied."""
    remove_leftovers(outputs / "journals")
    for source, copy in _list(outputs):
        try:
            copy(source, destination / source.relative_to(outputs))
        except (SnapshotError, sqlite3.Error, OSError) as error:
            # What `maintenance` removed meanwhile is not missing.
            if source.exists():
                yield f"{source} was not copied, its last copy stays: {error}"


def _list(outputs: Path) -> Iterator[tuple[Path, Callable[[Path, Path], None]]]:
    copies = (copy_journal, copy_registry, copy_lines)
    patterns = ("journals/*.sqlite", "registry.sqlite", "reviews/*.jsonl")
    for pattern, copy in zip(patterns, copies, strict=True):
        yield from ((path, copy) for path in sorted(outputs.glob(pattern)))
    for pattern in _VERSIONS:
        for path in sorted(outputs.glob(pattern)):
            # What begins with a dot is still being written, or can be made again at any time.
            is_visible = not path.name.startswith(".") and not path.parent.name.startswith(".")
            if is_visible and path.is_dir():
                yield path, copy_version


def _partial(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.part")


def _copy_rows(source: sqlite3.Connection, target: Path) -> None:
    with closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        # One file, without a log beside it that somebody could forget.
        copy.execute("PRAGMA journal_mode = DELETE")
        (verdict,) = copy.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)


def main(arguments: Sequence[str]) -> int:
    """Back up, and say what is missing from it."""
    if len(arguments) != _ARGUMENTS or not Path(arguments[0]).is_dir():
        sys.stderr.write("pacaloom: error: wanted OUTPUTS DESTINATION; OUTPUTS is a folder.\n")
        return 2
    problems = list(back_up(*map(Path, arguments)))
    for problem in problems:
        sys.stderr.write(f"pacaloom: error: {problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
