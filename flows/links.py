"""The links of a version's proof, and what each is proved from."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from flows.engine import Engine
from flows.settings import Settings
from schemas.manifest import DatasetManifest

State = Literal["proven", "broken", "not here", "not asked"]


class Link(NamedTuple):
    """One step of the proof."""

    name: str
    state: State
    """``not here``: what would be needed is not on this machine. ``not asked``: an earlier link is
    broken, or only the files were asked for."""
    detail: str


class Grounds(NamedTuple):
    """What every link is proved from."""

    folder: Path
    manifest: DatasetManifest
    files: Sequence[Path]
    settings: Settings
    engine: Engine


def skip(*names: str) -> Iterator[Link]:
    """Say of links that nobody looked at them."""
    return (Link(name, "not asked", "") for name in names)
