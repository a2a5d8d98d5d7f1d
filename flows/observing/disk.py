"""Stop a run before it fills the disk: others write there too, and a full one spoils more than it.

Stopping early costs nothing, because every run continues from what is on the disk.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from schemas.errors import PacaloomError

_EVERY_S = 5.0
_GB = 1e9


class DiskLowError(PacaloomError):
    """The disk of the outputs has less room than the floor."""


class DiskFloor:
    """The space that has to stay free on the file system of a folder."""

    def __init__(
        self, folder: Path, floor_gb: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Look at nothing yet.

        Args:
            folder: Need not exist.
            floor_gb: In units of 10^9 bytes; 0 switches the floor off.
            clock: Monotonic seconds.
        """
        self._folder = folder
        self._floor_gb = floor_gb
        self._clock = clock
        self._looked_at = float("-inf")

    def check(self) -> None:
        """Look how much is free.

        Raises:
            DiskLowError: Less than the floor.
        """
        self._looked_at = self._clock()
        if not self._floor_gb:
            return
        found = read_free_gb(self._folder)
        if found < self._floor_gb:
            raise DiskLowError(
                f"Wanted at least {self._floor_gb:g} GB free (PACALOOM_MIN_FREE_GB) on the disk of "
                f"{self._folder}, found {found:.2f} GB: stopped before it is full. Free space "
                "there (`./pacaloom maintenance` tells what may go), then run the same again: it "
                "continues."
            )

    def check_now_and_then(self) -> None:
        """Look every few seconds, however often this is called.

        Raises:
            DiskLowError: Less than the floor.
        """
        if self._clock() - self._looked_at >= _EVERY_S:
            self.check()


def read_free_gb(folder: Path) -> float:
    """Read what is free on the disk of a folder, or of the one that it would be made in."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free / _GB
