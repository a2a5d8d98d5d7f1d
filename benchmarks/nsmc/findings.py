"""What the study found, as it is kept in `report.json`."""

from schemas.evaluation import HeldOutLoss
from schemas.frozen import Frozen


class SetFinding(Frozen):
    """A training set."""

    name: str
    version: str
    kinds: dict[str, int]
    """Records of each kind before curation."""
    rejected: dict[str, int]
    """By curation, by reason: reviews of the dev file that stand in the train file as well."""


class StudentFinding(Frozen):
    """A tuned student and what it cost."""

    name: str
    method: str
    data: str
    rows: int
    learning_rate: float
    steps: int
    train_minutes: float
    """Wall clock on the machine of the study, beside whatever else ran there."""
    loss_before: float
    loss_after: float


class CellFinding(Frozen):
    """One model in one wording after so many worked examples."""

    model: str
    wording: str
    shots: int
    draw: int
    accuracy: float
    low: float
    high: float
    """95 % bootstrap interval over the reviews."""
    auc: float
    positive: float
    """Share that is called positive; half of the reviews are."""
    calibrated: float
    """Accuracy after subtracting what each label has after a text without content."""


class GainFinding(Frozen):
    """One model against another on the same reviews."""

    model: str
    wording: str
    against: str
    difference: float
    low: float
    high: float
    p_value: float


class OtherFinding(Frozen):
    """One model on a task that has nothing to do with reviews, zero-shot."""

    model: str
    task: str
    accuracy: float
    difference: float
    """Minus the base's."""
    low: float
    high: float
    items: int


class WritingFinding(Frozen):
    """What a model writes when it is asked for a label, one wording of the study each."""

    model: str
    wording: str
    ended: float
    """By its stop token, or by the end of the line after an arrow."""
    is_label: float
    """Exactly one of the two labels."""
    accuracy: float


class Findings(Frozen):
    """All of it."""

    machine: str
    items: int
    base_best: str
    """The base's best zero-shot wording on the very reviews that are measured: its luck counts."""
    naive_bayes: float
    naive_bayes_low: float
    naive_bayes_high: float
    naive_bayes_auc: float
    sets: tuple[SetFinding, ...]
    students: tuple[StudentFinding, ...]
    cells: tuple[CellFinding, ...]
    gains: tuple[GainFinding, ...]
    spread: dict[str, float]
    """Between the best and the worst of the four wordings, zero-shot, by model."""
    others: tuple[OtherFinding, ...]
    others_together: tuple[OtherFinding, ...]
    texts: tuple[HeldOutLoss, ...]
    """Answers by people that no mixture holds."""
    writing: tuple[WritingFinding, ...]
