"""Choose what of a version is sent to a hub, and check that it is what was published.

The manifest goes as it is, so it may name files that stay behind; those are listed, and named in
the commit's description. Cost: every file is read once; memory is one block.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pipeline.publishing.versions import open_version
from schemas.errors import UserError
from schemas.manifest import DatasetManifest

MANIFEST = "manifest.json"
REVIEW = "review.jsonl"
REPORT = "report.html"
JOURNAL = "journal.jsonl.gz"
"""Where a journal lies in a repository; it is no file of the version."""

_VERSION = re.compile(r"\d{4,}-[0-9a-f]{12}")
_BLOCK = 1 << 20


class DamagedFileError(UserError):
    """A file of the version is missing, or is not what was published."""


class OutgoingFile(NamedTuple):
    """One file that is sent."""

    path: str
    """In the repository."""
    source: Path
    size: int
    sha256: str
    blob_id: str
    """What git calls the same bytes: sha1 over a header and them."""


class LeftOut(NamedTuple):
    """One file that stays on this machine."""

    path: str
    reason: str


class Contents(NamedTuple):
    """A version as it is sent."""

    manifest: DatasetManifest
    files: tuple[OutgoingFile, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def reference(self) -> str:
        """``NAME/VERSION``."""
        return f"{self.manifest.name}/{self.manifest.version}"


def gather_contents(folder: Path, *, with_review: bool, journal: Path | None) -> Contents:
    """Collect a version's files, each held against its hash.

    Args:
        folder: The version.
        with_review: Send what holds readers' names too: ``review.jsonl``.
        journal: An export to be sent with the version; then the report may go too, which shows
            prompts and raw answers.

    Raises:
        ManifestError: The folder is no dataset version.
        DamagedFileError: Names the first file that is missing or changed.
    """
    manifest = open_version(folder)
    if not _VERSION.fullmatch(manifest.version):
        raise DamagedFileError(
            f"{folder / MANIFEST} was changed: wanted a version like 0001-0123456789ab, found "
            f"{manifest.version!r}. Publish it again."
        )
    left_out: list[LeftOut] = []
    files: list[OutgoingFile] = []
    staying = _find_staying(manifest, with_review=with_review, with_journal=journal is not None)
    for listed in manifest.files:
        outgoing = _read(listed.path, _locate(folder, listed.path))
        if outgoing.sha256 != listed.sha256:
            raise _damaged(folder, listed.path, "it was changed after it was published")
        if listed.path in staying:
            left_out.append(LeftOut(listed.path, staying[listed.path]))
        else:
            files.append(outgoing)
    files.append(_read(MANIFEST, folder / MANIFEST))
    if journal is not None:
        files.append(_read(JOURNAL, journal))
    else:
        left_out.append(LeftOut(JOURNAL, "prompts and raw answers; send it with --with-journal"))
    left_out += [
        LeftOut(path, "is no file of the version") for path in _find_strangers(folder, manifest)
    ]
    return Contents(manifest, tuple(sorted(files)), tuple(left_out))


def _find_staying(
    manifest: DatasetManifest, *, with_review: bool, with_journal: bool
) -> dict[str, str]:
    """Map each file that stays here to the reason."""
    staying: dict[str, str] = {}
    if not with_journal and set(manifest.strategies) - {"import"}:
        staying[REPORT] = "shows prompts and raw answers; send it with --with-journal"
    if not with_review:
        staying[REVIEW] = "holds readers' names; send it with --with-review"
    return staying


def _locate(folder: Path, path: str) -> Path:
    """Find a listed file; a manifest from elsewhere may name anything on this machine."""
    plain = PurePosixPath(path)
    is_plain = plain.parts and not plain.is_absolute() and plain.as_posix() == path
    is_hidden = any(part.startswith(".") for part in plain.parts)
    file = folder / path
    if (
        not is_plain
        or is_hidden
        or "\\" in path
        or not file.resolve().is_relative_to(folder.resolve())
    ):
        raise _damaged(folder, path, "a path that leads out of the version, or is hidden")
    if path in (MANIFEST, JOURNAL):
        raise _damaged(folder, path, "a name that no version lists")
    if not file.is_file():
        raise _damaged(folder, path, "it is missing")
    return file


def _damaged(folder: Path, path: str, found: str) -> DamagedFileError:
    return DamagedFileError(
        f"{folder} is damaged, nothing was sent: wanted {path!r} as the manifest lists it, found: "
        f"{found}. Copy the version again from where it is whole, or publish it again."
    )


def _read(path: str, source: Path) -> OutgoingFile:
    try:
        size = source.stat().st_size
        whole, blob = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        with source.open("rb") as file:
            while block := file.read(_BLOCK):
                whole.update(block)
                blob.update(block)
    except OSError as error:
        raise DamagedFileError(f"{source} cannot be read: {error.strerror}.") from error
    return OutgoingFile(path, source, size, whole.hexdigest(), blob.hexdigest())


def _find_strangers(folder: Path, manifest: DatasetManifest) -> Iterator[str]:
    known = {MANIFEST, *(listed.path for listed in manifest.files)}
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if path not in known and not file.is_dir():
            yield path
