"""What an evaluation found, and what the gate made of it.

Reports hold no clock: the same models, items and settings give the same bytes but for the times
that are named so.
"""

from typing import Literal

from pydantic import Field

from schemas.frozen import Frozen
from schemas.manifest import Share, TemplateName
from schemas.records import Language

Family = Literal[
    "sentiment",
    "topic",
    "entailment",
    "extraction",
    "arithmetic",
    "honorifics",
    "spelling",
    "instruction-following",
    "other",
]
Metric = Literal["accuracy", "exact_match", "rouge_l", "chrf", "constraints"]
"""``accuracy``: the likeliest of given answers; all others are about a written answer. Each gives
an answer marks from 0 to 100, all of them whole, and the first, second and last only 0 or 100."""

ScoreRule = Literal["raw", "per_byte", "calibrated"]
"""How the likeliest answer is found. ``raw``: by its log-probability; ``per_byte``: by that over
the answer's bytes; ``calibrated``: by that minus what it has after a text without content (Zhao et
al. 2021, arXiv:2102.09690; with own choices an item that is PMI, Holtzman et al. 2021,
arXiv:2104.08315)."""


class VariantScore(Frozen):
    """One wording and draw of worked examples within a cell."""

    wording: str
    draw: int = Field(ge=0)
    """Which draw of worked examples; 0 at zero-shot."""
    score: Share
    """Mean marks over items."""
    by_rule: dict[ScoreRule, Share] = Field(default_factory=dict)
    """Accuracy by each way of scoring; of choice tasks."""
    auc: Share | None = None
    """Chance that a right pair is ranked above a wrong one: mean over labels, one against the rest.
    Of choice tasks with shared labels."""


class TextQuality(Frozen):
    """How written answers look, whatever they say."""

    ended: Share
    """Ended by the stop token; the others were cut off."""
    repetitive: Share
    """That repeat themselves."""
    in_language: Share
    """In the language of their task."""
    rouge_l: Share | None = None
    """Mean against the references."""
    chrf: Share | None = None


class MatrixRow(Frozen):
    """One cell of the evaluation matrix: a model on a task with so many worked examples."""

    model: str
    task: str
    family: Family
    language: Language
    metric: Metric
    shots: int = Field(ge=0)
    item_count: int
    cluster_count: int
    """Items that stand alone, and groups of those that do not."""
    chance: Share = 0.0
    """Accuracy of blind guessing: one over the answers to choose from; 0 for written answers."""
    accuracy: Share
    """Mean marks over items and variants; for choice tasks the accuracy."""
    low: Share
    """Lower end of the 95 % bootstrap interval over clusters."""
    high: Share
    variants: tuple[VariantScore, ...]
    """Every wording with every draw."""
    quality: TextQuality | None = None
    """Of text tasks."""

    @property
    def spread(self) -> float:
        """Distance between the best and the worst variant: how sensitive to the prompt."""
        scores = [variant.score for variant in self.variants]
        return max(scores) - min(scores)


class ClusterDifference(Frozen):
    """How many clusters the two models answered with the same difference."""

    marks: int
    """Of the challenger minus those of the baseline, summed over the cluster's answers."""
    answers: int = Field(ge=1)
    """Items times variants in each of these clusters."""
    clusters: int = Field(ge=1)


ComparisonKind = Literal["same-shots", "zero-to-few", "zero-to-best-wording"]
"""``same-shots``: cell by cell. ``zero-to-few``: zero-shot against the baseline's most worked
examples. ``zero-to-best-wording``: zero-shot in all wordings against the baseline's zero-shot in
the one wording that suits it best on these very items."""


class Comparison(Frozen):
    """Challenger against baseline on identical items."""

    kind: ComparisonKind
    task: str
    family: Family
    language: Language
    shots: int
    """Worked examples that the challenger was given."""
    baseline_shots: int
    baseline: str
    challenger: str
    baseline_wording: str = ""
    """The one that suits the baseline best, where ``kind`` says so."""
    item_count: int
    wins: int = Field(ge=0)
    """Clusters in which the challenger got more marks."""
    losses: int = Field(ge=0)
    """Clusters in which the baseline did."""
    difference: float
    """Mean marks of the challenger minus those of the baseline, in [-1, 1]."""
    low: float
    high: float
    """Ends of the 95 % paired cluster bootstrap interval."""
    p_value: float
    """Exact sign-flip test over clusters, two-sided; McNemar's where each holds one answer."""
    pairs: tuple[ClusterDifference, ...]
    """All that tests and intervals follow from."""


class HeldOutLoss(Frozen):
    """How well a model foretells the answers of records that no one was trained on."""

    model: str
    language: Language
    records: int
    bytes: int
    """Of the answers, in UTF-8."""
    bits_per_byte: float
    """Comparable between models of different tokenizers."""
    difference: float = 0.0
    """Minus the baseline's; negative is better."""
    low: float = 0.0
    high: float = 0.0
    """Ends of its 95 % paired bootstrap interval over records."""


