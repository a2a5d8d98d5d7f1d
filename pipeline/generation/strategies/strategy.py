"""What a strategy is: what it draws from, how a teacher is asked, how records are found.

A strategy may ask in several waves: all prompts of a wave are asked at once, and the next wave
follows from the answers so far alone. So a whole conversation is a pure function of its draw and
the journal, and conversations run side by side without changing each other.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import NamedTuple, Protocol

from pipeline.generation.documents import Document
from pipeline.generation.sampling import Draw, ExamplePool
from schemas.exchange import Completion, Decoding, Exchange, Prompt
from schemas.records import Draft, InstructionRecord, Language, SeedTask, TaskType

Waves = Sequence[Sequence[Exchange]]
"""What was asked and answered so far: a wave after the other, each in the order it was asked."""


class Materials(NamedTuple):
    """What samplers of one language draw from."""

    language: Language
    teacher: str
    """Model name: its family decides what a raw prompt looks like."""
    pool: ExamplePool
    """Seed tasks and admitted records of the language; shared by all its strategies."""
    seeds: Sequence[SeedTask]
    """All seed tasks, of both languages."""
    documents: Sequence[Document]
    """Of both languages."""
    examples_per_prompt: int
    emphasis: Mapping[TaskType, float] = MappingProxyType({})
    """How many times its ordinary share a kind of task is asked for; 1 where it is not named."""


class Sampler(Protocol):
    """Chooses what the next prompt of one strategy and language is made of; one for each run."""

    def draw(self, rng: Random, decoding: Decoding) -> Draw | None:
        """Draw the material of one conversation; None when the strategy has nothing left."""
        ...

    def fold(self, draw: Draw, admitted: Sequence[InstructionRecord]) -> None:
        """Learn what became of a draw; called once for each, in the order of the draws."""
        ...


class Strategy(NamedTuple):
    """How records are made: a sampler and pure functions."""

    records_asked: int
    """Records that one conversation asks for."""
    decoding: Decoding
    """How the teacher draws its answers unless the run says otherwise."""
    make_sampler: Callable[[Materials], Sampler]
    build: Callable[[Draw], Prompt]
    """Writes the first prompt; what never changes stands first, so that a prefix cache helps."""
    parse: Callable[[Draw, Waves], list[Draft]]
    """Finds the drafts when all is answered: at least one, and never an exception, on any text."""
    follow: Callable[[Draw, Waves], list[Prompt]] = lambda _draw, _waves: []
    """Writes the next wave of prompts; empty when all is asked."""
    most_examples: int | None = None
    """Worked examples, or texts as long, that a prompt shows; None: as many as the run says."""


class ExampleSampler:
    """Draws worked examples of the pool: for strategies that show some and ask for new tasks."""

    def __init__(self, materials: Materials) -> None:
        self._pool = materials.pool
        self._count = materials.examples_per_prompt

    def draw(self, rng: Random, decoding: Decoding) -> Draw:
        return self._pool.draw(rng, self._count, decoding)

    def fold(self, draw: Draw, admitted: Sequence[InstructionRecord]) -> None:
        """Do nothing: admitted records join the shared pool for every strategy."""


def parse_only_answer(
    parse: Callable[[Completion, Prompt], list[Draft]],
) -> Callable[[Draw, Waves], list[Draft]]:
    """Make the parser of a strategy that asks once."""

    def parse_waves(_draw: Draw, waves: Waves) -> list[Draft]:
        [[exchange]] = waves
        return parse(exchange.completion, exchange.prompt)

    return parse_waves
