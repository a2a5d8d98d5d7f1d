"""Decide what a round asks: which language, which strategy, how often, and what is given up.

Quotas are per language and weights per strategy, both counted in kept records. All of it follows
from what has been drawn and folded so far, never from time or arrival, so that the same journal
gives the same rounds. Each decision is O(languages × strategies).
"""

from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.generation.config import GenerationConfig, StrategyName
from schemas.records import Language, Reason

_SMALLEST_ROUND = 8
_LARGEST_ROUND = 1024
_ROUND_SHARE = 8
"""A round is an eighth of what was drawn so far: with a lag of 1 at most a quarter of the prompts
come from a pool that does not know the latest answers, as in Alpaca's loop with its large batches,
and a 52,000-record run still has 1,024 prompts at a time for a fast endpoint."""


def round_size(config: GenerationConfig, drawn: int) -> int:
    """Return how many conversations the next round holds."""
    if config.prompts_per_round is not None:
        return config.prompts_per_round
    return min(max(drawn // _ROUND_SHARE, _SMALLEST_ROUND), _LARGEST_ROUND)


_MOST_TIMES = 8
"""How much oftener than its weight says a strategy is asked whose drafts are rejected."""


class StrategyPlan:
    """How one strategy does in one language."""

    def __init__(
        self,
        language: Language,
        strategy: StrategyName,
        weight: float,
        records_asked: int,
        config: GenerationConfig,
    ) -> None:
        self.language: Language = language
        self.strategy: StrategyName = strategy
        self.weight = weight
        self.admitted = 0
        self.under_way = 0
        """Conversations drawn and not folded yet."""
        self.is_given_up = False
        self.is_used_up = False
        """It has nothing left to draw from."""
        self._records_asked = records_asked
        self._folded = 0
        self._latest: deque[Reason | None] = deque(maxlen=config.patience)
        self._min_yield = config.min_yield

    @property
    def records_asked(self) -> int:
        """Records that its conversations asked for, those under way included."""
        return self._records_asked * (self._folded + self.under_way)

    @property
    def is_active(self) -> bool:
        """Whether more may be asked of it."""
        return not (self.is_given_up or self.is_used_up)

    @property
    def records_expected(self) -> float:
        """Kept records that one conversation should bring, by what the folded ones brought."""
        # Before the first fold every record asked for counts as one to come: asking too little at
        # first costs a round, asking too much costs money.
        return (self.admitted + self._records_asked) / (self._folded + 1)

    def fold(self, verdicts: Sequence[Reason | None]) -> None:
        """Account for one conversation: each draft's reason of rejection, None for admitted."""
        self.under_way -= 1
        self._folded += 1
        self.admitted += verdicts.count(None)
        self._latest.extend(verdicts)

    def judge_yield(self) -> None:
        """Give up when the latest drafts brought too little; call after a round."""
        if len(self._latest) == self._latest.maxlen:
            kept = self._latest.count(None)
            self.is_given_up = kept < self._min_yield * len(self._latest)

    def explain(self) -> str:
        """Say why no more is asked of it; empty while it is active."""
        if self.is_used_up:
            return f"{self.strategy} has used up what it draws from"
        if not self.is_given_up:
            return ""
        reasons = Counter(reason for reason in self._latest if reason is not None)
        reason, count = reasons.most_common(1)[0]
        kept = self._latest.count(None)
        return (
            f"{self.strategy} was given up because {kept} of its latest {len(self._latest)} drafts "
            f"were admitted, {count} were rejected as {reason}"
        )


class LanguagePlan(NamedTuple):
    """A quota and the strategies that fill it."""

    language: Language
    quota: int
    strategies: tuple[StrategyPlan, ...]

    @property
    def admitted(self) -> int:
        """Records kept so far."""
        return sum(plan.admitted for plan in self.strategies)

    @property
    def is_full(self) -> bool:
        """The quota is reached."""
        return self.admitted >= self.quota

    @property
    def is_active(self) -> bool:
        """Whether records are missing and a strategy may still bring some."""
        return not self.is_full and any(plan.is_active for plan in self.strategies)

    @property
    def missing(self) -> float:
        """Records beyond those that conversations under way should bring."""
        if not self.is_active:
            return 0.0
        coming = sum(plan.under_way * plan.records_expected for plan in self.strategies)
        return self.quota - self.admitted - coming

    def describe(self) -> str:
        """Say in a few words how it stands."""
        reasons = [plan.explain() for plan in self.strategies if not plan.is_active]
        text = f"{self.language}: {self.admitted:,} of {self.quota:,}"
        return f"{text} ({'; '.join(reasons)})" if reasons and not self.is_full else text


class Allotment(NamedTuple):
    """A place in a round."""

    language: LanguagePlan
    strategy: StrategyPlan


def make_plans(
    config: GenerationConfig, records_asked: dict[StrategyName, int]
) -> list[LanguagePlan]:
    """Make the plans of a run, languages and strategies in alphabetical order."""
    return [
        LanguagePlan(
            language,
            quota,
            tuple(
                StrategyPlan(language, name, weight, records_asked[name], config)
                for name, weight in sorted(config.mix.items())
            ),
        )
        for language, quota in sorted(config.quota.items())
    ]


def choose_next(plans: Sequence[LanguagePlan], given: Counter[Language]) -> Allotment | None:
    """Choose language and strategy of a round's next conversation; None when nothing is missing.

    Args:
        plans: Their ``under_way`` already counts what this round has drawn.
        given: Conversations of this round by language.
    """
    needy = [plan for plan in plans if plan.missing > 0]
    if not needy:
        return None
    # D'Hondt: the next one goes where the most is missing for each conversation given so far.
    language = max(needy, key=lambda plan: plan.missing / (given[plan.language] + 1))
    active = [plan for plan in language.strategies if plan.is_active]
    return Allotment(language, min(active, key=_share_so_far))


def _share_so_far(plan: StrategyPlan) -> float:
    """Measure what a strategy has had of its share.

    What is kept counts, and an eighth of what was asked for: without that, one that never brings
    anything would keep all others from being asked.
    """
    coming = plan.admitted + plan.under_way * plan.records_expected
    return max(coming, plan.records_asked / _MOST_TIMES) / plan.weight
