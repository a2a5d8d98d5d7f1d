"""Find out which of several wordings of a question suits a model best, with intervals.

Every wording is asked about the same items after the same worked examples, so that pairs of them
are compared item by item (exact sign-flip test over clusters). All pairs are tested and adjusted
together by Holm's method. Otherwise the best of many equal wordings would seem better than the
others by picking it after the fact.

Cost: one cell a wording and draw; the statistics grow with the square of the wordings and are well
below a second for twenty.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from schemas.evaluation import ComparedWording, PromptComparison, ScoreRule
from schemas.progress import Progress, no_progress
from schemas.templates import Template
from training.evaluation.answerers import Answerer
from training.evaluation.cells import Answered, answer_cells, plan_cells
from training.evaluation.ranking import auc
from training.evaluation.statistics.clusters import Paired, mean_of, pair_up, sum_up
from training.evaluation.statistics.intervals import bootstrap
from training.evaluation.statistics.planning import items_needed
from training.evaluation.statistics.significance import holm, sign_flip
from training.evaluation.tasks.items import EvaluationTask, TaskError

ALPHA = 0.05


class Trial(NamedTuple):
    """What is asked of every wording."""

    task: EvaluationTask
    """Its card's wordings are those that are compared."""
    shots: int
    draws: int
    limit: int | None
    seed: int
    rule: ScoreRule
    template: Template


def compare_wordings(
    model: str,
    answerer: Answerer,
    trial: Trial,
    folder: Path,
    progress: Progress = no_progress,
) -> PromptComparison:
    """Ask one task in all its wordings and rank them.

    Args:
        model: Its name, for people.
        answerer: The model.
        trial: What is asked.
        folder: Where finished cells are kept.
        progress: Told how many prompts are answered.

    Raises:
        TaskError: Fewer than two wordings, or two of one name.
    """
    wordings = trial.task.card.wordings
    names = [wording.name for wording in wordings]
    if len(wordings) < 2 or len(set(names)) < len(names):
        raise TaskError(
            f"Wanted at least two wordings of different names to compare, found "
            f'{", ".join(names)}: add --wording "…".'
        )
    cells = plan_cells(
        [trial.task], [trial.shots], len(wordings), trial.draws, trial.limit, trial.seed
    )
    asked = [cell._replace(template=trial.template) for cell in cells]
    answered = answer_cells(answerer, asked, folder, progress)
    by_name = {name: [one for one in answered if one.cell.wording.name == name] for name in names}
    return _rank(model, trial, by_name)


def _rank(model: str, trial: Trial, answered: dict[str, list[Answered]]) -> PromptComparison:
    clusters = [item.cluster for item in next(iter(answered.values()))[0].cell.items]
    marks = {name: [one.marks(trial.rule) for one in row] for name, row in answered.items()}
    pairs = {
        (one, other): pair_up(clusters, marks[one], marks[other])
        for one, other in combinations(answered, 2)
    }
    adjusted = dict(zip(pairs, holm([sign_flip(pair) for pair in pairs.values()]), strict=True))
    means = {name: mean_of(sum_up(clusters, own)) for name, own in marks.items()}
    # Equal ones keep the order in which they were given.
    order = sorted(answered, key=lambda name: -means[name])
    best = order[0]
    compared = [
        _describe(
            trial,
            answered[name],
            pair_up(clusters, marks[name], marks[best]),
            1.0 if name == best else _of_pair(adjusted, name, best),
        )
        for name in order
    ]
    return PromptComparison(
        model=model,
        task=trial.task.name,
        language=trial.task.language,
        shots=trial.shots,
        draws=trial.draws if trial.shots else 1,
        rule=trial.rule,
        item_count=len(clusters),
        wordings=tuple(compared),
        is_decided=all(one.p_value <= ALPHA for one in compared[1:]),
    )


def _describe(
    trial: Trial, answered: Sequence[Answered], behind: Paired, p_value: float
) -> ComparedWording:
    """Sum up one wording, held against the best one."""
    wording = answered[0].cell.wording
    clusters = [item.cluster for item in answered[0].cell.items]
    own = sum_up(clusters, [one.marks(trial.rule) for one in answered])
    interval, gap = bootstrap(own, trial.seed), bootstrap(behind.alike, trial.seed)
    return ComparedWording(
        name=wording.name,
        instruction=wording.instruction,
        form=wording.form,
        score=mean_of(own),
        low=interval.low,
        high=interval.high,
        auc=_mean_auc(trial, answered),
        behind=behind.difference,
        behind_low=gap.low,
        behind_high=gap.high,
        p_value=p_value,
        items_needed=items_needed(behind, behind.difference, ALPHA) if behind.difference else None,
    )


def _mean_auc(trial: Trial, answered: Sequence[Answered]) -> float | None:
    labels, items = trial.task.card.labels, answered[0].cell.items
    if not trial.task.is_choice or any(item.choices for item in items):
        return None
    right = [labels.index(item.label) for item in items]
    found = [auc(one.scores(trial.rule), right) for one in answered]
    known = [value for value in found if value is not None]
    return fmean(known) if known else None


def _of_pair(values: dict[tuple[str, str], float], one: str, other: str) -> float:
    return values[one, other] if (one, other) in values else values[other, one]