class CanaryAnswer(Frozen):
    """What a model wrote to one of the fixed questions that a working student never fails."""

    model: str
    language: Language
    instruction: str
    answer: str
    ended: bool
    repetitive: bool
    in_language: bool


class ModelFacts(Frozen):
    """What a model costs who serves it."""

    model: str
    fingerprint: str
    """Of weights, base, config and tokenizer; of an endpoint its address and name."""
    path: str = ""
    """Folder on this machine, or an endpoint's address and name."""
    dataset: str = ""
    """``NAME/VERSION`` it was tuned on."""
    damage: str = ""
    """What its files show to be wrong; empty for a whole one."""
    size_mb: float = 0.0
    """Of the weights it is served with, in 10^6 bytes."""
    answers_per_second: float = 0.0
    """Scored in this evaluation; 0 when all were kept from earlier ones."""


class Overlap(Frozen):
    """Items of a task that stand in the challenger's training data."""

    task: str
    items: tuple[str, ...]
    """Their ids."""
    excluded: bool
    """Left out of the scores, of all models."""


class JudgedPairs(Frozen):
    """What a judge says of challenger against baseline, each pair in both orders."""

    judge: str
    language: Language
    wins: int = Field(ge=0)
    ties: int = Field(ge=0)
    """Also those whose winner depended on the order."""
    losses: int = Field(ge=0)
    win_rate: Share
    """Ties are half a win."""
    length_controlled: Share
    """The win rate that equal lengths would give (Dubois et al. 2024, arXiv:2404.04475)."""
    low: Share
    high: Share
    """Ends of the 95 % bootstrap interval of ``length_controlled`` over questions."""


Verdict = Literal["promote", "hold", "reject"]

CheckName = Literal[
    "integrity",
    "canaries",
    "loss",
    "gain",
    "few-shot",
    "slices",
    "forgetting",
    "contamination",
    "size",
    "speed",
]


class GateCheck(Frozen):
    """One question of the gate."""

    name: CheckName
    outcome: Literal["pass", "hold", "reject", "not-measured"]
    reason: str


class GateVerdict(Frozen):
    """Whether the challenger may replace the champion, and why."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """Of the checks that decided."""
    checks: tuple[GateCheck, ...] = ()
    challenger: str
    champion: str
    """What it was compared with: the champion, or the base model when there is none yet."""
    items_needed: int | None = None
    """For ``hold``: items at which a difference of the observed size would be decided."""


class EvaluationReport(Frozen):
    """All that one evaluation found."""

    format: Literal["pacaloom-evaluation/2"] = "pacaloom-evaluation/2"
    id: str
    """Hash of models, tasks, items and settings."""
    items_hash: str
    """Hash over the items and shots that were used; equal hashes are comparable."""
    template: TemplateName = "instruction"
    """The form in which all models were asked."""
    template_hash: str
    template_note: str = ""
    """Says why a student was not asked in the form that it was trained with."""
    rule: ScoreRule = "raw"
    """What decided about choice tasks; chosen before, not after."""
    wordings: int = 1
    """Most wordings of a task."""
    draws: int = 1
    """Draws of worked examples."""
    seed: int
    baseline: str
    challenger: str
    models: dict[str, ModelFacts]
    """In the order of the matrix's rows."""
    matrix: tuple[MatrixRow, ...]
    comparisons: tuple[Comparison, ...]
    """Of every other model with the baseline."""
    held_out: tuple[HeldOutLoss, ...] = ()
    canaries: tuple[CanaryAnswer, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    judged: tuple[JudgedPairs, ...] = ()
    verdict: GateVerdict | None = None
    no_verdict: str = ""
    """Why there is none."""
    seconds: float


class ComparedWording(Frozen):
    """How one wording of a question did."""

    name: str
    instruction: str
    form: Literal["record", "arrow"]
    score: Share
    """Mean marks; for choice tasks the accuracy."""
    low: Share
    high: Share
    """Ends of the 95 % cluster bootstrap interval."""
    auc: Share | None
    behind: float
    """Score minus that of the best wording; 0 for the best."""
    behind_low: float
    behind_high: float
    """Ends of its 95 % paired interval."""
    p_value: float
    """That both are equally good: exact sign-flip test, adjusted over all pairs (Holm)."""
    items_needed: int | None
    """Items that would show a difference of this size; None where there is none."""


class PromptComparison(Frozen):
    """Which wording of a question suits a model best."""

    format: Literal["pacaloom-prompts/1"] = "pacaloom-prompts/1"
    model: str
    task: str
    language: Language
    shots: int
    draws: int
    rule: ScoreRule
    item_count: int
    wordings: tuple[ComparedWording, ...]
    """Best first."""
    is_decided: bool
    """The best one is shown to be better than every other."""
