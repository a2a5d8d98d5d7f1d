"""Files that appear whole or not at all, and JSON lines whose faults are named by line and field.

Every file is written beside its target, fsynced and renamed, so that a reader never sees half of
one and a crash leaves the old one. A folder is filled under a temporary name and renamed last.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas.errors import PacaloomError, UserError

# What the block does may fail for reasons of its own, such as a refused connection.
_OF_THE_DISK = {
    errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.EFBIG, errno.EIO, errno.EISDIR, errno.ELOOP,
    errno.EMFILE, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM,
    errno.EROFS,
}  # fmt: skip

Model = TypeVar("Model", bound=BaseModel)


class StorageError(PacaloomError):
    """A file or folder could not be written."""


class RecordFileError(UserError):
    """A line of a records file is not what its model wants."""


class ManifestError(UserError):
    """A folder is not what its user took it for."""


def describe_validation_error(error: ValidationError) -> str:
    """Name the first offending field and what is wrong with it, in one line."""
    first = error.errors(include_url=False)[0]
    # pydantic marks a key that does not fit with a part of its own, which tells people nothing.
    field = ".".join(str(part) for part in first["loc"] if part != "[key]") or "line"
    more = error.error_count() - 1
    suffix = f" (and {more} more)" if more else ""
    return f"{field}: {_explain(first['type'], first['msg'])}{suffix}"


def _explain(kind: str, message: str) -> str:
    """Say what pydantic means where its words are a programmer's."""
    if kind == "extra_forbidden":
        return "there is no such field"
    return message.removeprefix("Value error, ")


def read_jsonl(path: Path, model: type[Model]) -> Iterator[Model]:
    """Read one model a line, skipping blank lines.

    Raises:
        RecordFileError: Names file, line and field of the first line that does not fit.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    try:
                        yield model.model_validate_json(line)
                    except ValidationError as error:
                        raise RecordFileError(
                            f"{path}:{number}: {describe_validation_error(error)}"
                        ) from error
    except FileNotFoundError as error:
        raise RecordFileError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecordFileError(f"{path}: cannot be read as UTF-8 text: {error}") from error


def write_jsonl(path: Path, models: Iterable[BaseModel]) -> None:
    """Write one model a line, atomically."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(model.model_dump_json() + "\n" for model in models)


def write_text(path: Path, text: str) -> None:
    """Write a text file, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_manifest(folder: Path, model: type[Model], kind: str) -> Model:
    """Read ``manifest.json`` of a published folder.

    Args:
        folder: Dataset version or model folder.
        model: The manifest's model.
        kind: What the folder should be, for the error: "a dataset version".

    Raises:
        ManifestError: The folder is absent, or is something else.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        raise ManifestError(
            f"{folder} is not {kind}: wanted a folder with manifest.json, found {_found(folder)}."
        )
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise ManifestError(f"{path} is not {kind}: {describe_validation_error(error)}") from error


def _found(folder: Path) -> str:
    if folder.is_dir():
        return "a folder without one"
    return "a file" if folder.exists() else "nothing"


def hash_file(path: Path) -> str:
    """Hash what a file holds to 64 hex digits of sha256, without reading it into memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """Lend a temporary name beside ``path``; on success it is fsynced and takes that name.

    Raises:
        StorageError: The folder is missing and cannot be made, is read-only, or the disk is full.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        sync_to_disk(temporary)
        temporary.replace(path)
        sync_to_disk(path.parent)
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        raise _storage_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Generator[Path]:
    """Lend an empty temporary folder beside ``path``; on success it takes that name.

    An existing ``path`` is an error, because published folders are immutable.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        yield temporary
        for file in sorted(temporary.rglob("*")):
            sync_to_disk(file)
        sync_to_disk(temporary)
        temporary.chmod(0o755)
        if path.exists():
            raise StorageError(f"{path} exists already and published folders are never rewritten.")
        temporary.rename(path)
        sync_to_disk(path.parent)
    except OSError as error:
        raise _storage_error(path, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def sync_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _storage_error(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path} cannot be written: {error.strerror or error}. "
        "Free space there, mend the permissions, or choose another folder "
        "(PACALOOM_OUTPUTS for outputs, PACALOOM_CACHE for models)."
    )
