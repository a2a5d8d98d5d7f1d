"""One draw and all that is asked and answered about it, wave after wave."""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.generation.journal.journal import Journal
from pipeline.generation.planning import StrategyPlan
from pipeline.generation.sampling import Draw
from pipeline.generation.strategies.strategy import Strategy
from schemas.exchange import Completion, Exchange, Prompt, Usage
from schemas.records import Draft


class Effort(NamedTuple):
    """What a conversation took, journaled answers included."""

    requests: int
    usage: Usage
    seconds: float
    """Of waiting for its answers, one after the other."""


class Conversation:
    """Grows by whole waves; complete when its strategy asks no more."""

    def __init__(self, plan: StrategyPlan, strategy: Strategy, draw: Draw) -> None:
        self.plan = plan
        self.draw = draw
        self.asking: list[Prompt] = [strategy.build(draw)]
        """Prompts of the wave to answer next; empty when all is answered."""
        self.known: list[Completion | None] = []
        """Answers to ``asking`` that the journal had, once :func:`recall` has looked. Later waves
        follow from an answer that was missing, so the journal cannot have theirs."""
        self._strategy = strategy
        self._waves: list[list[Exchange]] = []

    @property
    def is_complete(self) -> bool:
        """Whether drafts can be read."""
        return not self.asking

    def answer(self, completions: Sequence[Completion]) -> None:
        """Take the answers to the whole wave, in its order, and ask on."""
        pairs = zip(self.asking, completions, strict=True)
        self.known = []
        self._waves.append([Exchange(prompt, completion) for prompt, completion in pairs])
        self.asking = self._strategy.follow(self.draw, self._waves)

    def read_drafts(self) -> list[Draft]:
        """Find the drafts of a complete conversation: at least one."""
        return self._strategy.parse(self.draw, self._waves)

    def count_effort(self) -> Effort:
        """Add up requests and tokens of all its answers."""
        answers = [exchange.completion for wave in self._waves for exchange in wave]
        return Effort(
            sum(answer.attempts for answer in answers),
            sum((answer.usage for answer in answers), Usage()),
            sum(answer.latency_s for answer in answers),
        )


def recall(conversations: Sequence[Conversation], journal: Journal, model: str) -> None:
    """Let the journal answer as much as it can, with one look-up a wave for all together."""
    waiting = list(conversations)
    while waiting:
        keys = [prompt.key(model) for one in waiting for prompt in one.asking]
        answers = iter(journal.get_all(keys))
        moved: list[Conversation] = []
        for conversation in waiting:
            found = [next(answers) for _ in conversation.asking]
            known = [answer for answer in found if answer is not None]
            if len(known) < len(found):
                conversation.known = found
                continue
            conversation.answer(known)
            if not conversation.is_complete:
                moved.append(conversation)
        waiting = moved
