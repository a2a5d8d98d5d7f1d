"""Find versions, and read manifests and reports once, and again when they have changed."""

import os
from pathlib import Path
from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError

from pipeline.publishing.versions import list_versions
from schemas.errors import PacaloomError
from schemas.storage import describe_validation_error

Model = TypeVar("Model", bound=BaseModel)


def find_versions(root: Path) -> dict[str, list[Path]]:
    """Find the version folders of each name that has any, names in order and oldest first."""
    names = sorted(path.name for path in root.glob("[!.]*") if path.is_dir())
    return {name: found for name in names if (found := list_versions(root, name))}


class UnreadableFileError(PacaloomError):
    """A file is absent, or not what its place says."""


class ManifestReader:
    """Keeps what it has read while the file stays the same: a report may have a megabyte."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int, int], BaseModel]] = {}

    def read(self, path: Path, model: type[Model]) -> Model:
        """Read a file.

        Raises:
            UnreadableFileError: Says which file and why.
        """
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                state = (found.st_ino, found.st_mtime_ns, found.st_size)
                known = self._known.get(path)
                if known is not None and known[0] == state:
                    return cast(Model, known[1])
                content = model.model_validate_json(file.read())
        except OSError as error:
            raise UnreadableFileError(f"{path}: {error.strerror or error}") from error
        except ValidationError as error:
            raise UnreadableFileError(f"{path}: {describe_validation_error(error)}") from error
        self._known[path] = (state, content)
        return content

    def forget_others(self, kept: set[Path]) -> None:
        """Keep only these: a folder gets a new version every night."""
        self._known = {path: entry for path, entry in self._known.items() if path in kept}
