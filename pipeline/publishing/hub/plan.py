"""Compare a version with what a repository holds: what would be added, changed and removed.

A repository's head mirrors one version, and each version that was ever there keeps its tag. Only
files that the version at the head listed itself are removed, and only those are replaced: what
people added to their repository stays. Cost: linear in the files.
"""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from pipeline.publishing.hub.contents import JOURNAL, MANIFEST, Contents, OutgoingFile
from schemas.errors import UserError

_PLACEHOLDER = "README.md"
"""The hub's own page offers to make one with the repository."""
_MOST_NAMED = 5


class RepositoryConflictError(UserError):
    """The repository is not what the request takes it for."""


class StoredFile(NamedTuple):
    """A file as the hub lists it."""

    size: int
    blob_id: str
    sha256: str | None
    """Of the content, for files in large-file storage; then ``blob_id`` is that of a pointer."""


class RepositoryState(NamedTuple):
    """What a repository holds now."""

    head: str
    """Commit that ``main`` points to."""
    is_private: bool
    files: Mapping[str, StoredFile]
    """At the head."""
    listed: Set[str]
    """Paths that the version at the head names as its own."""
    tagged: Mapping[str, StoredFile] | None
    """At the tag of the version that is to be sent; None without such a tag."""
    tagged_commit: str | None


class PushPlan(NamedTuple):
    """What a push would do, and whether it has anything to do."""

    added: tuple[OutgoingFile, ...]
    changed: tuple[OutgoingFile, ...]
    removed: tuple[str, ...]
    unchanged: tuple[OutgoingFile, ...]
    makes_repository: bool
    is_private: bool
    """As the repository is, or would be made."""
    is_tagged: bool
    """The version is there, whole and under its tag: nothing is sent."""

    @property
    def needs_commit(self) -> bool:
        """The head is another version, or none."""
        return not self.is_tagged and bool(self.added or self.changed or self.removed)

    @property
    def sent(self) -> tuple[OutgoingFile, ...]:
        """Files whose bytes travel."""
        return () if self.is_tagged else (*self.added, *self.changed)

    @property
    def sent_bytes(self) -> int:
        """Their bytes together."""
        return sum(file.size for file in self.sent)


def plan_push(
    contents: Contents, state: RepositoryState | None, *, public: bool, repository: str
) -> PushPlan:
    """Say what would be done.

    Args:
        contents: The version.
        state: The repository; None where there is none, or none that may be seen.
        public: The user allows everybody to read it.
        repository: For the errors.

    Raises:
        RepositoryConflictError: Everybody could read what was meant to be private, the version's
            tag holds something else, or files that are not ours would be replaced.
    """
    if state is None:
        return PushPlan(contents.files, (), (), (), True, not public, False)
    if not state.is_private and not public:
        raise RepositoryConflictError(
            f"{repository} is public, and a push is private unless you say otherwise: add --public "
            "to let everybody read this version, or name another repository."
        )
    if state.tagged is not None:
        _check_tagged(contents, state.tagged, repository)
        return PushPlan((), (), (), contents.files, False, state.is_private, True)
    added = [file for file in contents.files if file.path not in state.files]
    there = [file for file in contents.files if file.path in state.files]
    changed = [file for file in there if not _is_stored(file, state.files[file.path])]
    _check_owner(changed, state, repository)
    # A manifest does not list the journal that came with its version.
    ours = state.listed | {JOURNAL} if state.listed else state.listed
    removed = ours & state.files.keys() - {file.path for file in contents.files}
    return PushPlan(
        tuple(added),
        tuple(changed),
        tuple(sorted(removed)),
        tuple(file for file in there if file not in changed),
        makes_repository=False,
        is_private=state.is_private,
        is_tagged=False,
    )


def _check_owner(changed: Sequence[OutgoingFile], state: RepositoryState, repository: str) -> None:
    """Refuse to put files in the place of those that no version here has listed."""
    if MANIFEST in state.files:
        # Ours, if of a program whose manifests this one cannot read.
        return
    foreign = [file.path for file in changed if file.path != _PLACEHOLDER]
    if foreign:
        raise RepositoryConflictError(
            f"{repository} holds no version of ours, but files of somebody's that this one would "
            f"replace: {', '.join(foreign[:_MOST_NAMED])}. Name another repository, or remove them "
            "on the hub first."
        )


def _check_tagged(contents: Contents, tagged: Mapping[str, StoredFile], repository: str) -> None:
    for file in contents.files:
        stored = tagged.get(file.path)
        # A journal grows with later versions; the one that came with this version stays.
        if stored is not None and (file.path == JOURNAL or _is_stored(file, stored)):
            continue
        found = "has none" if stored is None else "has another one"
        raise RepositoryConflictError(
            f"{repository} has a tag {contents.manifest.version} already, which {found} of "
            f"{file.path!r}. Tags are never moved: delete it on the hub first, or push to another "
            "repository."
        )


def _is_stored(file: OutgoingFile, stored: StoredFile) -> bool:
    if stored.sha256 is not None:
        return stored.sha256 == file.sha256
    return stored.blob_id == file.blob_id
