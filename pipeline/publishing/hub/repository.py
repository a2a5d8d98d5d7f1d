"""Speak to one dataset repository of a Hugging Face Hub.

Files go by LFS over plain HTTP and not by Xet: a version has few megabytes, and every mirror, proxy
and test server speaks it. Each file is handed over opened, which is how huggingface_hub is told so.
What was uploaded stays on the hub until a commit names it, so an interrupted push costs nothing
twice. Cost: three requests a look, two or three a large file, four for the rest.
"""

import logging
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_session
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import validate_repo_id
from pydantic import ValidationError

from pipeline.publishing.hub.contents import MANIFEST, OutgoingFile
from pipeline.publishing.hub.failures import asking
from pipeline.publishing.hub.plan import RepositoryState, StoredFile
from schemas.errors import UserError
from schemas.manifest import DatasetManifest

_TIMEOUT_S = 120.0
"""Without an answer; huggingface_hub would wait for ever."""
_LARGEST_MANIFEST = 20_000_000
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class HubRequestError(UserError):
    """The request names no repository or endpoint that could be."""


class Commit(NamedTuple):
    """What a commit says and does besides adding."""

    removed: Sequence[str]
    message: str
    description: str
    parent: str
    """The head it was planned on; the hub refuses when it has moved."""


class HubRepository:
    """One repository, asked with one token."""

    def __init__(self, name: str, endpoint: str, token: str | None) -> None:
        """Check name and endpoint; nothing is asked yet.

        Raises:
            HubRequestError: Either cannot be, or the token would travel readable by others.
        """
        _check_name(name)
        _check_endpoint(endpoint, token)
        self.name = name
        self.endpoint = endpoint.rstrip("/")
        self._token = token
        # False: a token that another program has stored is none of ours.
        self._api = HfApi(endpoint=self.endpoint, token=token or False, library_name="pacaloom")

    @property
    def target(self) -> str:
        """``OWNER/REPO at ENDPOINT``."""
        return f"{self.name} at {self.endpoint}"

    def look(self, tag: str) -> RepositoryState | None:
        """Read what is there; None where nothing is, or nothing that may be seen.

        Args:
            tag: Version whose tag is looked for.
        """
        with self._asking("look at the repository"):
            try:
                info = self._api.dataset_info(self.name)
            except HfHubHTTPError as error:
                # Without a token the hub answers 401 for what it hides and for what is not there.
                if error.response.status_code in ((404,) if self._token else (401, 404)):
                    return None
                raise
            refs = self._api.list_repo_refs(self.name, repo_type="dataset")
            commit = next((ref.target_commit for ref in refs.tags if ref.name == tag), None)
            head = info.sha or ""
            files = self._list(head)
            return RepositoryState(
                head=head,
                is_private=bool(info.private),
                files=files,
                listed=self._read_listed(head, files),
                tagged=None if commit is None else self._list(tag),
                tagged_commit=commit,
            )

    def make(self, *, private: bool) -> None:
        """Make the repository; one that is there stays as it is."""
        with self._asking("make the repository"):
            self._api.create_repo(self.name, repo_type="dataset", private=private, exist_ok=True)

    @contextmanager
    def upload(self, files: Sequence[OutgoingFile]) -> Generator[list[CommitOperationAdd]]:
        """Upload large files, and lend what a commit needs to name them and to hold the others."""
        with ExitStack() as opened:
            additions = [
                CommitOperationAdd(file.path, opened.enter_context(file.source.open("rb")))
                for file in files
            ]
            with self._asking("upload"):
                self._api.preupload_lfs_files(
                    self.name, additions, repo_type="dataset", free_memory=False
                )
            yield additions

    def commit(self, commit: Commit, additions: Sequence[CommitOperationAdd]) -> str:
        """Commit all at once, and return the commit's id."""
        deletions = [CommitOperationDelete(path, is_folder=False) for path in commit.removed]
        with self._asking("commit"):
            return self._api.create_commit(
                self.name,
                [*additions, *deletions],
                commit_message=commit.message,
                commit_description=commit.description,
                repo_type="dataset",
                parent_commit=commit.parent or None,
            ).oid

    def tag(self, name: str, commit: str) -> None:
        """Tag a commit; a tag that is there stays where it is."""
        with self._asking("tag the version"):
            self._api.create_tag(
                self.name, tag=name, revision=commit, repo_type="dataset", exist_ok=True
            )

    def _list(self, revision: str) -> dict[str, StoredFile]:
        entries = self._api.list_repo_tree(
            self.name, recursive=True, revision=revision, repo_type="dataset"
        )
        return {
            entry.path: StoredFile(
                entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None
            )
            for entry in entries
            if isinstance(entry, RepoFile)
        }

    def _read_listed(self, head: str, files: dict[str, StoredFile]) -> frozenset[str]:
        """Read which files the version at the head calls its own; none where it is not ours."""
        if MANIFEST not in files or files[MANIFEST].size > _LARGEST_MANIFEST:
            return frozenset()
        with TemporaryDirectory() as folder:
            path = self._api.hf_hub_download(
                self.name, MANIFEST, repo_type="dataset", revision=head, local_dir=folder
            )
            try:
                manifest = DatasetManifest.model_validate_json(Path(path).read_bytes())
            except ValidationError:
                return frozenset()
        return frozenset({MANIFEST, *(file.path for file in manifest.files)})

    @contextmanager
    def _asking(self, what: str) -> Generator[None]:
        get_session().timeout = _TIMEOUT_S
        logger = logging.getLogger("huggingface_hub")
        level = logger.level
        # It names signed addresses when it tries again.
        logger.setLevel(logging.ERROR)
        try:
            with asking(what, self.target, self._token):
                yield
        finally:
            logger.setLevel(level)


def _check_name(name: str) -> None:
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise HubRequestError(f"--to {name!r}: {error}") from error
    if name.count("/") != 1:
        raise HubRequestError(
            f"--to {name!r}: wanted OWNER/REPO, with your user name or an organisation as OWNER."
        )


def _check_endpoint(endpoint: str, token: str | None) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise HubRequestError(
            f"Endpoint {endpoint.rpartition('@')[2]!r}: wanted an address like "
            "https://huggingface.co, without a user's name."
        )
    if token and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise HubRequestError(
            f"Endpoint {endpoint!r}: HF_TOKEN would travel unencrypted. Use https."
        )
