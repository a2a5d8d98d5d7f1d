"""What the gate's checks look at, how they answer, and how they speak of models compared."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from schemas.errors import UserError
from schemas.evaluation import Comparison, ComparisonKind, EvaluationReport, ModelFacts
from training.evaluation.gate.policy import GatePolicy
from training.evaluation.statistics.clusters import Paired
from training.evaluation.statistics.significance import holm, sign_flip


class GateError(UserError):
    """A report that no verdict can follow from."""


class Finding(NamedTuple):
    """What one check came to."""

    outcome: Literal["pass", "hold", "reject", "not-measured"]
    reason: str
    items_needed: int | None = None
    """Of all tasks together, to decide what is held."""


class Evidence(NamedTuple):
    """One report, read for one policy."""

    report: EvaluationReport
    policy: GatePolicy

    def compare(self, kind: ComparisonKind, *, in_target: bool = True) -> list[Comparison]:
        """Return the challenger's comparisons of one kind, on the target's families or others."""
        return [
            one
            for one in self.report.comparisons
            if one.challenger == self.report.challenger
            and one.kind == kind
            and (not self.policy.target or one.family in self.policy.target) == in_target
        ]

    @property
    def zero_shot(self) -> list[Comparison]:
        """Challenger against baseline without worked examples, on the target's families."""
        return [one for one in self.compare("same-shots") if one.shots == 0]

    @property
    def challenger(self) -> ModelFacts | None:
        """Facts of the model that is judged."""
        return self.report.models.get(self.report.challenger)

    @property
    def baseline(self) -> ModelFacts | None:
        """Facts of what it is compared with."""
        return self.report.models.get(self.report.baseline)


def harmed_cells(
    cells: Sequence[Comparison], margin: float, policy: GatePolicy
) -> list[Comparison]:
    """Return cells that are worse by more than the margin, and significantly so after Holm."""
    adjusted = holm([cell.p_value for cell in cells])
    return [
        cell
        for cell, p_value in zip(cells, adjusted, strict=True)
        if p_value <= policy.alpha and cell.difference < -margin
    ]


def describe_cell(cell: Comparison) -> str:
    """Say where and by how much two models differ."""
    counts = _describe(cell.difference, cell.item_count, cell.wins, cell.losses, cell.p_value)
    return f"{describe_place(cell)}: {counts}"


def describe_place(cell: Comparison) -> str:
    """Say what the models were asked."""
    shots = f"{cell.shots} shots"
    if cell.shots != cell.baseline_shots:
        shots += f" against the baseline's {cell.baseline_shots}"
    return f"{cell.task} ({cell.language}), {shots}"


def describe_paired(paired: Paired) -> str:
    """Say by how much two models differ over several cells."""
    return _describe(
        paired.difference, paired.item_count, paired.wins, paired.losses, sign_flip(paired)
    )


def tell_points(share: float) -> str:
    """Write marks as people do."""
    return f"{100 * share:.1f} points"


def tell_difference(share: float) -> str:
    """Write a difference in marks, its sign always there."""
    # Adding 0 turns -0.0 into 0.0.
    return f"{round(100 * share, 1) + 0.0:+.1f}"


def _describe(difference: float, items: int, wins: int, losses: int, p_value: float) -> str:
    return (
        f"{tell_difference(difference)} points on {items} items "
        f"({wins} won, {losses} lost, p = {p_value:.2g})"
    )
