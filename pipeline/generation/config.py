"""The knobs of a generation run; imports nothing heavy, so that a command line shows them fast."""

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from schemas.exchange import Decoding
from schemas.frozen import Frozen
from schemas.records import LANGUAGES, Language, TaskType

StrategyName = Literal[
    "structured",
    "alpaca",
    "self_instruct",
    "koalpaca_translate",
    "koalpaca_documents",
    "evolve",
    "topics",
    "magpie",
]

Quota = Annotated[int, Field(ge=0, le=10_000_000)]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_EMPHASISED = {
    f"{language}/{kind}": (language, kind) for language in LANGUAGES for kind in get_args(TaskType)
}


class Price(Frozen):
    """What a teacher charges, in US dollars for a million tokens."""

    input: float = Field(ge=0, allow_inf_nan=False)
    """For a million tokens of prompts."""
    output: float = Field(ge=0, allow_inf_nan=False)
    """For a million tokens of answers."""


class GenerationConfig(Frozen):
    """What to generate, how, and when to stop."""

    quota: dict[Language, Quota] = Field(default={"en": 20, "ko": 20}, min_length=1)
    """Records to keep in each language; a language without a quota, or with 0, is not generated."""
    mix: dict[StrategyName, Weight] = Field(default={"structured": 1.0}, min_length=1)
    """How the teacher is asked: strategies with the share of kept records that each should write.
    Weights need not add up to 1. One whose drafts are often rejected is asked more often, up to
    eight times."""
    emphasis: dict[str, Weight] = Field(default_factory=dict)
    """How many times its ordinary share a kind of task is asked for, as ko/arithmetic=2; kinds that
    are not named have 1. A retraining that grows its drafts sets it from the last evaluation."""
    examples_per_prompt: int = Field(default=3, ge=1, le=8)
    """Worked examples shown in each prompt. More steer better and cost prompt tokens."""
    prompts_per_round: int | None = Field(default=None, ge=1, le=50_000)
    """Conversations drawn from one state of the pool. None lets rounds grow with the run: an
    eighth of what was drawn so far, from 8 to 1,024, so that early records soon serve as examples
    and later rounds keep a fast endpoint busy."""
    lag: int = Field(default=1, ge=0, le=16)
    """Rounds that may be under way beyond the one awaited. 0 leaves the endpoint idle while the
    slowest answer of a round is awaited; higher lets the pool feed prompts later."""
    random_seed: int = Field(default=0, ge=0, lt=2**32)
    """Decides every draw; the same seed, seed tasks and journal give the same records."""
    decoding: Decoding | None = None
    """How the teacher draws its answers; None takes what suits each strategy."""
    concurrency: int = Field(default=4, ge=1, le=1024)
    """Most requests under way at once; fewer while the endpoint is overloaded. Never changes the
    records, only the speed."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Most requests sent in any minute; None is what the endpoint itself allows."""
    tokens_per_minute: int | None = Field(default=None, ge=1)
    """Most tokens, of prompts and answers, in any minute; None is what the endpoint allows."""
    max_requests: int | None = Field(default=None, ge=1)
    """Hard cap on the requests of the run, retries included; None is no cap. A run continued after
    an interrupt goes on counting."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Hard cap on the tokens of the run, prompts and answers together."""
    max_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Hard cap on the cost of the run in US dollars. Needs a price: of the table, or ``price``."""
    max_minutes: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Hard cap on the minutes of asking: no request is sent, nor awaited, after them."""
    price: Price | None = None
    """What the teacher charges; None looks the model up in the price table."""
    pilot: float = Field(default=0.05, gt=0, le=1)
    """Share of the wanted records after which requests, tokens, cost and minutes of the whole run
    are foretold. A larger pilot foretells better and later."""
    pilot_only: bool = False
    """Stop after the pilot, so that people can decide; the same run without it goes on."""
    patience: int = Field(default=100, ge=1)
    """Latest drafts of a strategy in a language over which ``min_yield`` is measured."""
    min_yield: float = Field(default=0.03, ge=0, le=1)
    """Share of the latest drafts that must be admitted, or that strategy is given up in that
    language: a model that only repeats itself would be asked for ever. 0 never gives up. A yield
    near the floor may fall below it by chance; a larger ``patience`` makes that rarer."""

    def emphasis_in(self, language: Language) -> dict[TaskType, float]:
        """Return the kinds of task of one language that are asked for more or less."""
        found = ((*_EMPHASISED[key], weight) for key, weight in self.emphasis.items())
        return {kind: weight for spoken, kind, weight in found if spoken == language}

    @field_validator("emphasis")
    @classmethod
    def _names_kinds(cls, emphasis: dict[str, float]) -> dict[str, float]:
        for key in emphasis:
            if key not in _EMPHASISED:
                kinds = ", ".join(kind for kind in get_args(TaskType) if kind != "unspecified")
                raise ValueError(
                    f"wanted a language and a kind of task, as ko/arithmetic, found {key!r}; "
                    f"kinds: {kinds}"
                )
        return emphasis

    @field_validator("quota")
    @classmethod
    def _asks_for_something(cls, quota: dict[Language, int]) -> dict[Language, int]:
        if not any(quota.values()):
            raise ValueError("wanted at least one language with a quota above 0")
        return quota
