"""Ask a model a task in one wording with so many worked examples, once: answers outlive the run.

A cell's answers are kept under ``<folder>/<model>/<hash>.parquet``
(:mod:`training.evaluation.kept_cells`), where the hash covers the model's weights, its precision
and everything that it is asked, as it is sent. An interrupted evaluation therefore continues with
the cell it was in, and the base model, which every evaluation needs again, is asked once for all of
them.

Calibration needs to know what a model thinks of the answers when it is told nothing. With shared
labels that is the mean of their probabilities over a few texts without content (Zhao et al. 2021,
arXiv:2102.09690, section 5); where each item has choices of its own it is their probability after
one such text, which makes the score pointwise mutual information (Holtzman et al. 2021,
arXiv:2104.08315). These prompts begin like all others of the cell and are scored with them, so
shared labels cost three prompts more a cell, and own choices their tokens once more.
"""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.evaluation import ScoreRule
from schemas.identity import short_id
from schemas.progress import Progress, no_progress
from schemas.templates import INSTRUCTION, Template
from training.evaluation.answerers import Answerer, Written
from training.evaluation.answers.marks import mark_text
from training.evaluation.kept_cells import Kept, open_model, read_kept, write_kept
from training.evaluation.prompts import Opened, answer_ends, draw_shots, open_with
from training.evaluation.tasks.items import EvaluationTask, TaskError, TaskItem, Wording
from training.evaluation.tasks.loading import balanced_prefix

# Raise it when asking changes what it computes; kept cells of older ways are then left unread.
_ASKING_FORMAT = 3
_NEUTRAL_ANSWERS = 16
"""Own choices that are scored in one row; more would be a longer row than any item's."""


class Cell(NamedTuple):
    """What a model is asked: a task's items in one wording after the same worked examples."""

    task: EvaluationTask
    wording: Wording
    shot_count: int
    draw: int
    """Which draw of worked examples; 0 at zero-shot."""
    items: tuple[TaskItem, ...]
    shots: tuple[TaskItem, ...]
    template: Template = INSTRUCTION
    """The form in which every model is asked, where the wording has none of its own."""

    @property
    def name(self) -> str:
        """For progress and messages."""
        draw = f" (draw {self.draw + 1})" if self.draw else ""
        return f"{self.task.name}, {self.wording.name}, {self.shot_count} shots{draw}"

    @property
    def opened(self) -> Opened:
        """Renders prompts that begin with the worked examples."""
        return open_with(self.task, self.wording, self.shots, self.template)

    @property
    def prompts(self) -> list[str]:
        """One prompt an item, in their order."""
        opened = self.opened
        return [opened.render_prompt(item.text) for item in self.items]

    @property
    def answers(self) -> list[tuple[str, ...]]:
        """The given answers of each item as they are; of choice tasks."""
        return [self.task.answers_of(item) for item in self.items]


class Answered(NamedTuple):
    """What one model made of a cell."""

    cell: Cell
    log_probs: list[list[float]]
    """By item, then by answer, in nats; empty for text tasks."""
    neutral: list[list[float]]
    """The same after a text without content: of shared labels the mean over a few such texts, equal
    for all items."""
    texts: list[str]
    """Written answers by item; empty for choice tasks."""
    ended: list[bool]
    """Whether each was ended by the model itself."""
    seconds: float
    """That the asking took; 0 when the answers were kept from earlier."""

    def scores(self, rule: ScoreRule) -> list[list[float]]:
        """Return what decides between the answers, by item; the highest wins."""
        if rule == "raw":
            return self.log_probs
        pairs = zip(self.log_probs, self._divide_or_subtract(rule), strict=True)
        if rule == "per_byte":
            return [[p / size for p, size in zip(*pair, strict=True)] for pair in pairs]
        return [[p - base for p, base in zip(*pair, strict=True)] for pair in pairs]

    def _divide_or_subtract(self, rule: ScoreRule) -> list[list[float]]:
        if rule == "calibrated":
            return self.neutral
        return [[float(len(a.encode())) for a in answers] for answers in self.cell.answers]

    def predictions(self, rule: ScoreRule) -> list[str]:
        """Return the winning or written answer of each item; of equal ones the earlier."""
        if not self.cell.task.is_choice:
            return self.texts
        rows = zip(self.cell.answers, self.scores(rule), strict=True)
        return [answers[row.index(max(row))] for answers, row in rows]

    def marks(self, rule: ScoreRule) -> list[int]:
        """Return each item's marks, 0 to 100; the rule decides about choice tasks alone."""
        task, pairs = self.cell.task, zip(self.predictions(rule), self.cell.items, strict=True)
        if task.is_choice:
            return [100 * (prediction == item.label) for prediction, item in pairs]
        return [mark_text(item, task.card.metric, text, task.language) for text, item in pairs]


