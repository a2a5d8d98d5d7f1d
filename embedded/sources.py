"""What every source of a model file shares: its faults, and how it reports bytes."""

from pathlib import Path
from typing import NamedTuple

from schemas.errors import PacaloomError
from schemas.progress import Progress


class SourceError(PacaloomError):
    """One source could not give the file; the next may."""


class Target(NamedTuple):
    """Where a source puts what it gets, and whom it tells."""

    path: Path
    """The growing file. A source continues it, and leaves it in place when it fails."""
    size_bytes: int
    """Length of the whole file."""
    progress: Progress
