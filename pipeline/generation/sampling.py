"""Draw what a prompt is made of: its kind of task and the worked examples it shows.

Self-Instruct (arXiv:2212.10560, section 2.2) shows eight examples, six written by people and two
by the machine, because a pool that feeds on itself drifts. The ratio is kept at any size: a
quarter, rounded, comes from the pool, so three examples are two seed tasks and one record.

Each prompt names a kind of task, because a model that is left free writes little but questions and
essays: the kind that lags most behind its share of the seed tasks comes first. Every draw is
O(examples + kinds), whatever the pool holds.

The examples of a prompt are all ancestors of training data or all of validation data. Otherwise
prompts that show seven of 175 seed tasks would make one family of all records, and no split could
tell whether a student has learnt more than its training tasks.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import NamedTuple

from pipeline.generation.coverage import Cell
from pipeline.generation.documents import Document
from schemas.errors import UserError
from schemas.exchange import Decoding
from schemas.lineage import VALIDATION_SHARE, find_lineage_keys, is_held_out
from schemas.records import InstructionRecord, Language, SeedTask, TaskType

# Bytes, not characters, because a Korean character costs three bytes and about as many times the
# tokens of a Latin one. 700 keep a prompt near 600 tokens, of which a small teacher on a CPU reads
# about 100 a second; 142 of Self-Instruct's 175 seed tasks are shorter.
MAX_EXAMPLE_BYTES = 700

MAX_MACHINE_EXAMPLES = 20_000
"""About 20 MB a language, whatever a run makes; a prompt shows two of them."""

FEWEST_ON_A_SIDE = 8
"""Seed tasks that a side needs: as many as Self-Instruct's prompts show."""

# Records looked at for one of a wanted kind: with 14 kinds in equal shares, 9 times of 10 one is.
_LOOKED_AT = 32


class SeedPoolError(UserError):
    """There are no seed tasks to draw from."""


class Example(NamedTuple):
    """A worked example as a prompt shows it."""

    instruction: str
    input: str
    output: str
    task_type: TaskType
    seed_ids: tuple[str, ...]
    """Its lineage: the seed task itself, or those behind the machine-generated record."""
    id: str = ""
    """Of the seed task or the record."""


class Draw(NamedTuple):
    """All that a strategy turns into one prompt."""

    language: Language
    task_type: TaskType
    examples: tuple[Example, ...]
    decoding: Decoding
    sample_index: int
    document: Document | None = None
    """The source of a strategy that works from documents."""
    cell: Cell | None = None
    """What a strategy that fills a grid asks for."""
    teacher: str = ""
    """Model name, for a strategy whose prompt depends on the model's chat template."""

    @property
    def seed_ids(self) -> tuple[str, ...]:
        """Lineage of all examples, sorted."""
        return tuple(sorted({seed for example in self.examples for seed in example.seed_ids}))


class ExamplePool:
    """The examples of one language: its seed tasks and the records admitted so far.

    Seed tasks are divided into those whose descendants are training and validation data
    (:mod:`schemas.lineage`), and each draw is from one side, so that no prompt ties the two
    together. Pools too small for that are left whole.
    """

    def __init__(
        self,
        seeds: Iterable[SeedTask],
        language: Language,
        emphasis: Mapping[TaskType, float] = MappingProxyType({}),
    ) -> None:
        own = [seed for seed in seeds if seed.language == language]
        if not own:
            raise SeedPoolError(
                f"No seed task is in {language!r}, for which records are wanted. Add lines to "
                f"seeds/{language}.jsonl or drop the quota of {language!r}."
            )
        self.language: Language = language
        examples = [_from_seed(seed) for seed in own]
        examples = [example for example in examples if _is_short(example)] or examples
        held_out = [example for example in examples if is_held_out(example.id)]
        others = [example for example in examples if not is_held_out(example.id)]
        self._train = _Side(others, emphasis)
        self._held_out = _Side(held_out, emphasis)
        if min(len(others), len(held_out)) < FEWEST_ON_A_SIDE:
            self._train = self._held_out = _Side(examples, emphasis)

    def add(self, record: InstructionRecord) -> None:
        """Let an admitted record serve as an example; over-long ones are not shown.

        Beyond ``MAX_MACHINE_EXAMPLES`` it takes the place of another one with the probability of
        reservoir sampling, so that the pool is an even sample of all (algorithm R, Vitter 1985).
        """
        keys = find_lineage_keys(record.id, record.provenance)
        side = self._held_out if all(map(is_held_out, keys)) else self._train
        side.add(record)

    def draw(self, rng: Random, count: int, decoding: Decoding) -> Draw:
        """Draw kind and examples of one prompt and note the kind as asked for."""
        task_type, examples = self._choose_side(rng).draw(rng, count)
        return Draw(self.language, task_type, tuple(examples), decoding, rng.getrandbits(31))

    def draw_parent(self, rng: Random) -> Example:
        """Draw one seed task or record, each of its side with the same chance."""
        return self._choose_side(rng).draw_parent(rng)

    def draw_seed(self, rng: Random) -> Example:
        """Draw one seed task."""
        return self._choose_side(rng).draw_seed(rng)

    def draw_of_type(self, rng: Random, task_type: TaskType, count: int) -> tuple[Example, ...]:
        """Draw worked examples of one kind, a quarter of them records, fewer when there are few.

        Without a seed task of that kind, seed tasks of any kind stand in.
        """
        return self._choose_side(rng).draw_of_type(rng, task_type, count)

    def _choose_side(self, rng: Random) -> "_Side":
        return self._held_out if rng.random() < VALIDATION_SHARE else self._train


