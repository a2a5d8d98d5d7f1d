"""Find the seed and document files that a version was made from, by what they hold.

A manifest names files outside the project by name only, and files inside it may have been changed
since.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from flows.drafts import read_drafts_manifest
from flows.settings import ROOT, Settings
from schemas.errors import UserError
from schemas.manifest import SourceFile
from schemas.storage import hash_file


class UnverifiableError(UserError):
    """There is nothing to compare: no run is described, or its files are not to be found."""


class Sources:
    """The places where files may be: the project's folder, and what users and runs have named."""

    def __init__(self, files: Sequence[Path], names: Iterable[str], settings: Settings) -> None:
        """Take the user's files and those that the runs of some names have read."""
        self._elsewhere = [file.expanduser() for file in files]
        for name in names:
            drafts = read_drafts_manifest(name, settings.outputs)
            if drafts is not None:
                self._elsewhere += map(Path, (*drafts.seed_paths, *drafts.document_paths))

    def find(self, wanted: Iterable[SourceFile]) -> tuple[str, ...]:
        """Find all files.

        Raises:
            UnverifiableError: Names the first that is not here as it was.
        """
        return tuple(str(self._find(source)) for source in wanted)

    def search(self, source: SourceFile) -> Path | None:
        """Find one file; None where it is not here, or was changed."""
        for path in (ROOT / source.path, *self._elsewhere):
            if path.is_file() and hash_file(path) == source.sha256:
                return path
        return None

    def _find(self, source: SourceFile) -> Path:
        path = self.search(source)
        if path is None:
            raise UnverifiableError(
                f"{source.path} with sha256 {source.sha256[:12]}… is needed and was not found, or "
                "has been changed. Give the file that the run had with --file."
            )
        return path
