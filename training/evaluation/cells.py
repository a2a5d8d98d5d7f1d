"""Score one model on one task with so many shots, once: finished cells outlive their evaluation.

A cell is kept under ``<root>/.cells/<hash>.parquet``, where the hash covers the model's weights,
its precision, every prompt and every answer as they were sent, so template, items, worked examples
and seed are all in it. An interrupted evaluation therefore continues with the cell it was in, and
the base model, which every evaluation needs again, is scored once for all of them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.identity import short_id
from schemas.progress import Progress
from schemas.storage import atomic_path
from schemas.templates import INSTRUCTION, Template
from training.base_model import Precision
from training.evaluation.prompts import draw_shots, label_completions, open_with
from training.evaluation.tasks import (
    EvaluationTask,
    TaskError,
    TaskItem,
    balanced_prefix,
    load_task,
)
from training.loading import load_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Raise it when scoring changes what it computes; kept cells of older ways are then left unread.
_SCORING_FORMAT = 2


class Cell(NamedTuple):
    """What one model is asked: a task's items after the same worked examples."""

    task: EvaluationTask
    shot_count: int
    items: tuple[TaskItem, ...]
    shots: tuple[TaskItem, ...]
    template: Template = INSTRUCTION
    """The form in which every model is asked."""

    @property
    def opened(self) -> Template:
        """The template of prompts that begin with the worked examples."""
        return open_with(self.task, self.shots, self.template)

    @property
    def prompts(self) -> list[str]:
        """One prompt an item, in their order."""
        question, language, opened = self.task.question, self.task.language, self.opened
        return [opened.render_prompt(question, item.text, language) for item in self.items]

    @property
    def answers(self) -> tuple[str, ...]:
        """One a label, in their order."""
        return label_completions(self.task, self.template)


class Answered(NamedTuple):
    """What one model made of a cell."""

    cell: Cell
    log_probs: list[list[float]]
    """By item, then by label, in nats."""

    @property
    def predictions(self) -> list[str]:
        """The likeliest label of each item; of equal ones the earlier."""
        labels = self.cell.task.labels
        return [labels[row.index(max(row))] for row in self.log_probs]

    @property
    def correct(self) -> list[bool]:
        """Whether each item's prediction is its label."""
        pairs = zip(self.predictions, self.cell.items, strict=True)
        return [prediction == item.label for prediction, item in pairs]


class ModelSource(NamedTuple):
    """A model that need not be loaded when all its cells are kept."""

    path: Path
    precision: Precision
    fingerprint: str
    """From :func:`training.evaluation.fingerprint.fingerprint`."""


def plan_cells(
    task_names: Sequence[str], shots: Sequence[int], limit: int | None, seed: int
) -> list[Cell]:
    """Load the tasks and draw the worked examples of every cell; no model is needed.

    Raises:
        TaskError: A task cannot be scored or is there twice, or has too few worked examples.
        RecordFileError: A line of a task file is no item.
    """
    for kind, values in (("task", task_names), ("number of shots", shots)):
        if len(set(values)) != len(values) or not values:
            found = ", ".join(map(str, values)) or "none"
            raise TaskError(f"Wanted at least one {kind}, each once, found {found}.")
    tasks = [load_task(name) for name in task_names]
    names = [task.name for task in tasks]
    if len(set(names)) != len(names):
        raise TaskError(f"Two tasks have the same name among {', '.join(names)}: rename one.")
    return [
        Cell(task, count, balanced_prefix(task, limit), draw_shots(task, count, seed))
        for task in tasks
        for count in shots
    ]


def answer_cells(
    source: ModelSource, cells: Sequence[Cell], folder: Path, progress: Progress
) -> list[Answered]:
    """Answer cells in order, from the kept ones where they are; the model is loaded if need be.

    Args:
        source: The model.
        cells: What it is asked.
        folder: Where finished cells are kept.
        progress: Told after each batch how many of all the items are done.
    """
    total = sum(len(cell.items) for cell in cells)
    done = 0
    model = None
    answered: list[Answered] = []
    for cell in cells:
        path = folder / f"{_cell_key(source, cell)}.parquet"
        note = f"{cell.task.name}, {cell.shot_count} shots"
        if path.is_file():
            log_probs = _read_scores(path)
        else:
            from training.evaluation.scoring import score_answers

            model = model or _load(source)
            log_probs = score_answers(
                *model,
                cell.prompts,
                cell.answers,
                progress=as_part(progress, done, total, note),
                template=cell.opened,
            )
            _write_scores(path, log_probs)
        answered.append(Answered(cell, log_probs))
        done += len(cell.items)
        progress(done, total, note)
    return answered


def _cell_key(source: ModelSource, cell: Cell) -> str:
    asked = cell.template.hash, cell.prompts, cell.answers
    return short_id(_SCORING_FORMAT, source.fingerprint, source.precision, *asked)


def _load(source: ModelSource) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    import torch

    from training.evaluation.scoring import keep_output_exact

    model, tokenizer = load_model(source.path, source.precision)
    # A torch module moves itself in place; its stub says it returns another type.
    if source.precision == "bf16":
        keep_output_exact(model)
    model.to("cuda" if torch.cuda.is_available() else "cpu")  # pyright: ignore[reportArgumentType]
    return model, tokenizer


def as_part(progress: Progress, before: int, whole: int, name: str) -> Progress:
    """Report a part's progress as the whole's, of which ``before`` units were done already."""

    def report(done: int, total: int, note: str = "") -> None:
        progress(before + done, whole, ": ".join(filter(None, [name, note])))

    return report


def _read_scores(path: Path) -> list[list[float]]:
    import pyarrow.parquet as pq

    return pq.read_table(path).column("log_probs").to_pylist()


def _write_scores(path: Path, log_probs: list[list[float]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with atomic_path(path) as temporary:
        pq.write_table(pa.table({"log_probs": log_probs}), temporary, compression="zstd")
