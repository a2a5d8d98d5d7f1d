"""What a dataset version and a tuned student say about themselves.

Manifests hold no clock: the same inputs give the same bytes.
"""

from typing import Literal

from pydantic import Field, JsonValue

from schemas.frozen import Frozen
from schemas.records import LANGUAGES, Language, Reason

Method = Literal["full", "lora", "qlora", "dora", "prompt_tuning"]
TemplateName = Literal["instruction", "chat"]
"""``instruction``: Stanford Alpaca's form for English, KoAlpaca v1.1's for Korean; ``chat``: the
student's own chat template."""
Share = float
"""A fraction in [0, 1]."""


class SourceFile(Frozen):
    """A file that a version was made from or consists of."""

    path: str
    """Relative; for files of a version to its folder."""
    sha256: str


class RoundYield(Frozen):
    """What one round of generation brought."""

    drafts: int = Field(ge=0)
    admitted: int = Field(ge=0)
    """Drafts that passed the per-record stages."""


class ParentDataset(Frozen):
    """A dataset that a mixture was drawn from."""

    source: str
    """``NAME/VERSION`` of ours, a file's name, or a hub id."""
    revision: str
    """Content hash of a version, sha256 of a file, commit of a hub dataset."""
    columns: dict[str, str]
    """Our column to theirs, for an outside dataset; empty for a version of ours."""
    available: int = Field(ge=0)
    """Records that it holds."""
    taken: int = Field(ge=0)
    """Records that were drawn, before the mixture was curated."""
    weight: float | None = None
    """Share of the mixture that was asked for."""
    cap: int | None = None
    """Most records that were to be taken."""
    licence: str = ""
    """As the Hugging Face Hub spells it; empty where it is not known."""


class ReviewReport(Frozen):
    """What readers decided about the records that came as far as the review."""

    accepted: int = Field(ge=0)
    """Kept because a reader found them right."""
    edited: int = Field(ge=0)
    rejected: int = Field(ge=0)
    restored: int = Field(ge=0)
    """Drafts that another stage had dropped and a reader brought back; part of ``accepted`` or
    ``edited`` too."""
    unused: int = Field(ge=0)
    """Decisions about records that are not among these drafts."""


class GenerationRun(Frozen):
    """One run that wrote drafts: with its journal and seed files, enough to write them again."""

    teacher: str
    config: dict[str, JsonValue]
    """The whole generation config, random seed of the epoch included."""
    admission: dict[str, JsonValue]
    """The curation config that decided which drafts counted and joined the pool."""
    seeds: tuple[SourceFile, ...]
    documents: tuple[SourceFile, ...]
    generated: int = Field(ge=0)
    """Drafts."""
    admitted: dict[Language, int]
    """Drafts of each language that passed the per-record stages."""
    unanswered: tuple[str, ...]
    """Keys of prompts that a spent budget left unanswered, whatever the journal got later."""
    prompt_tokens: int
    completion_tokens: int
    """Tokens of all answers behind its drafts, as the endpoint counted them."""
    rounds: tuple[RoundYield, ...] = ()
    """In order, those of the pilot first."""
    stopped_because: str
    forecast: dict[str, JsonValue] | None
    """What its pilot foretold; None when it ended before there was one."""


class DraftsManifest(Frozen):
    """What the generation runs of a name say about the drafts they wrote, beside them."""

    format: Literal["pacaloom-drafts/1"] = "pacaloom-drafts/1"
    name: str
    runs: tuple[GenerationRun, ...] = Field(min_length=1)
    """In order; those after the first one grew the drafts."""
    seed_paths: tuple[str, ...]
    """Where the seed files of the latest run were read on this machine."""
    document_paths: tuple[str, ...] = ()
    """The same for its documents."""
    latest_run_id: str = ""
    """The scheduled run that asked for the latest one, whose restarts add nothing more; empty for
    a command, each of which is a run of its own."""

    @property
    def generated(self) -> int:
        """All drafts."""
        return sum(run.generated for run in self.runs)

    @property
    def admitted(self) -> dict[Language, int]:
        """Drafts of each language that passed the per-record stages."""
        return {
            language: sum(run.admitted.get(language, 0) for run in self.runs)
            for language in LANGUAGES
            if any(language in run.admitted for run in self.runs)
        }


class JudgeReport(Frozen):
    """What a judge gave, and how far the rules say the same."""

    model: str
    judged: int
    """Records that had passed all other stages."""
    means: dict[str, float | None]
    """Mean score by criterion, 1 to 5."""
    mean_score: float | None
    audited: int
    """Records dropped by the rules that were scored for comparison."""
    audited_mean_score: float | None
    kappa: float | None
    """Cohen's kappa between rules and threshold, both groups weighted alike: 1 agrees always, 0
    as chance would. None without audited records."""


