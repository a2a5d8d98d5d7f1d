"""Put an export where it is wanted, without taking anything that is not an export's."""

import os
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.publishing.exports.contract import ExportError
from pipeline.publishing.exports.reading import read_source
from pipeline.publishing.exports.source import SOURCE
from pipeline.publishing.versions import open_version
from schemas.storage import ManifestError, atomic_folder

_STAGED = ".export-unfinished"


@contextmanager
def replace_export(target: Path, places: Sequence[Path], force: bool) -> Generator[Path]:
    """Lend an empty folder whose content becomes that of ``target`` on success.

    Args:
        target: Absent or an empty folder; with ``force`` any folder.
        places: Folders within that are written, relative.
        force: Replace an earlier export and leave all other files where they are.

    Raises:
        ExportError: ``target`` is not empty, or a file would go that no export wrote.
        StorageError: The folder cannot be written.
    """
    if target.exists() and not target.is_dir():
        raise ExportError(f"{target} is a file; name a folder with --to.")
    is_filled = target.is_dir() and any(target.iterdir())
    if is_filled and not force:
        raise ExportError(
            f"{target} is not empty. Name another folder with --to, or add --force to replace an "
            "earlier export there."
        )
    if not is_filled:
        with atomic_folder(target) as folder:
            yield folder
            if target.is_dir():
                target.rmdir()
        return
    staged = target / _STAGED
    shutil.rmtree(staged, ignore_errors=True)
    try:
        with atomic_folder(staged) as folder:
            yield folder
        for place in places:
            _check_owner(staged / place, target / place)
        for place in places:
            _take_over(staged / place, target / place)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def refuse_versions(target: Path, places: Sequence[Path]) -> None:
    """Refuse to write into a published version, through links too.

    Raises:
        ExportError: ``target`` or one of the places in it is, or is in, a version's folder.
    """
    for place in places:
        resolved = (target / place).resolve()
        for folder in (resolved, *resolved.parents):
            if _is_version(folder):
                raise ExportError(
                    f"{target / place} is in the version {folder}, which never changes. Name "
                    "another folder with --to."
                )


def _is_version(folder: Path) -> bool:
    if not os.access(folder / "manifest.json", os.R_OK):
        return False
    try:
        open_version(folder)
    except ManifestError:
        return False
    return True


def _check_owner(staged: Path, target: Path) -> None:
    earlier = _list_earlier(target)
    for file in _list_files(staged):
        if file.name not in earlier and os.path.lexists(target / file.name):
            raise ExportError(
                f"{target / file.name} was not written by an export and stays. Move it away, or "
                "name another folder with --to."
            )


def _take_over(staged: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    files = _list_files(staged)
    for name in _list_earlier(target) - {file.name for file in files}:
        (target / name).unlink(missing_ok=True)
    for file in files:
        file.replace(target / file.name)


def _list_files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.iterdir()) if file.is_file()]


def _list_earlier(folder: Path) -> set[str]:
    """Name the files of the export that lies in a folder."""
    if not (folder / SOURCE).exists():
        return set()
    names = {file.path for file in read_source(folder).files}
    # A name with a folder in it is none of ours, and would reach out of this one.
    return {SOURCE, *(name for name in names if Path(name).name == name)}
