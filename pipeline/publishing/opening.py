"""Open a published version again, as everything that shows it wants it.

What a version of an older program does not hold is measured anew or left out; nothing of its pages
is read, only its tables. Cost: linear; 50,000 records a CPU-second.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from pipeline.publishing.difference import Difference
from pipeline.publishing.edition import Edition, FindExchange, find_no_exchange
from pipeline.publishing.splits import Splits
from pipeline.publishing.statistics.figures import VersionStatistics
from pipeline.publishing.statistics.measuring import measure_version
from pipeline.publishing.versions import open_version
from schemas.errors import UserError
from schemas.manifest import DatasetManifest
from schemas.records import InstructionRecord, Neighbour, SeedTask
from schemas.review import ReviewDecision
from schemas.storage import read_jsonl


class DamagedVersionError(UserError):
    """A version's tables are not those that its manifest speaks of."""


def load_edition(
    folder: Path,
    seeds: Sequence[SeedTask] = (),
    find_exchange: FindExchange = find_no_exchange,
    difference: Difference | None = None,
) -> Edition:
    """Read a version from its folder.

    Args:
        folder: Of the version.
        seeds: Seed tasks behind its records, as far as they are on this machine.
        find_exchange: Finds prompts and answers.
        difference: To the version before it, where somebody has compared them.

    Raises:
        ManifestError: The folder is no dataset version.
        TableError: A table is missing, damaged, or of another version of Pacaloom.
        RecordFileError: The decisions that it applied are damaged.
        DamagedVersionError: There are more or fewer rows than its manifest says.
    """
    # pyarrow takes 0.3 s to import, which `./pacaloom --help` need not pay.
    from pipeline.publishing.tables import (
        read_assessments,
        read_neighbours,
        read_rejections,
        read_split,
    )

    manifest = open_version(folder)
    train, validation = (
        read_split(folder / "data" / f"{split}.parquet") for split in ("train", "validation")
    )
    rejected = read_rejections(folder)
    _check_counts(folder, manifest, len(train) + len(validation), len(rejected))
    nearest = read_neighbours(folder)
    return Edition(
        manifest=manifest,
        splits=Splits(train, validation, manifest.split_by),
        rejected=rejected,
        assessments=read_assessments(folder),
        nearest=nearest,
        seeds={seed.id: seed for seed in seeds},
        find_exchange=find_exchange,
        statistics=_read_statistics(folder, manifest, [*train, *validation], nearest),
        difference=difference,
        decisions=read_applied_decisions(folder),
    )


def read_applied_decisions(folder: Path) -> list[ReviewDecision]:
    """Read what readers had decided when a version was made; nothing where nobody had.

    Raises:
        RecordFileError: Names the line that is no decision.
    """
    path = folder / "review.jsonl"
    return list(read_jsonl(path, ReviewDecision)) if path.exists() else []


def _check_counts(
    folder: Path, manifest: DatasetManifest, kept_count: int, rejected_count: int
) -> None:
    wanted = (manifest.kept, manifest.generated - manifest.kept)
    if (kept_count, rejected_count) != wanted:
        raise DamagedVersionError(
            f"{folder} is damaged: its manifest speaks of {wanted[0]} kept and {wanted[1]} "
            f"rejected records, its tables hold {kept_count} and {rejected_count}. Copy it again, "
            f"or see `./pacaloom datasets verify {manifest.name}/{manifest.version}`."
        )


def _read_statistics(
    folder: Path,
    manifest: DatasetManifest,
    kept: Sequence[InstructionRecord],
    nearest: dict[str, Neighbour],
) -> VersionStatistics:
    try:
        return VersionStatistics.model_validate_json((folder / "statistics.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        # Of a program that measured nothing, or other things.
        return measure_version(kept, nearest, manifest.runs)
