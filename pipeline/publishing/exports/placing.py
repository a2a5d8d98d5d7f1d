"""Put an export where it is wanted, without taking anything that is not an export's."""

import os
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.publishing.exports.contract import ExportError
from pipeline.publishing.exports.reading import read_source
from pipeline.publishing.exports.source import SOURCE
from pipeline.publishing.versions import list_versions
from schemas.manifest import DatasetManifest, TrainingManifest
from schemas.storage import ManifestError, StorageError, atomic_folder, read_manifest

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
    is_filled = _is_filled(target)
    if is_filled and not force:
        raise ExportError(
            f"{target} is not empty. Name another folder with --to, or add --force to replace an "
            "earlier export there."
        )
    # A link to an empty folder stays, and the folder is filled.
    target = Path(os.path.realpath(target))
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
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {error.strerror}: {error.filename}. Mend the "
            "permissions or move it away, then export again with --force."
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _is_filled(target: Path) -> bool:
    """Tell whether a folder is there and holds something."""
    try:
        if target.is_dir():
            return any(target.iterdir())
    except OSError as error:
        raise ExportError(f"{target} cannot be a folder: {error.strerror}.") from error
    if os.path.lexists(target):
        what = "a link that leads to no folder" if target.is_symlink() else "a file"
        raise ExportError(f"{target} is {what}; name a folder with --to.")
    return False


def refuse_versions(target: Path, places: Sequence[Path]) -> None:
    """Refuse to write into a published version, also through links, or to lie among versions.

    Raises:
        ExportError: ``target`` or one of the places in it is, or is in, a version's folder; or it
            could be taken for the newest version.
    """
    for place in places:
        # Path.resolve() fails on a link to itself.
        resolved = Path(os.path.realpath(target / place))
        for folder in (resolved, *resolved.parents):
            if _is_version(folder):
                raise ExportError(
                    f"{target / place} is in the version {folder}, which never changes. Name "
                    "another folder with --to."
                )
        beside = resolved.parent
        if any(map(_is_version, list_versions(beside.parent, beside.name))):
            raise ExportError(
                f"{target / place} lies among the versions in {beside}, and would be taken for "
                "one. Name another folder with --to."
            )


def _is_version(folder: Path) -> bool:
    """Tell whether a folder is a published dataset or model."""
    if not os.access(folder / "manifest.json", os.R_OK):
        return False
    for manifest in (DatasetManifest, TrainingManifest):
        with suppress(ManifestError):
            read_manifest(folder, manifest, "a version")
            return True
    return False


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
