"""Turn answers into findings: accuracies with intervals, gains, what was forgotten."""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.nsmc.findings import (
    CellFinding,
    GainFinding,
    OtherFinding,
    WritingFinding,
)
from benchmarks.nsmc.measuring import WrittenLabels
from benchmarks.nsmc.sentiment_rows import NEGATIVE, POSITIVE
from training.evaluation.cells import Answered
from training.evaluation.held_out import RecordLoss
from training.evaluation.ranking import auc
from training.evaluation.statistics.clusters import (
    FULL_MARKS,
    Paired,
    mean_of,
    pair_up,
    pool,
    sum_up,
)
from training.evaluation.statistics.intervals import bootstrap
from training.evaluation.statistics.significance import sign_flip

_SEED = 0


class Model(NamedTuple):
    """A model's name and all its answers."""

    name: str
    reviews: list[Answered]
    others: list[Answered]
    texts: list[RecordLoss]
    written: list[WrittenLabels]


def describe_cell(model: str, answered: Answered) -> CellFinding:
    """Give a cell's accuracy with interval, ranking and leaning."""
    cell = answered.cell
    marks = answered.marks("raw")
    alike = sum_up([item.cluster for item in cell.items], [marks])
    interval = bootstrap(alike, _SEED)
    labels = cell.task.card.labels
    area = auc(answered.scores("raw"), [labels.index(item.label) for item in cell.items])
    return CellFinding(
        model=model,
        wording=cell.wording.name,
        shots=cell.shot_count,
        draw=cell.draw,
        accuracy=mean_of(alike),
        low=interval.low,
        high=interval.high,
        auc=area or 0.0,
        positive=answered.predictions("raw").count(POSITIVE) / len(marks),
        calibrated=sum(answered.marks("calibrated")) / (FULL_MARKS * len(marks)),
    )


def best_zero_shot(base: Sequence[Answered]) -> Answered:
    """Find the base's best wording on these very items; of equal ones the first."""
    return max(
        (one for one in base if one.cell.shot_count == 0), key=lambda one: sum(one.marks("raw"))
    )


def describe_gains(model: Model, base: Sequence[Answered]) -> list[GainFinding]:
    """Hold a student's zero-shot, wording by wording, against the base's best and its few-shot."""
    best = best_zero_shot(base)
    most = max(one.cell.shot_count for one in base)
    few: dict[str, list[Answered]] = {}
    for one in base:
        if one.cell.shot_count == most:
            few.setdefault(one.cell.wording.name, []).append(one)
    wording, draws = max(few.items(), key=lambda pair: sum(sum(a.marks("raw")) for a in pair[1]))
    rivals = {
        f"base, zero-shot, {best.cell.wording.name}": [best],
        f"base, {most} shots, {wording}, mean of {len(draws)} draws": draws,
    }
    return [
        _gain(model.name, own, name, rival)
        for own in model.reviews
        for name, rival in rivals.items()
    ]


def _gain(model: str, own: Answered, name: str, rival: Sequence[Answered]) -> GainFinding:
    clusters = [item.cluster for item in own.cell.items]
    paired = pair_up(clusters, [own.marks("raw")], [one.marks("raw") for one in rival])
    interval = bootstrap(paired.alike, _SEED)
    return GainFinding(
        model=model,
        wording=own.cell.wording.name,
        against=name,
        difference=paired.difference,
        low=interval.low,
        high=interval.high,
        p_value=sign_flip(paired),
    )


def spread_of_wordings(answered: Sequence[Answered]) -> float:
    """Return the distance between the best and the worst zero-shot wording."""
    scores = [
        sum(one.marks("raw")) / (FULL_MARKS * len(one.cell.items))
        for one in answered
        if one.cell.shot_count == 0
    ]
    return max(scores) - min(scores)


class _Pair(NamedTuple):
    paired: Paired
    accuracy: float


def describe_others(model: Model, base: Model) -> tuple[list[OtherFinding], OtherFinding]:
    """Tell how a model does on other tasks, one by one and all together, beside the base."""
    pairs: dict[str, _Pair] = {}
    for task in dict.fromkeys(one.cell.task.name for one in model.others):
        mine = [one for one in model.others if one.cell.task.name == task]
        theirs = [one for one in base.others if one.cell.task.name == task]
        clusters = [item.cluster for item in mine[0].cell.items]
        own_marks = [one.marks("raw") for one in mine]
        paired = pair_up(clusters, own_marks, [one.marks("raw") for one in theirs])
        pairs[task] = _Pair(paired, mean_of(sum_up(clusters, own_marks)))
    found = [_other(model.name, task, pair) for task, pair in pairs.items()]
    together = pool([pair.paired for pair in pairs.values()])
    weights = [pair.paired.item_count for pair in pairs.values()]
    accuracy = sum(
        pair.accuracy * weight for pair, weight in zip(pairs.values(), weights, strict=True)
    ) / sum(weights)
    return found, _other(model.name, "all together", _Pair(together, accuracy))


def _other(model: str, task: str, pair: _Pair) -> OtherFinding:
    interval = bootstrap(pair.paired.alike, _SEED)
    return OtherFinding(
        model=model,
        task=task,
        accuracy=pair.accuracy,
        difference=pair.paired.difference,
        low=interval.low,
        high=interval.high,
        items=pair.paired.item_count,
    )


def describe_writing(model: Model) -> list[WritingFinding]:
    """Tell whether written answers end, and are labels, and right ones."""
    found: list[WritingFinding] = []
    for wording, written, labels in model.written:
        texts = [one.text.strip().strip("\"'.") for one in written]
        count = len(texts)
        found.append(
            WritingFinding(
                model=model.name,
                wording=wording,
                ended=sum(one.ended for one in written) / count,
                is_label=sum(text in (POSITIVE, NEGATIVE) for text in texts) / count,
                accuracy=sum(a == b for a, b in zip(texts, labels, strict=True)) / count,
            )
        )
    return found
