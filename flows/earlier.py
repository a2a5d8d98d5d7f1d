"""Find the indexes over earlier dataset versions, and build those that are missing or of no use.

Indexes are kept in ``outputs/indexes``, a folder for each sequence of versions and each setting
that they depend on. They follow from the versions, so they can be deleted at any time.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from flows.engine import Engine
from flows.resources import find_dataset
from flows.settings import Settings
from pipeline.curation import earlier as indexes
from pipeline.curation.config import CurationConfig
from pipeline.curation.earlier import Earlier
from pipeline.curation.index_files import IndexFileError
from pipeline.publishing.versions import list_versions, open_version
from schemas.identity import short_id


def find_versions(references: Sequence[str], settings: Settings) -> tuple[Path, ...]:
    """Find the version folders that are meant; a bare NAME means all its versions, oldest first."""
    folders: dict[Path, None] = {}
    for reference in references:
        versions = list_versions(settings.outputs / "datasets", reference)
        folders |= dict.fromkeys(versions or [find_dataset(reference, settings)])
    return tuple(folders)


def open_earlier(
    versions: Sequence[Path], config: CurationConfig, settings: Settings, engine: Engine
) -> Earlier:
    """Load the indexes over all records of the versions, building what is missing.

    Raises:
        ManifestError: A folder is no dataset version.
        TableError: A version's records cannot be read.
    """
    if not versions or not {"duplicate", "novelty", "near-duplicate"} & set(config.stage):
        return indexes.know_nothing(config)
    hashes = [open_version(folder).content_hash for folder in versions]
    folders = [
        settings.outputs / "indexes" / name_index(hashes[:count], config)
        for count in range(len(hashes) + 1)
    ]
    earlier, indexed = _load_longest(folders, config, engine)
    if indexed == len(versions):
        return earlier
    # pyarrow takes 0.3 s to import.
    from pipeline.publishing.tables import read_records

    for folder in versions[indexed:]:
        records = read_records(folder)
        engine.say(f"Indexing {len(records):,} records of {folder.parent.name}/{folder.name}")
        indexes.learn(earlier, records, config)
    indexes.save(earlier, folders[-1])
    return earlier


def name_index(content_hashes: Sequence[str], config: CurationConfig) -> str:
    """Name the folder of the index over a sequence of versions.

    Args:
        content_hashes: Of the versions, in their order.
        config: What they are curated with; all that the index depends on is part of the name.
    """
    return short_id(list(content_hashes), *_settings(config))


def _load_longest(
    folders: Sequence[Path], config: CurationConfig, engine: Engine
) -> tuple[Earlier, int]:
    """Load the indexes over as many versions, from the oldest on, as were indexed before.

    Args:
        folders: Where indexes over so many versions would be.
        config: What they must have been made with.
        engine: Told of an index that is of no use.

    Returns:
        The indexes, and over how many versions they are.
    """
    for count in range(len(folders) - 1, 0, -1):
        if not folders[count].is_dir():
            continue
        try:
            loaded = indexes.load(folders[count], config)
        except IndexFileError as error:
            engine.say(f"Indexing the earlier versions again: {error}")
        else:
            _note_use(folders[count])
            return loaded, count
    return indexes.know_nothing(config), 0


def _note_use(folder: Path) -> None:
    """Set its time, by which maintenance knows what is in use."""
    # Somebody else's folder can be read, and stays as it is.
    with suppress(OSError):
        os.utime(folder)


def _settings(config: CurationConfig) -> tuple[object, ...]:
    """Name what the indexes depend on besides the records."""
    return (
        sorted({"duplicate", "novelty"} & set(config.stage)),
        config.novelty.model_dump(mode="json"),
        config.near_duplicates.model_dump(mode="json"),
    )
