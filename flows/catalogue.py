"""All dataset versions under the outputs folder, damaged ones among them."""

from pathlib import Path
from typing import NamedTuple

from flows.settings import Settings
from pipeline.publishing.versions import list_versions, open_version
from schemas.manifest import DatasetManifest
from schemas.storage import ManifestError


class Listed(NamedTuple):
    """A version folder and what it says of itself."""

    folder: Path
    manifest: DatasetManifest | None
    problem: str
    """Why there is no manifest; empty where there is one."""


def list_datasets(settings: Settings, name: str | None = None) -> list[Listed]:
    """List all versions, or those of a name, by name and then oldest first; cost: a read each."""
    root = settings.outputs / "datasets"
    names = [name] if name else sorted(path.name for path in root.glob("[!.]*") if path.is_dir())
    return [_read(folder) for one in names for folder in list_versions(root, one)]


def _read(folder: Path) -> Listed:
    try:
        return Listed(folder, open_version(folder), "")
    except ManifestError as error:
        return Listed(folder, None, str(error))
