"""Turn answered cells into the rows and comparisons of a report.

Cells of one model, task and number of worked examples are joined over their wordings and draws: the
mean over them is what a user meets who does not know the best prompt, and an item answered in all
of them is still one item. Cost: the bootstrap (``statistics/intervals.py``) and the marks of
written answers, milliseconds a cell.
"""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from schemas.evaluation import (
    Comparison,
    ComparisonKind,
    MatrixRow,
    ScoreRule,
    TextQuality,
    VariantScore,
)
from training.evaluation.answers.marks import describe_quality
from training.evaluation.cells import Answered
from training.evaluation.ranking import auc
from training.evaluation.statistics.clusters import (
    FULL_MARKS,
    Marks,
    mean_of,
    pair_up,
    sum_up,
)
from training.evaluation.statistics.intervals import bootstrap
from training.evaluation.statistics.significance import sign_flip
from training.evaluation.tasks.items import EvaluationTask

NamedAnswers = tuple[str, Sequence[Answered]]
"""A model's name, and its answers to all cells."""

_RULES: tuple[ScoreRule, ...] = ("raw", "per_byte", "calibrated")


class _Joined(NamedTuple):
    """One model's cells of one task and number of worked examples."""

    model: str
    task: EvaluationTask
    shots: int
    variants: list[Answered]
    marks: Marks
    """By variant, then by item."""

    @property
    def clusters(self) -> list[str]:
        """Of the items, in their order."""
        return [item.cluster for item in self.variants[0].cell.items]

    def in_wording(self, name: str) -> "_Joined":
        """Leave out all other wordings."""
        chosen = [one.cell.wording.name == name for one in self.variants]
        return self._replace(
            variants=[one for one, mine in zip(self.variants, chosen, strict=True) if mine],
            marks=[one for one, mine in zip(self.marks, chosen, strict=True) if mine],
        )


def matrix_rows(
    model: str, answered: Sequence[Answered], rule: ScoreRule, seed: int
) -> list[MatrixRow]:
    """Sum up one model: a row for each task and number of worked examples, in order of the cells.

    Args:
        model: Its name in the matrix.
        answered: All its cells.
        rule: What decides about choice tasks.
        seed: Of the bootstrap.
    """
    return [_row(joined, rule, seed) for joined in _join(model, answered, rule)]


def compare(
    baseline: NamedAnswers, challenger: NamedAnswers, rule: ScoreRule, seed: int
) -> list[Comparison]:
    """Hold a challenger against the baseline, answer by answer, in the three ways.

    Cell by cell first; then, of each task that both were asked at zero-shot, the challenger's
    zero-shot against the baseline's most worked examples, and against its best wording.
    """
    theirs = {(one.task.name, one.shots): one for one in _join(*baseline, rule)}
    mine = _join(*challenger, rule)
    found = [_compare("same-shots", theirs[one.task.name, one.shots], one, seed) for one in mine]
    for own in mine:
        if own.shots:
            continue
        few = max(shots for task, shots in theirs if task == own.task.name)
        if few:
            found.append(_compare("zero-to-few", theirs[own.task.name, few], own, seed))
        rival = theirs[own.task.name, 0]
        best = rival.in_wording(_best_wording(rival))
        found.append(_compare("zero-to-best-wording", best, own, seed))
    return found


def _join(model: str, answered: Iterable[Answered], rule: ScoreRule) -> list[_Joined]:
    cells: dict[tuple[str, int], list[Answered]] = {}
    for one in answered:
        cells.setdefault((one.cell.task.name, one.cell.shot_count), []).append(one)
    return [
        _Joined(
            model,
            variants[0].cell.task,
            shots,
            variants,
            [one.marks(rule) for one in variants],
        )
        for (_, shots), variants in cells.items()
    ]


def _row(joined: _Joined, rule: ScoreRule, seed: int) -> MatrixRow:
    alike = sum_up(joined.clusters, joined.marks)
    interval = bootstrap(alike, seed)
    task = joined.task
    pairs = zip(joined.variants, joined.marks, strict=True)
    return MatrixRow(
        model=joined.model,
        task=task.name,
        family=task.card.family,
        language=task.language,
        metric=task.card.metric,
        shots=joined.shots,
        item_count=len(joined.clusters),
        cluster_count=sum(one.clusters for one in alike),
        chance=_chance(joined),
        accuracy=mean_of(alike),
        low=interval.low,
        high=interval.high,
        variants=tuple(_score_variant(one, marks, rule) for one, marks in pairs),
        quality=None if task.is_choice else _describe_texts(joined),
    )


def _chance(joined: _Joined) -> float:
    """Return what blind guessing gets; nothing where answers are written."""
    if not joined.task.is_choice:
        return 0.0
    return fmean(1 / len(answers) for answers in joined.variants[0].cell.answers)


def _score_variant(answered: Answered, marks: Sequence[int], rule: ScoreRule) -> VariantScore:
    cell = answered.cell
    scored = VariantScore(wording=cell.wording.name, draw=cell.draw, score=_share(marks))
    if not cell.task.is_choice:
        return scored
    by_rule = {one: _share(marks if one == rule else answered.marks(one)) for one in _RULES}
    return scored.model_copy(update={"by_rule": by_rule, "auc": _rank(answered)})


def _share(marks: Sequence[int]) -> float:
    return sum(marks) / (FULL_MARKS * len(marks))


def _rank(answered: Answered) -> float | None:
    """Tell how well raw log-probabilities rank, where all items share their labels."""
    labels, items = answered.cell.task.card.labels, answered.cell.items
    if not labels or any(item.choices for item in items):
        return None
    return auc(answered.scores("raw"), [labels.index(item.label) for item in items])


def _describe_texts(joined: _Joined) -> TextQuality:
    items = [item for one in joined.variants for item in one.cell.items]
    texts = [text for one in joined.variants for text in one.texts]
    ended = [end for one in joined.variants for end in one.ended]
    return describe_quality(items, texts, ended, joined.task.language)


def _best_wording(joined: _Joined) -> str:
    """Find the wording with the most marks; of equal ones the task's first."""
    names = list(dict.fromkeys(one.cell.wording.name for one in joined.variants))
    return max(names, key=lambda name: sum(map(sum, joined.in_wording(name).marks)))


def _compare(kind: ComparisonKind, theirs: _Joined, mine: _Joined, seed: int) -> Comparison:
    paired = pair_up(mine.clusters, mine.marks, theirs.marks)
    interval = bootstrap(paired.alike, seed)
    best = theirs.variants[0].cell.wording.name if kind == "zero-to-best-wording" else ""
    return Comparison(
        kind=kind,
        task=mine.task.name,
        family=mine.task.card.family,
        language=mine.task.language,
        shots=mine.shots,
        baseline_shots=theirs.shots,
        baseline=theirs.model,
        challenger=mine.model,
        baseline_wording=best,
        item_count=paired.item_count,
        wins=paired.wins,
        losses=paired.losses,
        difference=paired.difference,
        low=interval.low,
        high=interval.high,
        p_value=sign_flip(paired),
        pairs=paired.rows,
    )
