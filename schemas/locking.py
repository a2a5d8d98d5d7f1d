"""Let one publisher at a time number and write the versions of a name.

The lock is the kernel's on a file beside the name's folder, so that it ends with its process
however that ends. What a killed publisher had written is a hidden folder, which the next one
removes: under the lock nobody else's can be there.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from schemas.errors import PacaloomError
from schemas.storage import StorageError

_PATIENCE_S = 1.0
_LEFTOVER = re.compile(r"\.\d{4,}-[0-9a-f]{12}\..+")
Say = Callable[[str], None]


class BusyError(PacaloomError):
    """Another process is at work on the name, and did not come to an end."""


def say_nothing(message: str) -> None:
    """Tell nobody."""


@contextmanager
def hold_name(
    root: Path, name: str, say: Say = say_nothing, longest_wait_s: float = 1800
) -> Generator[None]:
    """Hold a name for oneself, and find nothing half-written under it.

    Args:
        root: Folder of all names.
        name: Of the dataset or model.
        say: Told one line when another publisher is waited for.
        longest_wait_s: Seconds; 100,000 records take half a minute.

    Raises:
        BusyError: Another process has held it all the time.
        StorageError: The folder cannot be written.
    """
    lock = FileLock(root / f".{name}.lock")
    try:
        root.mkdir(parents=True, exist_ok=True)
        _acquire(lock, name, say, longest_wait_s)
    except OSError as error:
        raise StorageError(
            f"{root / name} cannot be written: {error.strerror or error}. Free space there, mend "
            "the permissions, or choose another folder (PACALOOM_OUTPUTS)."
        ) from error
    try:
        _remove_leftovers(root / name)
        yield
    finally:
        lock.release()


def is_name_held(root: Path, name: str) -> bool:
    """Tell whether some process publishes under a name at this moment."""
    return is_locked(root / f".{name}.lock")


def is_locked(path: Path) -> bool:
    """Tell whether some process holds the kernel's lock on a file for itself at this moment.

    Nothing is written; a file that is not there is held by nobody.
    """
    # Shared, so that two who look at the same time do not take each other for a holder.
    return not _can_lock(path, fcntl.LOCK_SH)


@contextmanager
def hold_in_use(path: Path) -> Generator[None]:
    """Hold a file with all others who use it, so that nobody removes it meanwhile."""
    with path.open("rb") as file:
        # Where the disk knows no locks, its time tells for a while that it is in use.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_in_use(path: Path) -> bool:
    """Tell whether some process holds a file by :func:`hold_in_use`, or for itself."""
    return not _can_lock(path, fcntl.LOCK_EX)


def _can_lock(path: Path, kind: int) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def is_leftover(folder_name: str) -> bool:
    """Tell whether a folder below a name is what a publisher began, or what was being removed."""
    return _LEFTOVER.fullmatch(folder_name) is not None


def name_removed(folder: Path) -> Path:
    """Name the hidden folder that a version becomes before it is deleted: a leftover at once."""
    return folder.with_name(f".{folder.name}.removed")


def _acquire(lock: FileLock, name: str, say: Say, longest_wait_s: float) -> None:
    try:
        lock.acquire(timeout=min(_PATIENCE_S, longest_wait_s))
    except Timeout:
        say(f"Another process is at work on {name!r}; waiting until it is done")
    else:
        return
    try:
        lock.acquire(timeout=max(0, longest_wait_s - _PATIENCE_S))
    except Timeout as error:
        raise BusyError(
            f"Another process has held {lock.lock_file} for {longest_wait_s / 60:.0f} minutes, so "
            f"nothing was done to {name!r}. See whether it still works, end it if not, and run "
            "this again: nothing is lost."
        ) from error


def _remove_leftovers(folder: Path) -> None:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if is_leftover(path.name) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
