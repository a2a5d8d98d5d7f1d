"""Self-Instruct's four steps (arXiv:2212.10560, section 2.2), for chat models.

1. Instruction generation: eight examples, six seed tasks and two of the machine's own as soon as
   there are any, are continued by eight new instructions.
2. Classification detection: which of them have one of a few fixed labels as their answer.
3. Instance generation: input first, then output; for classification label first, then an input for
   it, because inputs written first are nearly all of one label.
4. Filtering: inputs and outputs that end in a colon, and one input with several outputs, as
   ``prepare_for_finetuning.py`` of the authors' repository does. That input and output are equal,
   or the output empty, curation tells of any draft.

Ours: the answers are JSON under a schema; all eight are judged in one request; an instruction gets
one instance, as curation keeps no second record of the same instruction, and a classification is
told which of its labels to take. What is not said to be a classification is none, as in the
original, but an answer without any verdict ends the conversation. At most 10 requests.
"""

from collections.abc import Sequence
from random import Random

from pipeline.generation.sampling import Draw
from pipeline.generation.strategies.reading.drafting import Pieces, make_drafts
from pipeline.generation.strategies.self_instruct.asking import (
    TASK_COUNT,
    ask_by_input,
    ask_by_label,
    ask_kinds,
    ask_tasks,
)
from pipeline.generation.strategies.self_instruct.reading import (
    read_instances,
    read_kinds,
    read_tasks,
)
from pipeline.generation.strategies.strategy import Materials, Strategy, Waves
from schemas.exchange import Decoding, Exchange, Prompt
from schemas.records import Draft, InstructionRecord

_EXAMPLE_COUNT = 8


class EightExamples:
    """Draws what the paper shows: six seed tasks and two records, or seed tasks in their place."""

    def __init__(self, materials: Materials) -> None:
        self._pool = materials.pool

    def draw(self, rng: Random, decoding: Decoding) -> Draw:
        return self._pool.draw(rng, _EXAMPLE_COUNT, decoding)

    def fold(self, draw: Draw, admitted: Sequence[InstructionRecord]) -> None:
        """Do nothing: admitted records join the shared pool for every strategy."""


def follow(draw: Draw, waves: Waves) -> list[Prompt]:
    """Ask for the kinds of the new tasks, then for an instance of each."""
    if len(waves) == 1:
        tasks = read_tasks(draw, waves[0][0].completion).tasks
        return [ask_kinds(draw, tasks)] if tasks else []
    if len(waves) == 2:
        tasks = read_tasks(draw, waves[0][0].completion).tasks
        kinds = read_kinds(len(tasks), waves[1][0].completion)
        return [
            ask_by_label(draw, task, position) if is_classification else ask_by_input(draw, task)
            for position, (task, is_classification) in enumerate(zip(tasks, kinds, strict=False))
        ]
    return []


def parse(draw: Draw, waves: Waves) -> list[Draft]:
    """Make drafts of all instances, and of what led to none: so no answer is without a draft."""
    invent = waves[0][0]
    invented = read_tasks(draw, invent.completion)
    drafts: list[Draft] = []
    if invented.others or not invented.tasks:
        drafts += make_drafts(invented.others, invent.completion, invent.prompt)
    if len(waves) == 2:
        drafts += _draft_instances(waves[1][0], [], waves[:1])
    for task, exchange in zip(invented.tasks, waves[2] if len(waves) > 2 else (), strict=False):
        drafts += _draft_instances(exchange, read_instances(task, exchange), waves[:2])
    return drafts


def _draft_instances(exchange: Exchange, pieces: Sequence[Pieces], earlier: Waves) -> list[Draft]:
    ids = tuple(step.completion.id for wave in earlier for step in wave)
    return make_drafts(pieces, exchange.completion, exchange.prompt, earlier_ids=ids)


STRATEGY = Strategy(
    records_asked=TASK_COUNT,
    decoding=Decoding(temperature=0.9, top_p=0.95, max_tokens=800),
    make_sampler=EightExamples,
    build=ask_tasks,
    parse=parse,
    follow=follow,
)