def plan_cells(
    tasks: Sequence[EvaluationTask],
    shots: Sequence[int],
    wordings: int,
    draws: int,
    limit: int | None,
    seed: int,
) -> list[Cell]:
    """Draw the worked examples of every cell; no model is needed.

    Args:
        tasks: In the order of the cells.
        shots: Numbers of worked examples.
        wordings: Most wordings of a task, from its first one.
        draws: Draws of worked examples; at zero-shot there is nothing to draw, so one.
        limit: Items a task, labels as even as possible; None takes all.
        seed: Of all draws.

    Raises:
        TaskError: A task, or a number of shots, is there twice or not at all; or a task has too few
            worked examples.
    """
    for kind, values in (("task", [task.name for task in tasks]), ("number of shots", shots)):
        if len(set(values)) != len(values) or not values:
            found = ", ".join(map(str, values)) or "none"
            raise TaskError(f"Wanted at least one {kind}, each once, found {found}.")
    return [
        Cell(
            task,
            wording,
            count,
            draw,
            items=balanced_prefix(task, limit),
            shots=draw_shots(task, count, seed, draw),
        )
        for task in tasks
        for wording in task.card.wordings[:wordings]
        for count in shots
        for draw in range(draws if count else 1)
    ]


def answer_cells(
    source: Answerer, cells: Sequence[Cell], folder: Path, progress: Progress = no_progress
) -> list[Answered]:
    """Answer cells in order, from the kept ones where they are.

    Args:
        source: The model.
        cells: What it is asked.
        folder: Where finished cells are kept.
        progress: Told after each batch how many of all the items are done.
    """
    total = sum(len(cell.items) for cell in cells)
    done = 0
    of_model = open_model(folder, source.fingerprint)
    answered: list[Answered] = []
    for cell in cells:
        path = of_model / f"{_cell_key(source, cell)}.parquet"
        started = time.monotonic()
        kept, seconds = read_kept(path), 0.0
        if kept is None:
            kept = _ask(source, cell, as_part(progress, done, total, cell.name))
            seconds = time.monotonic() - started
            write_kept(path, kept)
        answered.append(Answered(cell, *kept, seconds))
        done += len(cell.items)
        progress(done, total, cell.name)
    return answered


def as_part(progress: Progress, before: int, whole: int, name: str) -> Progress:
    """Report a part's progress as the whole's, of which ``before`` units were done already."""

    def report(done: int, total: int, note: str = "") -> None:
        progress(before + done, whole, ": ".join(filter(None, [name, note])))

    return report


class _Questions(NamedTuple):
    """Prompts with their given answers: those of the items, and then the neutral ones."""

    prompts: list[str]
    answers: list[list[str]]


def _cell_key(source: Answerer, cell: Cell) -> str:
    opened = cell.opened
    asked = (
        _choice_questions(cell)
        if cell.task.is_choice
        else (cell.prompts, cell.task.card.answer_tokens, answer_ends(opened.template))
    )
    return short_id(_ASKING_FORMAT, source.fingerprint, opened.template.hash, asked)


def _ask(source: Answerer, cell: Cell, progress: Progress) -> Kept:
    if cell.task.is_choice:
        return _score(source, cell, progress)
    opened = cell.opened
    written = [
        Written(opened.read_answer(one.text), one.ended)
        for one in source.write(
            cell.prompts, cell.task.card.answer_tokens, opened.template, progress
        )
    ]
    return Kept([], [], [one.text for one in written], [one.ended for one in written])


def _score(source: Answerer, cell: Cell, progress: Progress) -> Kept:
    """Score the items' answers, and what they score after a text without content."""
    questions = _choice_questions(cell)
    count = len(cell.items)

    def report(done: int, total: int, note: str = "") -> None:
        # The neutral prompts come on top of the items.
        progress(min(done, count), min(total, count), note)

    scores = source.score(*questions, cell.opened.template, report)
    if not _has_own_choices(cell):
        return Kept(scores[:count], [_log_mean(scores[count:])] * count, [], [])
    known: dict[str, float] = {}
    for answers, row in zip(questions.answers[count:], scores[count:], strict=True):
        known.update(zip(answers, row, strict=True))
    neutral = [[known[answer] for answer in answers] for answers in questions.answers[:count]]
    return Kept(scores[:count], neutral, [], [])


def _choice_questions(cell: Cell) -> _Questions:
    opened = cell.opened
    answers = [[opened.render_answer(answer) for answer in row] for row in cell.answers]
    neutral = [opened.render_prompt(text) for text in opened.content_free]
    if not _has_own_choices(cell):
        return _Questions(cell.prompts + neutral, answers + [answers[0]] * len(neutral))
    distinct = list(dict.fromkeys(answer for row in answers for answer in row))
    parts = [
        distinct[start : start + _NEUTRAL_ANSWERS]
        for start in range(0, len(distinct), _NEUTRAL_ANSWERS)
    ]
    return _Questions(cell.prompts + neutral[:1] * len(parts), answers + parts)


def _has_own_choices(cell: Cell) -> bool:
    return any(item.choices for item in cell.items)


def _log_mean(rows: list[list[float]]) -> list[float]:
    """Average probabilities over rows, answer by answer; all in nats."""
    return [_log_mean_of(column) for column in zip(*rows, strict=True)]


def _log_mean_of(values: tuple[float, ...]) -> float:
    most = max(values)
    return most + math.log(math.fsum(math.exp(value - most) for value in values) / len(values))
