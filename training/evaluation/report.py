"""Evaluate models on identical items and worked examples, and write down all that was found.

``<root>/<model>/<id>/`` gets ``items.parquet``, one row for every model, item and prompt;
``report.json``, an :class:`EvaluationReport` with the gate's verdict; and ``report.html`` for
people. The id is a hash of the models' weights, the items and all settings, so the same request
finds its finished folder and computes nothing.

Answers are kept cell by cell under ``<root>/.cells`` (see ``cells.py``): an interrupted evaluation
continues, and a base model that was scored once on the same prompts is not scored again.

Cost: the models' forward passes (``scoring``, ``generating``); all else takes a few seconds. One
model is in memory at a time.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from schemas.evaluation import (
    CanaryAnswer,
    EvaluationReport,
    GateVerdict,
    JudgedPairs,
    Overlap,
)
from schemas.identity import digest, short_id
from schemas.progress import Progress, no_progress
from schemas.records import InstructionRecord
from schemas.storage import atomic_folder, write_text
from training.evaluation.answerers import Answerer, LocalModel
from training.evaluation.asking import Asking, choose_template
from training.evaluation.canaries import ask_canaries
from training.evaluation.cells import Answered, Cell, answer_cells, as_part, plan_cells
from training.evaluation.config import EvaluationConfig
from training.evaluation.facts import find_facts
from training.evaluation.gate.evidence import GateError
from training.evaluation.gate.judging import judge
from training.evaluation.held_out import RecordLoss, compare_losses
from training.evaluation.item_table import write_items
from training.evaluation.matrix import compare, matrix_rows
from training.evaluation.page.page import write_page
from training.evaluation.page.trend import CellKey, Cycle, cycle_of
from training.evaluation.reading import ITEMS_FILE, REPORT_FILE, EvaluationError
from training.evaluation.statistics.planning import smallest_detectable_before
from training.evaluation.tasks.items import EvaluationTask

Judging = Callable[[Sequence[Answered], Sequence[Answered]], Sequence[JudgedPairs]]
"""Compares what baseline and challenger wrote to the same cells."""


class Contestant(NamedTuple):
    """A model of the comparison."""

    answerer: Answerer
    path: Path | None
    """Its folder; None for an endpoint."""


class EvaluationRequest(NamedTuple):
    """Which models are asked what."""

    contestants: Mapping[str, Contestant]
    """By name, in the order of the matrix's rows; the challenger last."""
    baseline: str
    """The model that all others are held against: the champion, or the base model."""
    tasks: Sequence[EvaluationTask]
    config: EvaluationConfig
    seed: int = 0
    """Draws the worked examples and the bootstrap's resamples."""
    records: Sequence[InstructionRecord] = ()
    """On which the held-out loss is measured."""
    overlaps: Sequence[Overlap] = ()
    judging: Judging | None = None
    cycles: Sequence[Cycle] = ()
    """Earlier versions of the challenger's name, for the page."""
    version: str = ""
    """Of the challenger; empty when it is no tuned student of ours."""
    steered: Mapping[CellKey, float] = MappingProxyType({})
    """What its generation was asked for more of."""

    @property
    def challenger(self) -> str:
        """The model that the evaluation is about: the last one that is not the baseline."""
        others = [name for name in self.contestants if name != self.baseline]
        return others[-1] if others else self.baseline


