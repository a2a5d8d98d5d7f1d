"""Evaluate models on identical items and worked examples, and write down all that was found.

``<root>/<model>/<id>/`` gets ``items.parquet``, one row for every model, item and number of shots,
and ``report.json``, an :class:`EvaluationReport`: accuracies with intervals, and each challenger
against the baseline by the same items. The id is a hash of the models' weights, the items and all
settings, so the same request finds its finished folder and computes nothing.

Scores are kept cell by cell under ``<root>/.cells`` (see ``cells.py``): an interrupted evaluation
continues, and a base model that was scored once on the same prompts is not scored again.

Cost: the models' forward passes (``scoring.py``); everything else is well under a second.
"""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.identity import digest, short_id
from schemas.evaluation import EvaluationReport
from schemas.progress import Progress, no_progress
from schemas.storage import atomic_folder, describe_validation_error, write_text
from training.base_model import Precision, check_checkpoint
from training.evaluation.asking import choose_template
from training.evaluation.cells import (
    Answered,
    Cell,
    ModelSource,
    answer_cells,
    as_part,
    plan_cells,
)
from training.evaluation.fingerprint import fingerprint
from training.evaluation.matrix import compare, matrix_row, write_items
from training.evaluation.tasks.items import ShotCount


class EvaluationError(UserError):
    """A request that cannot be met, or a folder that is no evaluation."""


class EvaluationRequest(Frozen):
    """Which models are asked what."""

    models: dict[str, Path]
    """Name in the matrix -> model folder, in the order of the matrix's rows."""
    baseline: str
    """The model that all others are held against: the champion, or the base model."""
    tasks: tuple[str, ...] = tuple(BUILT_IN_TASKS)
    """Names of built-in tasks, or paths of .jsonl files of id, split, text and label."""
    shots: tuple[ShotCount, ...] = (0, 1, 4)
    """Worked examples in the prompt; one column each. Cost grows little with them, because all
    items share them."""
    limit: int | None = Field(default=None, ge=2)
    """Items a task, labels as even as possible. None takes all; the fewer, the wider the
    intervals: ±7 points at 200, ±10 at 100."""
    seed: int = Field(default=0, ge=0)
    """Draws the worked examples and the bootstrap's resamples."""
    precision: Precision = "fp32"
    """bf16 takes 0.4 of the time on CPUs with AVX512_BF16, is slow on others, and moves a
    log-probability by 0.03 nats in English and 0.07 in Korean (SmolLM2, mean)."""

    @model_validator(mode="after")
    def _names_what_it_needs(self) -> Self:
        if self.baseline not in self.models:
            raise EvaluationError(
                f"Baseline {self.baseline!r} is none of the models {', '.join(self.models)}."
            )
        return self

    @property
    def subject(self) -> str:
        """The model that the evaluation is about: the last one that is not the baseline."""
        return next((n for n in reversed(self.models) if n != self.baseline), self.baseline)


def evaluate(request: EvaluationRequest, root: Path, progress: Progress = no_progress) -> Path:
    """Score all models on all cells and publish the evaluation.

    Args:
        request: Models, tasks and settings.
        root: Folder of all evaluations.
        progress: Told how many items of all models are done.

    Returns:
        ``<root>/<model>/<id>``; an existing one when the same was evaluated before.

    Raises:
        UserError: A task, model or setting that cannot be used.
        PacaloomError: A model that gives no numbers, or a disk that takes no files.
    """
    started = time.monotonic()
    planned = plan_cells(request.tasks, request.shots, request.limit, request.seed)
    sources = _find_models(request)
    asking = choose_template(request.models, request.subject)
    cells = [cell._replace(template=asking.template) for cell in planned]
    items_hash = _items_hash(cells)
    evaluation_id = _evaluation_id(request, sources, items_hash)
    folder = root / _folder_name(request.subject) / evaluation_id
    if folder.exists():
        return folder
    answers = _answer_all(sources, cells, root / ".cells", progress)
    report = EvaluationReport(
        id=evaluation_id,
        items_hash=items_hash,
        template=asking.template.name,
        template_hash=asking.template.hash,
        template_note=asking.note,
        seed=request.seed,
        models={name: str(path) for name, path in request.models.items()},
        matrix=tuple(
            matrix_row(name, answered, request.seed)
            for name, row in answers.items()
            for answered in row
        ),
        comparisons=tuple(
            comparison
            for name in answers
            if name != request.baseline
            for comparison in compare(
                (request.baseline, answers[request.baseline]), (name, answers[name]), request.seed
            )
        ),
        seconds=round(time.monotonic() - started, 3),
    )
    with atomic_folder(folder) as temporary:
        write_items(temporary / "items.parquet", answers)
        write_text(temporary / "report.json", report.model_dump_json(indent=2) + "\n")
    return folder


def read_report(folder: Path) -> EvaluationReport:
    """Read what an evaluation found.

    Raises:
        EvaluationError: The folder is no evaluation.
    """
    path = folder / "report.json"
    try:
        return EvaluationReport.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise EvaluationError(
            f"{folder} is no evaluation: wanted a folder with report.json."
        ) from error
    except ValidationError as error:
        raise EvaluationError(
            f"{path} is no evaluation report: {describe_validation_error(error)}"
        ) from error


def _find_models(request: EvaluationRequest) -> dict[str, ModelSource]:
    for path in request.models.values():
        if not (path / "manifest.json").is_file():
            check_checkpoint(path)
    return {
        name: ModelSource(path, request.precision, fingerprint(path))
        for name, path in request.models.items()
    }


def _answer_all(
    sources: dict[str, ModelSource], cells: Sequence[Cell], folder: Path, progress: Progress
) -> dict[str, list[Answered]]:
    each = sum(len(cell.items) for cell in cells)
    answers: dict[str, list[Answered]] = {}
    for place, (name, source) in enumerate(sources.items()):
        part = as_part(progress, place * each, len(sources) * each, name)
        answers[name] = answer_cells(source, cells, folder, part)
    return answers


def _items_hash(cells: Sequence[Cell]) -> str:
    """Hash everything that was asked; two evaluations with the same hash are comparable."""
    return digest([[cell.task.name, cell.shot_count, _asked(cell)] for cell in cells])


def _asked(cell: Cell) -> list[list[str]]:
    expected = [item.label for item in cell.items]
    return [list(cell.prompts), expected, list(cell.answers)]


def _evaluation_id(
    request: EvaluationRequest, sources: dict[str, ModelSource], items_hash: str
) -> str:
    models = [(name, source.fingerprint) for name, source in sources.items()]
    return short_id(models, request.baseline, items_hash, request.seed, request.precision)


def _folder_name(model: str) -> str:
    """Make a path segment of a model's name, which may hold slashes."""
    return re.sub(r"[^\w.+-]+", "-", model).strip(".-") or "model"