class DatasetManifest(Frozen):
    """The identity card of a dataset version."""

    format: Literal["pacaloom-dataset/1"] = "pacaloom-dataset/1"
    name: str
    version: str
    """``NNNN-HASH``: ordinal among the versions of this name, and the content hash's start."""
    content_hash: str
    """sha256 over kept records by split, rejections and licence: 64 hex digits."""
    generated: int = Field(ge=0)
    """Drafts that entered curation: ``kept + Σ rejected``."""
    kept: int = Field(ge=0)
    rejected: dict[Reason, int]
    kept_by_language: dict[Language, int]
    rejected_by_language: dict[Language, dict[Reason, int]]
    splits: dict[str, int]
    """Records by split: ``train`` and ``validation``."""
    split_by: Literal["lineage", "record"] = "lineage"
    """``lineage``: no seed task, document or source record has descendants on both sides.
    ``record``: all records hang together, so that only the records themselves are apart."""
    teachers: dict[str, int]
    """Drafts by the teacher that wrote them."""
    strategies: dict[str, int]
    """Drafts by generation strategy."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Tokens that the completions behind the drafts cost, as the endpoint counted them."""
    licence: str
    """As the Hugging Face Hub spells it; part of the content hash."""
    runs: tuple[GenerationRun, ...] = ()
    """What wrote the drafts, so that a journal can prove the version; empty for imports."""
    curation: dict[str, JsonValue]
    """The whole curation config with which the records were judged."""
    judge: JudgeReport | None = None
    """None when nobody judged."""
    drafts_sha256: str = ""
    """Over the drafts that were curated, so that the same batch is known when it comes again."""
    review: ReviewReport | None = None
    """None when no reader had decided anything; the decisions are in ``review.jsonl``."""
    parents: tuple[ParentDataset, ...] = ()
    """What a mixture was drawn from."""
    card_language: Language = "en"
    against: tuple[str, ...] = ()
    """Earlier dataset versions that the records had to differ from, as ``NAME/VERSION``."""
    seeds: tuple[SourceFile, ...]
    """Seed files, hashed."""
    files: tuple[SourceFile, ...]
    """Every file of the version but the manifest itself."""
    code_version: str


class ContractSummary(Frozen):
    """What the data contract found on the rows that are trained on and held out."""

    rows: dict[str, int]
    """By split: ``train`` and ``validation``; without the overlong and the protected."""
    overlong: int = Field(ge=0)
    """Rows left out, by the recipe's choice, because they are longer than its limit in tokens."""
    tokens: int = Field(ge=0)
    """Of the training rows, start and stop tokens included."""
    trained_tokens: int = Field(ge=0)
    """Those that carry a label: answers and their stop tokens."""
    length_median: int
    length_longest: int
    """Tokens of a training row."""
    languages: dict[Language, int]
    """Training rows."""
    duplicates: int = Field(ge=0)
    """Training rows whose tokens equal those of an earlier one."""


class MemoryEstimate(Frozen):
    """Where the memory of a run goes, in MB of 10^6 bytes, at its highest."""

    process_mb: float
    """The process before the student is loaded: interpreter and libraries."""
    weights_mb: float
    adapters_mb: float
    gradients_mb: float
    optimizer_mb: float
    activations_mb: float
    logits_mb: float
    working_mb: float = 0.0
    """What single operations need besides: copies in another number format, gradients on the way
    to their place."""
    highest_at: Literal["loading", "loss", "backward", "optimizer"] = "loss"
    """The phase whose memory this is; other phases need less."""

    @property
    def total_mb(self) -> float:
        """All of it."""
        return sum(part for part in self.model_dump().values() if isinstance(part, float))


class TrainingPoint(Frozen):
    """One step of a run."""

    step: int = Field(ge=1)
    loss: float
    """Nats a labelled token, over the step's rows."""
    learning_rate: float
    gradient_norm: float
    """Before it was clipped."""
    tokens: int = Field(ge=0)
    """Trained on so far, prompts included, padding not."""


class SampleAnswer(Frozen):
    """What a student answered to one of the fixed questions that each run is asked."""

    step: int = Field(ge=0)
    """Steps that the student had been trained for; 0 is the base."""
    language: Language
    instruction: str
    input: str
    answer: str
    """Written by the student, greedily."""
    ended: bool
    """It wrote its stop token; otherwise the answer was cut off."""


class TrainingManifest(Frozen):
    """The identity card of a tuned student."""

    format: Literal["pacaloom-model/1"] = "pacaloom-model/1"
    name: str
    version: str
    """``NNNN-HASH``: ordinal among the versions of this name, and the weights' hash's start."""
    method: Method
    student: str
    """Base model as the user named it: an embedded model's name, a hub id or a local path."""
    student_path: str
    """Folder of the base weights on this machine."""
    student_sha256: str
    """Over the base weights, so that an adapter is never put on another base."""
    dataset: str
    """``NAME/VERSION`` of the dataset."""
    dataset_content_hash: str
    template: TemplateName
    """What records were turned into text with."""
    template_hash: str
    """Of that template's text; a student is asked with no other."""
    recipe: dict[str, JsonValue]
    """All hyperparameters, defaults included."""
    contract: ContractSummary
    memory: MemoryEstimate
    """What was planned, to be held against ``peak_memory_mb``."""
    steps: int
    loss_before: float
    """Mean cross-entropy in nats a token on held-out completions, before the first step."""
    loss_after: float
    peak_memory_mb: float
    """High-water mark of the training process's resident memory (CUDA: allocated memory)."""
    train_seconds: float
    """Wall clock, over all starts; without the time in which questions were asked."""
    tokens_per_second: float
    """Trained on in that time, prompts included, padding not."""
    trainable_parameters: int
    total_parameters: int
    files: tuple[SourceFile, ...]
    libraries: dict[str, str]
    """Versions of the libraries that decide the result."""
    code_version: str
