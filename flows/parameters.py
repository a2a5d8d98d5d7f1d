"""What a user may ask of each flow: one model a verb, for the command line, YAML and Prefect alike.

Nothing heavy is imported here, so that ``--help`` answers at once.
"""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from flows.approval import ApprovalPolicy
from pipeline.curation.config import CurationConfig
from pipeline.generation.config import GenerationConfig
from schemas.frozen import Frozen
from schemas.records import Language
from training.base_model import Precision
from training.evaluation.config import EvaluationConfig
from training.finetuning.recipe import Recipe
from training.finetuning.tracking import Tracker

NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
NO_SEEDS = "none"

PROJECT_SEEDS = ("seeds/en.jsonl", "seeds/ko.jsonl")
"""Found in the project's folder from wherever the command runs."""

Transport = Literal["live", "batch"]

ModelReference = Annotated[str, Field(min_length=1)]

Config = TypeVar("Config", bound=Frozen)


class GenerateParams(GenerationConfig):
    """Have a teacher write drafts from seed tasks until each quota of kept records is filled.

    The teacher is the endpoint of OPENAI_BASE_URL and OPENAI_API_KEY, or the several of
    PACALOOM_ENDPOINTS, each with a weight; with none set, the embedded model on this machine. Every
    answer is journaled before it is used: a run that was killed continues, and a finished run
    repeated sends no request.
    """

    name: str = Field(default="demo", pattern=NAME_PATTERN)
    """Name of journal, drafts and dataset: a-z, 0-9, dot, dash, underscore."""
    model: str | None = None
    """Teacher as its endpoint calls it. Required with an endpoint; without one an embedded model,
    default qwen2.5-coder-1.5b."""
    seeds: tuple[str, ...] = Field(default=PROJECT_SEEDS, min_length=1)
    """Files of seed tasks: ours, Stanford/Self-Instruct, or KoAlpaca v1.1 JSONL."""
    documents: tuple[str, ...] = ()
    """Files of questions with accepted answers, for koalpaca_documents: JSONL of {"id", "title",
    "body", "answer", "licence"}."""
    transport: Transport = "live"
    """How requests travel: one by one, or through the endpoint's Batch API, which takes up to a day
    and half the price."""
    grow: bool = False
    """Keep the drafts of this name and fill the quotas with new ones, so that every scheduled run
    adds records. Without it the drafts are those of one run, and a finished run repeated sends no
    request."""
    curation: CurationConfig = CurationConfig()
    """Stages and thresholds that a draft must pass to count for its quota and to serve as an
    example."""
    approval: ApprovalPolicy = ApprovalPolicy()
    """When a person is asked before the run goes on."""


class CurateParams(CurationConfig):
    """Sort drafts into kept records and rejections, and publish them as a dataset version.

    Costs no request unless a judge is named: new rules or thresholds re-curate the same drafts for
    free.
    """

    name: str = Field(default="demo", pattern=NAME_PATTERN)
    """Name of the dataset; its drafts are those that `generate` wrote under it."""
    input: Path | None = None
    """Any JSONL, or one JSON list, of instruction, input, output and optionally language, in place
    of the drafts."""
    seeds: tuple[str, ...] | None = None
    """Files of seed tasks that records must differ from; `none` compares the records with each
    other only. Default: for drafts those they were generated from, for --input the project's."""
    against: tuple[str, ...] = ()
    """Dataset versions that the records must differ from: NAME for all its versions, NAME/VERSION,
    or a folder. Their indexes are kept, so that a small batch takes seconds."""
    cluster: str | None = None
    """Dask scheduler, as tcp://127.0.0.1:8786, on whose workers the drafts are looked at instead;
    needs --prefect and the `distributed` packages."""
    processes: int | None = Field(default=None, ge=1)
    """Processes that look at the drafts side by side; default: one a processor core. The records
    are the same with any number."""
    licence: str = Field(default="apache-2.0", min_length=1)
    """Licence of the dataset for its card, as the Hugging Face Hub spells it. Mind the terms of
    the teacher."""
    card_language: Language | None = None
    """Language of the dataset's card, its pictures and its report: en or ko. Default: Korean when
    more than half of the records are."""


class ExploreParams(CurateParams):
    """Sort drafts into kept records and rejections, and publish them as a dataset version.

    Costs no request unless a judge is named: new rules or thresholds re-curate the same drafts for
    free. With --what-if or --sweep nothing is published: the drafts are compared under other knobs.
    """

    what_if: tuple[str, ...] = ()
    """KNOB=VALUE, as novelty.threshold=0.8: show which drafts would be kept or dropped instead.
    Several are changed together."""
    sweep: str | None = None
    """KNOB=V1,V2,…, as novelty.threshold=0.5,0.6,0.7: show what is kept at each value."""


class FinetuneParams(Recipe):
    """Tune a student on a dataset version with TRL: full, LoRA, QLoRA, DoRA or prompt tuning.

    Loss is taken on the answers only; held-out loss is measured before and after. An interrupted
    run continues from its last checkpoint when called again.
    """

    dataset: str = Field(min_length=1)
    """Dataset version: its folder, NAME/VERSION, or NAME for the newest version."""
    student: str = Field(default="smollm2-135m", min_length=1)
    """Base model: an embedded model's name, a Hugging Face id, or a local folder."""
    name: str | None = Field(default=None, pattern=NAME_PATTERN)
    """Name of the tuned student; default: the dataset's name."""
    protect: tuple[str, ...] = ()
    """Evaluation sets that no training row may be or contain, beside our own tasks: JSONL files, or
    dataset versions by NAME, NAME/VERSION or folder."""
    resume: Path | None = None
    """Folder of an unfinished run (outputs/models/NAME/.run-…) that has to be continued; refused
    when its values differ. Without it the same command finds its own unfinished run."""
    report_to: tuple[Tracker, ...] = ()
    """Trackers that get each step's figures, each a package of its own. What they write stays on
    this machine unless you say otherwise."""


