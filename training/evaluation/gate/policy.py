"""What the gate demands and tolerates, as data.

Imports nothing heavy, so that a command line shows it fast.
"""

from pydantic import Field

from schemas.evaluation import CheckName, Family
from schemas.frozen import Frozen


class GatePolicy(Frozen):
    """How sure the gate must be, and what it tolerates."""

    alpha: float = Field(default=0.05, gt=0, le=0.2)
    """Share of equal models that may be promoted by chance. Smaller needs more items."""
    margin: float = Field(default=0.05, ge=0, le=0.5)
    """Marks, as a fraction, that a cell may lose, and by which tuned zero-shot may fall short of
    the baseline's few-shot and of its zero-shot in its best wording. Larger promotes more."""
    smallest_gain: float = Field(default=0.02, gt=0, le=0.5)
    """The gain, as a fraction, that is worth finding: a hold never asks for the items that a
    smaller one would need."""
    target: tuple[Family, ...] = ()
    """Families of tasks that the challenger was tuned for, which have to show the gain; all others
    are watched for forgetting only. Empty means all, and nothing to forget."""
    forgetting_margin: float = Field(default=0.03, ge=0, le=0.5)
    """Marks, as a fraction, that a task outside the target may lose. Larger promotes more."""
    loss_margin: float = Field(default=0.02, ge=0, le=2)
    """Bits per byte by which held-out answers may become less likely. Larger promotes more."""
    canary_tolerance: int = Field(default=1, ge=0, le=100)
    """Canary questions that the challenger may fail and the baseline not."""
    overlap_allowed: float = Field(default=0.0, ge=0, le=1)
    """Share of a task's items that may stand in the challenger's training data without having been
    left out of the scores."""
    largest_size: float | None = Field(default=None, gt=0)
    """Size of the weights, in times the baseline's. None sets no limit."""
    slowest: float | None = Field(default=None, gt=0)
    """Answers a second, in times the baseline's. None sets no limit."""
    required: tuple[CheckName, ...] = ("integrity", "canaries", "gain", "few-shot", "slices")
    """Checks that have to be measured: without one of them the challenger is held. The others count
    when they are."""


DEFAULT_POLICY = GatePolicy()
