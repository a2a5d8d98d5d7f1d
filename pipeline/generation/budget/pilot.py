"""The first conversations of a run as its pilot, and how the forecast made from them turned out."""

from collections.abc import Mapping, Sequence

from pipeline.generation.budget.forecast import Forecast, Observation, Totals, forecast
from pipeline.generation.config import GenerationConfig, Price
from pipeline.generation.conversations import Effort
from pipeline.generation.planning import LanguagePlan, StrategyPlan
from schemas.exchange import Usage
from schemas.records import Language

_FEWEST = 8
"""Conversations; fewer say nothing about their spread."""


class Pilot:
    """Adds up what conversations take, and foretells the run once enough of them are folded."""

    def __init__(self, config: GenerationConfig, price: Price | None) -> None:
        self.forecast: Forecast | None = None
        self.usage = Usage()
        """Tokens of all conversations so far."""
        self._config = config
        self._price = price
        self._observations: list[Observation] = []
        self._conversations = 0
        self._requests = 0

    def observe(self, plan: StrategyPlan, effort: Effort, drafts: int, admitted: int) -> None:
        """Take one folded conversation into account."""
        self._conversations += 1
        self._requests += effort.requests
        self.usage = self.usage + effort.usage
        if self.forecast is None:
            self._observations.append(
                Observation(
                    plan.language,
                    plan.strategy,
                    drafts,
                    admitted,
                    effort.requests,
                    effort.usage.prompt_tokens,
                    effort.usage.completion_tokens,
                    effort.seconds,
                )
            )

    def consider(self, plans: Sequence[LanguagePlan]) -> None:
        """Make the forecast when the pilot's share of the records is kept; call after a round."""
        kept = sum(plan.admitted for plan in plans)
        wanted = sum(plan.quota for plan in plans)
        if self.forecast is not None or self._conversations < _FEWEST:
            return
        if kept < self._config.pilot * wanted:
            return
        self.forecast = forecast(
            self._observations,
            {plan.language: max(plan.quota - plan.admitted, 0) for plan in plans if plan.quota},
            self._config.mix,
            self._price,
            self._config.concurrency,
        )
        self._observations.clear()

    def total(self, kept: Mapping[Language, int], seconds: float) -> Totals:
        """Add up the run so far, to hold it against the forecast."""
        usd = None
        if self._price is not None:
            usd = self.usage.prompt_tokens * self._price.input
            usd = (usd + self.usage.completion_tokens * self._price.output) / 1e6
        return Totals(
            self._conversations,
            self._requests,
            self.usage.prompt_tokens + self.usage.completion_tokens,
            usd,
            seconds / 60 if seconds else None,
            kept,
        )
