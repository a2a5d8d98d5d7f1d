"""What each flow returns: the JSON object on the last line of standard output."""

from pathlib import Path

from pydantic import JsonValue

from schemas.evaluation import MatrixRow, Verdict
from schemas.frozen import Frozen
from schemas.manifest import JudgeReport
from schemas.records import Language, Reason


class GenerateOutcome(Frozen):
    """Drafts were written."""

    drafts: Path
    generated: int
    """Drafts, whatever becomes of them."""
    admitted: dict[Language, int]
    """Drafts that passed the per-record stages: what the quotas count."""
    teacher: str
    """Model, and where it was asked."""
    teacher_requests: int
    """HTTP requests sent by this run; answers from the journal cost none."""
    usd: float | None
    """What the run's requests cost, its restarts included; None without a price."""
    stopped_because: str


class CurateOutcome(Frozen):
    """A dataset version was published, or found published already."""

    dataset: Path
    is_new: bool
    """False when the same version was published before."""
    content_hash: str
    generated: int
    kept: int
    rejected: dict[Reason, int]
    only_because: dict[Reason, int]
    """Drafts that break this rule and no other: what switching it off would bring, before novelty
    and the stages after it."""
    kept_by_language: dict[Language, int]
    rejected_by_language: dict[Language, dict[Reason, int]]
    judge: JudgeReport | None = None
    """What the judge gave, and how far the rules agree; None when nobody judged."""


class VariantOutcome(Frozen):
    """What other knobs would make of the same drafts."""

    changes: dict[str, JsonValue]
    """Knobs and their values."""
    kept: int
    kept_by_language: dict[Language, int]
    gained: int
    """Drafts that only the variant keeps."""
    lost: int
    """Drafts that only the settings as they are keep."""
    other_reason: int
    """Drafts that both drop, for different reasons."""
    differences: Path
    """JSON lines: each of these drafts, with both reasons."""


class ExploreOutcome(Frozen):
    """Drafts were curated in several ways, and nothing was published."""

    name: str
    generated: int
    kept: int
    """With the settings as they are."""
    kept_by_language: dict[Language, int]
    variants: tuple[VariantOutcome, ...]


class FinetuneOutcome(Frozen):
    """A student was tuned."""

    model: Path
    tuned_on: str
    """Dataset version, as ``NAME/VERSION``."""
    loss_before: float
    loss_after: float
    peak_memory_mb: float
    train_seconds: float
    steps: int


class EvaluateOutcome(Frozen):
    """Models were compared."""

    evaluation: Path
    matrix: tuple[MatrixRow, ...]
    verdict: Verdict | None
    """None when the matrix lacks the columns that the gate's claim is about."""
    reasons: tuple[str, ...]
    challenger: str
    baseline: str
    champion: str | None = None
    """With ``promote``: the champion of the name after the verdict; None while none was
    promoted."""


class RetrainOutcome(GenerateOutcome, CurateOutcome, FinetuneOutcome, EvaluateOutcome):
    """The whole loop, from seed tasks to verdict."""

    seconds: dict[str, float]
    """Wall time by stage."""


class SpaceGiven(Frozen):
    """One thing that maintenance removed, shortened or compacted, or would."""

    what: str
    """``dataset version``, ``model version``, ``evaluation``, ``unfinished training``,
    ``leftover``, ``index``, ``kept answers``, ``served student``, ``log``, ``front of a log`` or
    ``journal``."""
    path: str
    """Relative to the outputs folder; in the cache the whole path."""
    why: str
    bytes: int
    """That it gives back."""


class MaintenanceOutcome(Frozen):
    """Space was given back, or it was told what would be."""

    applied: bool
    """False: nothing was touched."""
    given: tuple[SpaceGiven, ...]
    bytes: int
    """Of all that."""
    kept_versions: int
    """Versions and evaluations that stay because something needs them."""
    notices: tuple[str, ...]
    """What stays against expectation, and why."""