class _Side:
    """Seed tasks, and the records that descend from them."""

    def __init__(self, seeds: Sequence[Example], emphasis: Mapping[TaskType, float]) -> None:
        self._seeds = seeds
        self._emphasis = emphasis
        self._machine: list[Example] = []
        self._machine_seen = 0
        self._seeds_by_type: dict[TaskType, list[Example]] = {}
        for example in self._seeds:
            self._seeds_by_type.setdefault(example.task_type, []).append(example)
        self._asked: Counter[TaskType] = Counter()

    def add(self, record: InstructionRecord) -> None:
        example = _from_record(record)
        if not _is_short(example):
            return
        self._machine_seen += 1
        if len(self._machine) < MAX_MACHINE_EXAMPLES:
            self._machine.append(example)
            return
        # The record's own hash decides, so that no generator's state has to be kept.
        place = int(record.id, 16) % self._machine_seen
        if place < MAX_MACHINE_EXAMPLES:
            self._machine[place] = example

    def draw(self, rng: Random, count: int) -> tuple[TaskType, list[Example]]:
        task_type = self._least_asked(rng)
        self._asked[task_type] += 1
        machine_count = min(round(count / 4), len(self._machine))
        seed_count = min(count - machine_count, len(self._seeds))
        examples = self._draw_seeds(rng, task_type, seed_count)
        examples += rng.sample(self._machine, machine_count)
        rng.shuffle(examples)
        return task_type, examples

    def draw_parent(self, rng: Random) -> Example:
        at = rng.randrange(len(self._seeds) + len(self._machine))
        return self._seeds[at] if at < len(self._seeds) else self._machine[at - len(self._seeds)]

    def draw_seed(self, rng: Random) -> Example:
        return rng.choice(self._seeds)

    def draw_of_type(self, rng: Random, task_type: TaskType, count: int) -> tuple[Example, ...]:
        looked_at = rng.sample(self._machine, min(_LOOKED_AT, len(self._machine)))
        machine = [example for example in looked_at if example.task_type == task_type]
        machine = machine[: round(count / 4)]
        seeds = self._seeds_by_type.get(task_type, self._seeds)
        examples = machine + rng.sample(seeds, min(count - len(machine), len(seeds)))
        rng.shuffle(examples)
        return tuple(examples)

    def _least_asked(self, rng: Random) -> TaskType:
        """Pick the kind that lags most behind its share of the seed tasks; chance breaks ties."""
        lags: dict[TaskType, float] = {
            kind: (self._asked[kind] + rng.random()) / len(seeds) / self._emphasis.get(kind, 1.0)
            for kind, seeds in self._seeds_by_type.items()
        }
        return min(lags, key=lambda kind: lags[kind])

    def _draw_seeds(self, rng: Random, wanted: TaskType, count: int) -> list[Example]:
        """Draw one seed task of the wanted kind and the others of kinds that differ."""
        first = rng.choice(self._seeds_by_type[wanted])
        others: list[TaskType] = [kind for kind in self._seeds_by_type if kind != wanted]
        kinds = rng.sample(others, min(count - 1, len(others)))
        drawn = [first, *(rng.choice(self._seeds_by_type[kind]) for kind in kinds)]
        while len(drawn) < count:
            candidate = rng.choice(self._seeds)
            if candidate not in drawn:
                drawn.append(candidate)
        return drawn


def _from_seed(seed: SeedTask) -> Example:
    return Example(seed.instruction, seed.input, seed.output, seed.task_type, (seed.id,), seed.id)


def _from_record(record: InstructionRecord) -> Example:
    origin = record.provenance
    texts = (record.instruction, record.input, record.output)
    return Example(*texts, origin.task_type, origin.seed_ids, record.id)


def _is_short(example: Example) -> bool:
    text: Sequence[str] = example[:3]
    return sum(len(part.encode("utf-8", "replace")) for part in text) <= MAX_EXAMPLE_BYTES
