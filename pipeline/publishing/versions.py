"""Find published dataset versions.

A version is named ``NNNN-HASH``: its ordinal under the name, and the start of the sha256 over its
records and rejections.
"""

import re
from pathlib import Path

from schemas.errors import UserError
from schemas.manifest import DatasetManifest
from schemas.storage import read_manifest

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"\d{4,}-[0-9a-f]{12}")


class DatasetVersionError(UserError):
    """A dataset name is unusable, or nothing was published under it."""


def check_name(name: str) -> None:
    """Refuse a name that is no safe folder name.

    Raises:
        DatasetVersionError: The name has other characters, or is too long.
    """
    if not _NAME.fullmatch(name):
        raise DatasetVersionError(
            f"A dataset name is 1 to 64 of a-z, 0-9, dot, dash and underscore, found {name!r}."
        )


def list_versions(root: Path, name: str) -> list[Path]:
    """List the version folders of a name, oldest first."""
    folders = (root / name).glob("*-*")
    return sorted(
        (folder for folder in folders if _VERSION.fullmatch(folder.name)),
        key=lambda folder: int(folder.name.split("-")[0]),
    )


def latest_version(root: Path, name: str) -> Path:
    """Find the newest version of a name.

    Raises:
        DatasetVersionError: Nothing was published under the name.
    """
    versions = list_versions(root, name)
    if not versions:
        raise DatasetVersionError(
            f"No dataset version of {name!r} in {root}. "
            f"Make one with `./pacaloom curate --name {name}`."
        )
    return versions[-1]


def open_version(folder: Path) -> DatasetManifest:
    """Read a version's manifest.

    Raises:
        ManifestError: The folder is no dataset version.
    """
    return read_manifest(folder, DatasetManifest, "a dataset version")
