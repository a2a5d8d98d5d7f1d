"""Look at folders without following a link, and without minding what vanishes meanwhile."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def list_folder(folder: Path) -> list[Path]:
    """List what lies in a folder, by name; nothing where there is none.

    Raises:
        OSError: It cannot be looked into.
    """
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def list_readable(folder: Path) -> list[Path]:
    """List what lies in a folder that is no link, by name; nothing where it cannot be opened."""
    try:
        return list_folder(folder) if is_real_folder(folder) else []
    except OSError:
        return []


def measure(path: Path) -> int:
    """Add up the bytes of a file, or of all files in a folder."""
    return sum(status.st_size for status in _walk(path) if not stat.S_ISDIR(status.st_mode))


def last_written_s(path: Path) -> float:
    """Find when a file, or anything in a folder, was last written, in seconds of Unix time."""
    return max((status.st_mtime for status in _walk(path)), default=0.0)


def is_real_folder(path: Path) -> bool:
    """Tell whether this is a folder and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _walk(path: Path) -> Iterator[os.stat_result]:
    try:
        yield path.lstat()
        if not is_real_folder(path):
            return
        below = list_folder(path)
    except (FileNotFoundError, PermissionError):
        return
    for entry in below:
        yield from _walk(entry)
