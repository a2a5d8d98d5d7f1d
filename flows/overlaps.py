"""Find the items of a task that stand in the data that a model was tuned on.

A model that has seen the questions with their answers proves nothing by answering them. What
counts is what the curation counts (:mod:`pipeline.curation.contamination`): a text that stands in
a record from end to end, n-grams that cover most of it, or a record made from the item or from the
same source. Datasets of ours were kept clean of our own tasks; those of others, and tasks of the
user's, were not.

Cost: linear in records and items. 20,000 Korean records against 4,000 items took 4 CPU-s on a busy
machine, 0.2 of them for reading; loading the search's compiled loops takes seconds the first time.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pipeline.curation.contamination.contamination import (
    ContaminationConfig,
    ProtectedItem,
    find_leaks,
)
from pipeline.publishing.versions import open_version
from schemas.errors import UserError
from schemas.evaluation import Overlap
from schemas.progress import Progress, no_progress
from schemas.records import InstructionRecord
from training.evaluation.tasks.items import EvaluationTask

OverlapChoice = Literal["named", "excluded", "refused"]
"""What becomes of items that were trained on: ``named`` in the report and scored all the same,
``excluded`` from the scores of all models, or the evaluation ``refused``."""

_SHOWN = 5


class OverlapError(UserError):
    """A model was tuned on what it shall be examined with."""


def find_overlaps(
    tasks: Sequence[EvaluationTask],
    dataset: Path,
    choice: OverlapChoice,
    progress: Progress = no_progress,
) -> list[Overlap]:
    """Find the scored items of tasks in the training records of a dataset version.

    Args:
        tasks: What a model will be asked.
        dataset: Folder of the version that it was tuned on; the validation split is no overlap.
        choice: Decides what a caller is to do, or is refused here.
        progress: Told how many records were read.

    Returns:
        One for each task with overlap, in the order of the tasks, ids in the order of its items.

    Raises:
        OverlapError: There is overlap and the choice is to refuse it, or it is to exclude it and
            nothing of a task would be left.
        ManifestError: The folder is no dataset version.
        TableError: Its records cannot be read.
    """
    # pyarrow takes 0.3 s to import, for which a run without tuned models need not wait.
    from pipeline.publishing.tables import read_split

    manifest = open_version(dataset)
    protected = [
        ProtectedItem(item.id, (item.text,), task.name, item.lineage)
        for task in tasks
        for item in task.items
    ]
    if not protected:
        return []
    records = read_split(dataset / "data" / "train.parquet")
    found = _find(records, protected, progress)
    overlaps = [
        Overlap(task=task.name, items=items, excluded=choice == "excluded")
        for task in tasks
        if (items := tuple(one.id for one in task.items if (task.name, one.id) in found))
    ]
    if choice == "refused" and overlaps:
        raise _refuse(overlaps, f"{manifest.name}/{manifest.version}")
    return overlaps


def leave_out(tasks: Sequence[EvaluationTask], overlaps: Sequence[Overlap]) -> list[EvaluationTask]:
    """Return the tasks without the items that are excluded.

    Raises:
        OverlapError: Nothing of a task would be left.
    """
    excluded = {overlap.task: set(overlap.items) for overlap in overlaps if overlap.excluded}
    left: list[EvaluationTask] = []
    for task in tasks:
        gone = excluded.get(task.name, set[str]())
        items = tuple(item for item in task.items if item.id not in gone)
        if not items:
            raise OverlapError(
                f"Task {task.name}: all {len(task.items)} items stand in the training data, so "
                "nothing is left to score. Choose another task, or train on other records."
            )
        left.append(task.model_copy(update={"items": items}))
    return left


def _find(
    records: Sequence[InstructionRecord],
    protected: Sequence[ProtectedItem],
    progress: Progress,
) -> set[tuple[str, str]]:
    """Return task and id of the items that records hold."""
    leaked: list[ProtectedItem] = [
        leak.item
        for leaks in find_leaks(records, protected, ContaminationConfig(), progress)
        for leak in leaks
    ]
    found = {(item.source, item.id) for item in leaked}
    # Of items with the same text the search names one.
    texts = {_squeeze(text) for item in leaked for text in item.texts}
    found.update((one.source, one.id) for one in protected if _squeeze(one.texts[0]) in texts)
    return found


def _squeeze(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def _refuse(overlaps: Sequence[Overlap], dataset: str) -> OverlapError:
    first = overlaps[0]
    ids = ", ".join(first.items[:_SHOWN])
    more = f", … {len(first.items) - _SHOWN} more" if len(first.items) > _SHOWN else ""
    others = f" So do items of {', '.join(one.task for one in overlaps[1:])}." * (len(overlaps) > 1)
    return OverlapError(
        f"Task {first.task}: {len(first.items)} items stand in the training data {dataset}: "
        f"{ids}{more}.{others} Leave them out with --overlap excluded, score them with --overlap "
        "named, or curate the dataset with this task among contamination.sets."
    )
