"""Indexes over earlier versions: which are still of use to `curate --against`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from flows.earlier import name_index
from flows.retention.disk import is_real_folder, last_written_s, list_readable, measure
from flows.retention.things import Candidate, Thing
from pipeline.curation.config import CurationConfig
from pipeline.publishing.versions import open_version
from schemas.manifest import DatasetManifest
from schemas.storage import ManifestError

_DAY_S = 86_400


def propose_indexes(
    outputs: Path, kept: Iterable[Thing], stale_days: float, now_s: float
) -> Iterator[Candidate]:
    """Propose indexes that no kept version was or will be curated with, unused for so many days."""
    folders = [path for path in list_readable(outputs / "indexes") if is_real_folder(path)]
    if not folders:
        return
    named = _name_indexes([thing for thing in kept if thing.kind == "datasets"])
    if named is None:
        return
    for folder in folders:
        used_s = last_written_s(folder)
        idle_days = (now_s - used_s) / _DAY_S
        if folder.name not in named and idle_days >= stale_days:
            key = folder.relative_to(outputs).as_posix()
            why = f"no kept version is held against it, unused for {idle_days:.0f} days"
            yield Candidate("index", key, why, measure(folder), used_s=used_s)


def _name_indexes(kept: list[Thing]) -> set[str] | None:
    """Name the indexes that kept versions need, and the next one; None when it cannot be told."""
    try:
        manifests = {thing.reference: open_version(thing.folder) for thing in kept}
        return {name for one in manifests.values() for name in _name_for(one, manifests)}
    except (ManifestError, ValidationError):
        return None


def _name_for(manifest: DatasetManifest, known: dict[str, DatasetManifest]) -> Iterator[str]:
    if not manifest.against:
        return
    config = CurationConfig.model_validate(manifest.curation)
    hashes = [known[one].content_hash for one in manifest.against if one in known]
    # The next batch is held against this one too.
    hashes.append(manifest.content_hash)
    for count in range(1, len(hashes) + 1):
        yield name_index(hashes[:count], config)
