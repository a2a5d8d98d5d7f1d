"""What a run has reached: told once, for logs, notifications and Prefect's events alike."""

from typing import Literal

from schemas.evaluation import Verdict
from schemas.frozen import Frozen


class DraftsWritten(Frozen):
    """A generation run ended as it should."""

    kind: Literal["drafts-written"] = "drafts-written"
    name: str
    teacher: str
    generated: int
    admitted: int
    requests: int
    """Sent by this run."""
    usd: float | None
    """What its tokens cost; None without a price."""
    stopped_because: str


class BudgetMostlyUsed(Frozen):
    """A run has used 80 % of one of its caps."""

    kind: Literal["budget-mostly-used"] = "budget-mostly-used"
    name: str
    cap: str
    """``requests``, ``tokens``, ``usd`` or ``minutes``."""
    used: float
    limit: float


class DatasetPublished(Frozen):
    """A dataset version is there."""

    kind: Literal["dataset-published"] = "dataset-published"
    name: str
    dataset: str
    """``NAME/VERSION``."""
    kept: int
    rejected: int
    is_new: bool
    """False when the same version was published before."""


class StudentTuned(Frozen):
    """A model version is there."""

    kind: Literal["student-tuned"] = "student-tuned"
    name: str
    model: str
    """``NAME/VERSION``."""
    dataset: str
    """``NAME/VERSION``."""
    loss_before: float
    loss_after: float


class StudentJudged(Frozen):
    """Models were compared, and the gate has spoken or cannot."""

    kind: Literal["student-judged"] = "student-judged"
    name: str
    model: str
    baseline: str
    verdict: Verdict | None
    reasons: tuple[str, ...]
    evaluation: str
    """Folder."""


class ChampionReplaced(Frozen):
    """A student has become the champion of its name."""

    kind: Literal["champion-replaced"] = "champion-replaced"
    name: str
    champion: str
    before: str | None


class RunFailed(Frozen):
    """A run ended without what it was asked for."""

    kind: Literal["run-failed"] = "run-failed"
    name: str
    flow: str
    message: str
    """One line; for people, keys masked."""


Milestone = (
    DraftsWritten
    | BudgetMostlyUsed
    | DatasetPublished
    | StudentTuned
    | StudentJudged
    | ChampionReplaced
    | RunFailed
)
