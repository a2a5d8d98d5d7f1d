"""What an evaluation needs of the challenger's dataset."""

from pathlib import Path

from flows.resources import ResourceError, find_dataset
from flows.settings import Settings
from schemas.manifest import TrainingManifest
from schemas.records import LANGUAGES, InstructionRecord


def find_training_data(manifest: TrainingManifest | None, settings: Settings) -> Path | None:
    """Find the dataset version a student was tuned on; None where it is not on this machine."""
    if manifest is None:
        return None
    try:
        folder = find_dataset(manifest.dataset, settings)
    except ResourceError:
        return None
    return folder if (folder / "manifest.json").is_file() else None


def find_held_out(dataset: Path | None, count: int) -> list[InstructionRecord]:
    """Take records of the validation split, which no version of the student was trained on.

    Args:
        dataset: A version; None gives none.
        count: Most records of each language; those with the lowest ids, which are hashes, so that
            the choice is a fair sample and the same for all models.
    """
    if dataset is None or not count:
        return []
    # pyarrow takes 0.3 s to import.
    from pipeline.publishing.tables import read_split

    records = sorted(read_split(dataset / "data" / "validation.parquet"), key=lambda one: one.id)
    return [
        record
        for language in LANGUAGES
        for record in [one for one in records if one.language == language][:count]
    ]
