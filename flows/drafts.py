"""The drafts of a name and the manifest beside them: read, continued, written as they come."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from flows.paths import drafts_manifest_path
from schemas.errors import UserError
from schemas.manifest import DraftsManifest, GenerationRun
from schemas.records import Draft
from schemas.storage import atomic_path, describe_validation_error, read_jsonl, write_text


class DraftsManifestError(UserError):
    """The description of drafts is damaged."""


def read_drafts_manifest(name: str, outputs: Path) -> DraftsManifest | None:
    """Read what the generation runs of a name said; None when there was none.

    Raises:
        DraftsManifestError: The file is damaged.
    """
    path = drafts_manifest_path(outputs, name)
    if not path.is_file():
        return None
    try:
        return DraftsManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DraftsManifestError(
            f"{path} does not describe drafts: {describe_validation_error(error)}. Remove it and "
            f"run `./pacaloom generate --name {name}` again with its flags: the journal answers."
        ) from error


def find_own_run(name: str, outputs: Path, run_id: str) -> GenerationRun | None:
    """Find what a run with this id has written before it was restarted; None when nothing.

    Raises:
        DraftsManifestError: The file is damaged.
    """
    manifest = read_drafts_manifest(name, outputs) if run_id else None
    if manifest is None or manifest.latest_run_id != run_id:
        return None
    return manifest.runs[-1]


def write_drafts_manifest(manifest: DraftsManifest, outputs: Path) -> None:
    """Write the description beside the drafts."""
    text = manifest.model_dump_json(indent=2)
    write_text(drafts_manifest_path(outputs, manifest.name), text)


def read_drafts(path: Path, count: int) -> Iterator[Draft]:
    """Read the first drafts: as many as their manifest speaks of.

    There are more when a run was killed after it wrote its drafts and before their manifest.
    """
    return islice(read_jsonl(path, Draft), count)


@contextmanager
def write_drafts(path: Path, *, keep_count: int) -> Generator[Callable[[Draft], None]]:
    """Lend a function that writes one draft; the file takes its name when the block succeeds.

    Args:
        path: Of the drafts.
        keep_count: How many of the drafts that are there stay, before the new ones.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        if keep_count:
            with path.open("rb") as earlier:
                file.writelines(islice(earlier, keep_count))
        yield lambda draft: _write_line(file.write, draft)


def _write_line(write: Callable[[bytes], int], draft: Draft) -> None:
    write(draft.model_dump_json().encode() + b"\n")
