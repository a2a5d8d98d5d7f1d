"""Put an export where it is wanted: whole or not at all, and never over files of others."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from schemas.errors import UserError
from schemas.exports import ExportManifest
from schemas.storage import atomic_folder

EXPORT_MANIFEST = "export.json"


class ExportError(UserError):
    """A student cannot be exported, or not to there."""


@contextmanager
def open_target(target: Path, *, force: bool) -> Generator[Path]:
    """Lend an empty folder that takes the target's name on success.

    Args:
        target: Absent or empty; with ``force`` an earlier export with nothing else beside it.
        force: Replace that one.

    Raises:
        ExportError: Something else is there, or the target lies in a published version.
        StorageError: The folder cannot be written.
    """
    target = Path(os.path.realpath(target))
    check_target(target, force=force)
    with atomic_folder(target) as folder:
        yield folder
        if target.is_dir():
            shutil.rmtree(target)


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a target before the work rather than after it.

    Raises:
        ExportError: As :func:`open_target`.
    """
    target = Path(os.path.realpath(target))
    for folder in (target, *target.parents):
        if (folder / "manifest.json").is_file():
            raise ExportError(
                f"{target} is in the version {folder}, which never changes. Name another folder "
                "with --to."
            )
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise ExportError(f"{target} is a file. Name a folder with --to.")
    present = {file.name for file in target.iterdir()}
    if not present:
        return
    if not force:
        raise ExportError(
            f"{target} is not empty. Name another folder with --to, or add --force to replace an "
            "earlier export there."
        )
    if foreign := sorted(present - _list_earlier(target)):
        raise ExportError(
            f"{target / foreign[0]} was not written by an export and stays. Move it away, or name "
            "another folder with --to."
        )


def _list_earlier(folder: Path) -> set[str]:
    """Name the files of the export that lies in a folder."""
    try:
        text = (folder / EXPORT_MANIFEST).read_bytes()
        return {EXPORT_MANIFEST, *ExportManifest.model_validate_json(text).files}
    except (OSError, ValidationError):
        return set()
