"""The knobs of a generation run; imports nothing heavy, so that a command line shows them fast."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from schemas.exchange import Decoding
from schemas.frozen import Frozen
from schemas.records import Language

StrategyName = Literal["structured", "alpaca"]

Quota = Annotated[int, Field(ge=0, le=10_000_000)]

# One record takes about 150 tokens in English and 250 in Korean. Small models ramble at the top_p
# of 1.0 that Stanford Alpaca used and copy their examples below a temperature of about 0.7.
_DEFAULT_DECODING: dict[StrategyName, Decoding] = {
    "structured": Decoding(temperature=0.9, top_p=0.95, max_tokens=400),
    "alpaca": Decoding(temperature=0.9, top_p=0.95, max_tokens=2048),
}


class GenerationConfig(Frozen):
    """What to generate, how, and when to stop."""

    quota: dict[Language, Quota] = Field(default={"en": 20, "ko": 20}, min_length=1)
    """Records to keep in each language; a language without a quota, or with 0, is not generated."""
    strategy: StrategyName = "structured"
    """How the teacher is asked: one JSON record an answer, or Alpaca's numbered ``###`` list."""
    examples_per_prompt: int = Field(default=3, ge=1, le=8)
    """Worked examples shown in each prompt. More steer better and cost prompt tokens."""
    prompts_per_round: int = Field(default=8, ge=1, le=4096)
    """Prompts drawn from one state of the pool. Raise it with the concurrency of the endpoint."""
    lag: int = Field(default=1, ge=0, le=16)
    """Rounds that may be under way beyond the one awaited. 0 leaves the endpoint idle while the
    slowest answer of a round is awaited; higher lets the pool feed prompts later."""
    random_seed: int = Field(default=0, ge=0, lt=2**32)
    """Decides every draw; the same seed, seed tasks and journal give the same records."""
    decoding: Decoding | None = None
    """How the teacher draws its answers; None takes what suits the strategy."""
    concurrency: int = Field(default=4, ge=1, le=1024)
    """Requests under way at once. Never changes the records, only the speed."""
    max_requests: int | None = Field(default=None, ge=1)
    """Prompts a run may ask, and requests it may send, retries included; None is no cap."""
    patience: int = Field(default=48, ge=1)
    """Latest drafts of a language over which ``min_yield`` is measured."""
    min_yield: float = Field(default=0.03, ge=0, le=1)
    """Share of the latest drafts that must be admitted, or the language is given up: a model that
    only repeats itself would be asked for ever. 0 never gives up."""

    @field_validator("quota")
    @classmethod
    def _asks_for_something(cls, quota: dict[Language, int]) -> dict[Language, int]:
        if not any(quota.values()):
            raise ValueError("wanted at least one language with a quota above 0")
        return quota

    @property
    def effective_decoding(self) -> Decoding:
        """The decoding asked for, or the strategy's own."""
        return self.decoding or _DEFAULT_DECODING[self.strategy]
