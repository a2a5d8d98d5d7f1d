"""Where each kind of output lies under the outputs folder."""

from pathlib import Path


def journal_path(outputs: Path, name: str) -> Path:
    """Name the journal: every prompt and completion of a name."""
    return outputs / "journals" / f"{name}.sqlite"


def drafts_path(outputs: Path, name: str) -> Path:
    """Name the drafts that the generation runs of a name parsed from its journal."""
    return outputs / "drafts" / f"{name}.jsonl"


def drafts_manifest_path(outputs: Path, name: str) -> Path:
    """Name the description beside the drafts."""
    return outputs / "drafts" / f"{name}.json"


def reviews_path(outputs: Path, name: str) -> Path:
    """Name the file of what readers decided about the records of a name."""
    return outputs / "reviews" / f"{name}.jsonl"


def served_folder(cache: Path) -> Path:
    """Name the folder of students as GGUF, which all outputs folders share."""
    return cache / "served"
