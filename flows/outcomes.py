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
    stopped_because: str


class CurateOutcome(Frozen):
    """A dataset version was published, or found published already."""

    dataset: Path
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


class RetrainOutcome(GenerateOutcome, CurateOutcome, FinetuneOutcome, EvaluateOutcome):
    """The whole loop, from seed tasks to verdict."""

    champion: str | None
    """The champion of the name after the verdict; None while none was promoted."""
    seconds: dict[str, float]
    """Wall time by stage."""