class AskFinetuneParams(FinetuneParams):
    """Tune a student on a dataset version with TRL: full, LoRA, QLoRA, DoRA or prompt tuning.

    Loss is taken on the answers only; held-out loss is measured before and after. An interrupted
    run continues from its last checkpoint when called again. With --explain, --plan or --preview
    nothing is trained.
    """

    dataset: str = ""
    """Dataset version: its folder, NAME/VERSION, or NAME for the newest version."""
    explain: bool = False
    """Show every hyperparameter with its value, who chose it, and the paper, table or measurement
    it comes from. Needs no dataset."""
    plan: bool = False
    """Show where the memory of the run would go, whether it fits here, and what fits on which
    GPU."""
    preview: int | None = Field(default=None, ge=1, le=100)
    """Show so many rows, from all over the dataset, token by token as the student will read them,
    coloured by what is trained. The whole data contract is checked first."""
    preview_ids: bool = False
    """With --preview: the number of each token behind it."""


class EvaluateParams(EvaluationConfig):
    """Compare models under zero-, one- and few-shot prompts on identical items, and judge.

    Every model gets the same items, worked examples and wordings. The first is the challenger: the
    gate says whether it may take the baseline's place, with its reasons. An interrupted run
    continues with the cell it was in.
    """

    model: tuple[ModelReference, ...] = Field(min_length=1)
    """Models: a tuned student's folder, NAME or NAME/VERSION, an embedded student's name, a Hugging
    Face folder, or a served endpoint with log-probabilities as URL#MODEL. The first is the
    challenger."""
    baseline: str | None = None
    """What it is compared with; default: the champion of its name, else the base model that it was
    tuned from."""
    random_seed: int = Field(default=0, ge=0)
    """Decides which worked examples are drawn, the same for all models."""
    precision: Precision | None = None
    """Number format of the scoring: bf16 takes 0.4 of the time on processors that compute in it.
    None takes it there, else fp32."""
    promote: bool = False
    """Make the challenger the champion of its name when the gate says promote."""
    approval: ApprovalPolicy = ApprovalPolicy()
    """When a person is asked before the run goes on."""


class RetrainParams(GenerationConfig, Recipe, EvaluationConfig):
    """Generate, curate, publish, finetune, evaluate and judge, in one run.

    The tuned student becomes the champion of its name only when the gate says promote.
    """

    name: str = Field(default="demo", pattern=NAME_PATTERN)
    """Name of journal, dataset and student: a-z, 0-9, dot, dash, underscore."""
    model: str | None = None
    """Teacher as its endpoint calls it; without an endpoint an embedded model, default
    qwen2.5-coder-1.5b."""
    seeds: tuple[str, ...] = Field(default=PROJECT_SEEDS, min_length=1)
    """Files of seed tasks: ours, Stanford/Self-Instruct, or KoAlpaca v1.1 JSONL."""
    documents: tuple[str, ...] = ()
    """Files of questions with accepted answers, for koalpaca_documents: JSONL of {"id", "title",
    "body", "answer", "licence"}."""
    transport: Transport = "live"
    """How requests travel: one by one, or through the endpoint's Batch API, which takes up to a day
    and half the price."""
    grow: bool = False
    """Keep the drafts of this name and fill the quotas with new ones, so that every scheduled run
    adds records. Without it the drafts are those of one run, and a finished run repeated sends no
    request."""
    curation: CurationConfig = CurationConfig()
    """Stages and thresholds of curation."""
    licence: str = Field(default="apache-2.0", min_length=1)
    """Licence of the dataset for its card, as the Hugging Face Hub spells it."""
    card_language: Language | None = None
    """Language of the dataset's card, its pictures and its report: en or ko. Default: Korean when
    more than half of the records are."""
    student: str = Field(default="smollm2-135m", min_length=1)
    """Base model: an embedded model's name, a Hugging Face id, or a local folder."""
    steer: bool = True
    """With --grow: ask the teacher for more of what the last student of this name was weakest in,
    by language and kind of task. Never shows it an item of an evaluation."""
    approval: ApprovalPolicy = ApprovalPolicy()
    """When a person is asked before the run goes on."""


class MaintenanceParams(Frozen):
    """Give back the space of old versions, given-up trainings and journals.

    The newest versions stay, and all that a champion goes back to; what a kept manifest refers to
    is never removed. Without --apply nothing is touched: it says what would go, and its size.
    """

    keep_versions: int = Field(default=5, ge=1)
    """Versions of each dataset and of each model that stay, the newest."""
    stale_days: float = Field(default=14.0, ge=0)
    """Days without a write after which an unfinished training is given up, and without use after
    which indexes, kept answers to evaluations and served students go that nothing kept needs."""
    log_days: float = Field(default=30.0, ge=0)
    """Days without a line after which a log goes."""
    compact: bool = True
    """Also give back the space that journals hold for nothing; no answer is lost."""
    apply: bool = False
    """Remove. Without it, only tell."""


def part_of(params: Frozen, config: type[Config]) -> Config:
    """Take those fields of a flow's parameters that make up a stage's config."""
    return config.model_validate({name: getattr(params, name) for name in config.model_fields})
