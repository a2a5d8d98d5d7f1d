"""The records of earlier dataset versions, against which a new batch is curated.

They are known to duplicates and novelty as seed tasks are, and to near duplicates as records that
stay. The indexes can be saved, so that a batch need not index all that came before it anew. Cost:
loading takes about a second for 100,000 records.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.curation.config import CurationConfig
from pipeline.curation.duplicates import task_key
from pipeline.curation.near_duplicates.index import NearDuplicateIndex
from pipeline.curation.novelty.index import Task
from pipeline.curation.novelty.novelty import KnownTasks, LanguageTask
from schemas.records import InstructionRecord, SeedTask

_TEXTS = "near-duplicates.index"


class Earlier(NamedTuple):
    """Indexes over earlier records; curation adds to the first, so each is used once."""

    tasks: KnownTasks
    texts: NearDuplicateIndex


def to_task(
    task_id: str,
    task: InstructionRecord | SeedTask,
    config: CurationConfig,
    *,
    barred: bool = False,
) -> LanguageTask:
    """Reduce a record or seed task to what duplicates and novelty look at."""
    is_asked = "duplicate" in config.stage
    key = task_key(task.language, task.instruction, task.input) if is_asked else b""
    return LanguageTask(task.language, Task(task_id, task.instruction, key, barred))


def know_nothing(config: CurationConfig) -> Earlier:
    """Make indexes for a batch that is the first one."""
    compares = "novelty" in config.stage
    return Earlier(
        KnownTasks(config.novelty, compares=compares), NearDuplicateIndex(config.near_duplicates)
    )


def learn(earlier: Earlier, records: Sequence[InstructionRecord], config: CurationConfig) -> None:
    """Make records known."""
    earlier.tasks.add([to_task(record.id, record, config) for record in records])
    earlier.texts.add(records)


def save(earlier: Earlier, folder: Path) -> None:
    """Write the indexes to files in a folder.

    Raises:
        StorageError: A file cannot be written.
    """
    earlier.tasks.save(folder)
    earlier.texts.save(folder / _TEXTS)


def load(folder: Path, config: CurationConfig) -> Earlier:
    """Read indexes that were saved with the same thresholds.

    Raises:
        IndexFileError: A file is of no use; index the records again.
    """
    return Earlier(
        KnownTasks.load(folder, config.novelty, compares="novelty" in config.stage),
        NearDuplicateIndex.load(folder / _TEXTS, config.near_duplicates),
    )