def evaluate(
    request: EvaluationRequest,
    root: Path,
    progress: Progress = no_progress,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Ask all models all cells, judge, and publish the evaluation.

    Args:
        request: Models, tasks and settings.
        root: Folder of all evaluations.
        progress: Told how many prompts of all models are answered.
        say: Told what so many items can show, before the first is asked.

    Returns:
        ``<root>/<model>/<id>``; an existing one when the same was evaluated before.

    Raises:
        UserError: A task, model or setting that cannot be used.
        PacaloomError: A model that gives no numbers, or a disk that takes no files.
    """
    started = time.monotonic()
    config = request.config
    if request.baseline not in request.contestants:
        raise EvaluationError(
            f"Baseline {request.baseline!r} is none of {', '.join(request.contestants)}."
        )
    asking = _choose_form(request)
    planned = plan_cells(
        request.tasks, config.shots, config.wordings, config.draws, config.limit, request.seed
    )
    cells = [cell._replace(template=asking.template) for cell in planned]
    items_hash = _items_hash(cells)
    evaluation_id = _evaluation_id(request, items_hash)
    folder = root / _folder_name(request.challenger) / evaluation_id
    if folder.exists():
        return folder
    for line in _foretell(cells):
        say(line)
    found = _ask_all(request, cells, asking, root / ".cells", progress)
    report = _sum_up(request, asking, found, (evaluation_id, items_hash))
    verdict, reason = _judge(report, config)
    report = report.model_copy(
        update={
            "verdict": verdict,
            "no_verdict": reason,
            "seconds": round(time.monotonic() - started, 3),
        }
    )
    with atomic_folder(folder) as temporary:
        items = temporary / ITEMS_FILE
        write_items(items, found.answers, config.rule)
        write_text(temporary / REPORT_FILE, report.model_dump_json(indent=2) + "\n")
        write_page(temporary, report, items, _find_cycles(request, report))
    return folder


def _find_cycles(request: EvaluationRequest, report: EvaluationReport) -> Sequence[Cycle]:
    if not request.version:
        return request.cycles
    return [*request.cycles, cycle_of(report, request.version, request.steered)]


class _Found(NamedTuple):
    """What was measured of all models, by name in the matrix."""

    answers: dict[str, list[Answered]]
    losses: dict[str, Sequence[RecordLoss]]
    canaries: list[CanaryAnswer]


def _choose_form(request: EvaluationRequest) -> Asking:
    """Decide on the template by those models whose training is known."""
    paths = {name: one.path for name, one in request.contestants.items() if one.path is not None}
    if request.challenger not in paths:
        return choose_template({}, request.challenger)
    return choose_template(paths, request.challenger)


def _foretell(cells: Sequence[Cell]) -> list[str]:
    """Say, before anything is asked, what so many items will be able to show."""
    by_count: dict[int, list[str]] = {}
    for cell in cells:
        names = by_count.setdefault(len(cell.items), [])
        if cell.task.name not in names:
            names.append(cell.task.name)
    return [
        f"{count} items of {', '.join(names)}: differences of "
        f"{100 * smallest_detectable_before(count):.0f} points or more can be shown "
        "(4 of 5 times; two models that differ on a quarter of the items)."
        for count, names in by_count.items()
    ]


def _ask_all(
    request: EvaluationRequest,
    cells: Sequence[Cell],
    asking: Asking,
    folder: Path,
    progress: Progress,
) -> _Found:
    """Ask one model after the other, so that one is in memory at a time."""
    each = sum(len(cell.items) for cell in cells)
    whole = each * len(request.contestants)
    found = _Found({}, {}, [])
    for place, (name, contestant) in enumerate(request.contestants.items()):
        part = as_part(progress, place * each, whole, name)
        answerer = contestant.answerer
        found.answers[name] = answer_cells(answerer, cells, folder, part)
        found.canaries.extend(ask_canaries({name: answerer}, asking.template))
        if isinstance(answerer, LocalModel):
            if request.records:
                found.losses[name] = answerer.measure(request.records, asking.template)
            answerer.unload()
    return found


def _sum_up(
    request: EvaluationRequest, asking: Asking, found: _Found, identity: tuple[str, str]
) -> EvaluationReport:
    """Turn what was measured into a report without a verdict."""
    rule, seed, baseline = request.config.rule, request.seed, request.baseline
    answers = found.answers
    evaluation_id, items_hash = identity
    challenger = request.challenger
    judged: Sequence[JudgedPairs] = ()
    if request.judging is not None and challenger != baseline:
        judged = request.judging(answers[baseline], answers[challenger])
    return EvaluationReport(
        id=evaluation_id,
        items_hash=items_hash,
        template=asking.template.name,
        template_hash=asking.template.hash,
        template_note=asking.note,
        rule=rule,
        wordings=max(len({cell.cell.wording.name for cell in row}) for row in _by_task(answers)),
        draws=request.config.draws,
        seed=seed,
        baseline=baseline,
        challenger=challenger,
        models={
            name: find_facts(name, one.answerer, one.path, answers[name])
            for name, one in request.contestants.items()
        },
        matrix=tuple(
            row for name in answers for row in matrix_rows(name, answers[name], rule, seed)
        ),
        comparisons=tuple(
            comparison
            for name in answers
            if name != baseline
            for comparison in compare(
                (baseline, answers[baseline]), (name, answers[name]), rule, seed
            )
        ),
        held_out=tuple(compare_losses(found.losses, baseline, seed)),
        canaries=tuple(found.canaries),
        overlaps=tuple(request.overlaps),
        judged=tuple(judged),
        seconds=0.0,
    )


def _by_task(answers: Mapping[str, Sequence[Answered]]) -> list[list[Answered]]:
    first = next(iter(answers.values()))
    names = dict.fromkeys(one.cell.task.name for one in first)
    return [[one for one in first if one.cell.task.name == name] for name in names]


def _judge(report: EvaluationReport, config: EvaluationConfig) -> tuple[GateVerdict | None, str]:
    """Let the gate judge; the matrix is worth having where it cannot."""
    try:
        return judge(report, config.gate), ""
    except GateError as error:
        return None, str(error)


def _items_hash(cells: Sequence[Cell]) -> str:
    """Hash everything that was asked; two evaluations with the same hash are comparable."""
    return digest([[cell.name, cell.task.content_hash, cell.prompts] for cell in cells])


def _evaluation_id(request: EvaluationRequest, items_hash: str) -> str:
    models = [(name, one.answerer.fingerprint) for name, one in request.contestants.items()]
    return short_id(
        models,
        request.baseline,
        items_hash,
        request.seed,
        request.config.model_dump(mode="json", exclude={"task"}),
        [record.id for record in request.records],
        [overlap.model_dump(mode="json") for overlap in request.overlaps],
    )


def _folder_name(model: str) -> str:
    """Make a path segment of a model's name, which may hold slashes."""
    return re.sub(r"[^\w.+-]+", "-", model).strip(".-") or "model"
