"""How much room the outputs have."""

import shutil
from pathlib import Path

from flows.metrics.series import Family, Series

FREE = Family("pacaloom_disk_free_bytes", "gauge", (), "Room left on the disk of the outputs.")
SIZE = Family("pacaloom_disk_size_bytes", "gauge", (), "Size of the disk of the outputs.")
FLOOR = Family(
    "pacaloom_disk_floor_bytes",
    "gauge",
    (),
    "Room with less than which a run stops (PACALOOM_MIN_FREE_GB).",
)
_GB = 1e9


class DiskCollector:
    """The disk of an outputs folder."""

    name = "disk"
    families = (FREE, SIZE, FLOOR)

    def __init__(self, outputs: Path, floor_gb: float) -> None:
        self._outputs = outputs
        self._floor_gb = floor_gb

    def collect(self, series: Series) -> list[str]:
        # Before the first run the folder is not there yet.
        folders = (self._outputs, *self._outputs.parents)
        found = shutil.disk_usage(next(folder for folder in folders if folder.exists()))
        series.add(FREE, found.free)
        series.add(SIZE, found.total)
        series.add(FLOOR, self._floor_gb * _GB)
        return []
