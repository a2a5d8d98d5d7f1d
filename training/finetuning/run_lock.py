"""Let one process at a time work on a run.

The lock is the kernel's (``flock``) on a file in the run's folder: it ends with its process however
that ends, so a killed run never has to be unlocked by hand. The file holds the process id, for the
line that a second run is refused with.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import PacaloomError
from schemas.locking import is_locked
from schemas.storage import StorageError

_LOCK = "lock"
# Somebody who only looks whether it is held holds it himself for a few microseconds.
_TRIES = 3
_PAUSE_S = 0.05


class RunBusyError(PacaloomError):
    """Another process works on the run."""


@contextmanager
def hold_run(folder: Path) -> Generator[None]:
    """Hold a run's folder for oneself; it is made when it is absent.

    Raises:
        RunBusyError: Another process, or another thread of this one, holds it.
        StorageError: The folder cannot be made or locked.
    """
    descriptor = _acquire(folder)
    try:
        yield
    finally:
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Tell whether some process works on a run at this moment."""
    return is_locked(folder / _LOCK)


def _acquire(folder: Path) -> int:
    """Lock the folder and return the descriptor that holds the lock."""
    path = folder / _LOCK
    try:
        while True:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            if not _lock(descriptor):
                raise _refuse(folder, descriptor)
            if _is_still_there(path, descriptor):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
                return descriptor
            # Whoever held it has finished the run and removed its folder in the meantime.
            os.close(descriptor)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be made or locked: {error.strerror or error}. Free space there, mend "
            "the permissions, or set PACALOOM_OUTPUTS to another folder."
        ) from error


def _lock(descriptor: int) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False


def _refuse(folder: Path, descriptor: int) -> RunBusyError:
    holder = os.pread(descriptor, 20, 0).decode("ascii", "replace")
    os.close(descriptor)
    who = f"Process {holder}" if holder.isdigit() else "Another process"
    return RunBusyError(
        f"{who} is at work on the same run in {folder}. Wait for it, or end it and run this again: "
        "it continues from the last checkpoint."
    )


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Tell whether a locked file has not been removed since it was opened."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
