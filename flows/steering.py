"""Let the weakest cells of an evaluation decide what the next generation asks for.

What steers is the headroom of a family of tasks in a language: how far its zero-shot score is from
full marks, as a share of what lies between chance and full marks. A kind of seed task that teaches
the family is asked for in proportion, from half to twice its ordinary share, and a language from
three quarters to five quarters of its quota. So a weakness shifts the data and never becomes all of
it: a student that is taught one task alone forgets the others. Only scores are read here, never an
item, so no item of an evaluation can reach a prompt.
"""

from collections.abc import Mapping
from statistics import fmean
from typing import NamedTuple

from flows.parameters import RetrainParams
from flows.registry import open_registry
from flows.settings import Settings
from schemas.errors import PacaloomError
from schemas.evaluation import EvaluationReport, Family, MatrixRow
from schemas.records import Language, TaskType
from training.evaluation.reading import read_report

TAUGHT_BY: Mapping[Family, tuple[TaskType, ...]] = {
    "sentiment": ("classification",),
    "topic": ("classification",),
    "entailment": ("reasoning", "question-answering"),
    "extraction": ("extraction",),
    "arithmetic": ("arithmetic",),
    "honorifics": ("language", "rewriting"),
    "spelling": ("language",),
    "instruction-following": ("practical-writing", "creative-writing"),
    "other": (),
}
"""Kinds of seed task whose records practise what a family of evaluation tasks asks."""

_LEAST_EMPHASIS, _MOST_EMPHASIS = 0.5, 2.0
_LARGEST_SHIFT = 0.25
"""Share of its quota that a language may win or lose."""

Headroom = dict[tuple[Language, Family], float]


class Steering(NamedTuple):
    """What the next generation asks for."""

    quota: dict[Language, int]
    emphasis: dict[str, float]
    """As ``GenerationConfig.emphasis``."""
    reason: str
    """One line for people."""


def steer(params: RetrainParams, settings: Settings) -> Steering | None:
    """Read the last evaluation of the name and turn it into quotas.

    Returns:
        None when nothing was evaluated yet, or the user set an emphasis.
    """
    if not (params.grow and params.steer) or params.emphasis:
        return None
    reports = [model.report for model in open_registry(settings).models(params.name)]
    for folder in reversed([report for report in reports if report is not None]):
        try:
            report = read_report(folder)
        except PacaloomError:
            # An evaluation that was deleted or is of an older format steers nothing.
            continue
        return plan_steering(find_headroom(report), params.quota, report.challenger)
    return None


def find_headroom(report: EvaluationReport) -> Headroom:
    """Measure how much each family in each language has left to gain at zero-shot."""
    found: dict[tuple[Language, Family], list[float]] = {}
    for row in report.matrix:
        if row.model == report.challenger and row.shots == 0:
            found.setdefault((row.language, row.family), []).append(_headroom(row))
    return {cell: fmean(values) for cell, values in found.items()}


def plan_steering(
    headroom: Headroom, quota: Mapping[Language, int], subject: str
) -> Steering | None:
    """Turn headroom into quotas; None when there is none."""
    active = {cell: value for cell, value in headroom.items() if quota.get(cell[0])}
    if not any(active.values()):
        return None
    emphasis: dict[str, float] = {}
    for language in {language for language, _ in active}:
        own: dict[Family, float] = {
            family: value for (spoken, family), value in active.items() if spoken == language
        }
        emphasis |= {
            f"{language}/{kind}": weight for kind, weight in sorted(_weigh_kinds(own).items())
        }
    weakest = max(active, key=lambda cell: active[cell])
    return Steering(
        _share_quota(active, quota),
        dict(sorted(emphasis.items())),
        f"Steered by the evaluation of {subject}: most headroom in {weakest[1]} ({weakest[0]}, "
        f"{100 * active[weakest]:.0f} % of what lies above chance)",
    )


def _headroom(row: MatrixRow) -> float:
    return min(1.0, (1.0 - row.accuracy) / (1.0 - row.chance))


def _weigh_kinds(headroom: Mapping[Family, float]) -> dict[TaskType, float]:
    """Weigh the kinds of task of one language by the headroom of what they teach."""
    by_kind: dict[TaskType, list[float]] = {}
    for family, value in headroom.items():
        for kind in TAUGHT_BY[family]:
            by_kind.setdefault(kind, []).append(value)
    if not by_kind:
        return {}
    means: dict[TaskType, float] = {kind: fmean(values) for kind, values in by_kind.items()}
    middle = fmean(means.values())
    weights: dict[TaskType, float] = {}
    for kind, value in means.items():
        weight = value / middle if middle else 1.0
        weights[kind] = round(_clip(weight, _LEAST_EMPHASIS, _MOST_EMPHASIS), 2)
    return weights


def _share_quota(headroom: Headroom, quota: Mapping[Language, int]) -> dict[Language, int]:
    """Shift quotas towards the weaker language; their sum stays."""
    by_language: dict[Language, list[float]] = {
        language: [value for (spoken, _), value in headroom.items() if spoken == language]
        for language in quota
    }
    measured: dict[Language, float] = {
        language: fmean(values) for language, values in by_language.items() if values
    }
    middle = _mean_by(measured, quota)
    if len(measured) < 2 or not middle:
        return dict(quota)
    # What one language gains another gives up, so the smaller of both bounds decides.
    other, weaker = sorted(measured, key=measured.__getitem__)
    wish = quota[weaker] * _clip(measured[weaker] / middle, 1.0, 1.0 + _LARGEST_SHIFT)
    moved = int(min(wish - quota[weaker], _LARGEST_SHIFT * quota[other]))
    shared = dict(quota)
    shared[weaker] += moved
    shared[other] -= moved
    return shared


def _mean_by(values: Mapping[Language, float], weights: Mapping[Language, int]) -> float:
    total = sum(weights[language] for language in values)
    return sum(values[language] * weights[language] for language in values) / total if total else 0


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
