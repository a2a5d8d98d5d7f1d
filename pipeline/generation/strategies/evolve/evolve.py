"""Evol-Instruct: a task of the pool is made harder, or inspires a rarer one, and is then answered.

After WizardLM (arXiv:2304.12244, section 3): one operator rewrites a parent (``operators``),
the teacher answers what came out, and what failed is marked (``elimination``). Two requests a
record; a failed rewrite costs one, because its answer is not asked for.

The paper evolves its whole data set in four rounds, and each round starts from the results of the
one before. Here the pool grows all the time, so a parent is any seed task or admitted record, of
any strategy, that is not yet the result of four evolutions. The sampler remembers the generation
of each admitted record that it led to: about 100 bytes each.
"""

import json
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from pipeline.generation.sampling import Draw, Example
from pipeline.generation.strategies.evolve.elimination import (
    gains_nothing,
    is_apology,
    quotes_prompt,
    says_nothing,
)
from pipeline.generation.strategies.evolve.examples import Task, show_evolution
from pipeline.generation.strategies.evolve.operators import (
    EVOLVED_SCHEMA,
    choose_operator,
    describe_work,
    name_method,
)
from pipeline.generation.strategies.reading.drafting import Pieces, clean, is_no_input, make_drafts
from pipeline.generation.strategies.reading.loose_json import find_records
from pipeline.generation.strategies.reading.numbered_list import find_tasks
from pipeline.generation.strategies.reading.plain_answer import ask_for_answer
from pipeline.generation.strategies.strategy import Materials, Strategy, Waves
from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt
from schemas.records import Defect, Draft, InstructionRecord

MAX_GENERATION = 4
"""Evolutions between a seed task and a record, the paper's M."""

_TRIES = 8


class _Evolved(NamedTuple):
    task: Task
    defect: Defect | None


class EvolveSampler:
    """Draws a parent that is not fully evolved, and chance for its operator."""

    def __init__(self, materials: Materials) -> None:
        self._pool = materials.pool
        self._generations: dict[str, int] = {}

    def draw(self, rng: Random, decoding: Decoding) -> Draw:
        parent = self._draw_parent(rng)
        sample_index = rng.getrandbits(31)
        operator = choose_operator(parent, sample_index)
        task_type = "unspecified" if operator == "breadth" else parent.task_type
        return Draw(self._pool.language, task_type, (parent,), decoding, sample_index)

    def fold(self, draw: Draw, admitted: Sequence[InstructionRecord]) -> None:
        """Note how many evolutions the records of this draw are away from their seed task."""
        generation = self._generations.get(draw.examples[0].id, 0) + 1
        for record in admitted:
            self._generations[record.id] = generation

    def _draw_parent(self, rng: Random) -> Example:
        for _ in range(_TRIES):
            parent = self._pool.draw_parent(rng)
            if self._generations.get(parent.id, 0) < MAX_GENERATION:
                return parent
        return self._pool.draw_seed(rng)


def build(draw: Draw) -> Prompt:
    """Ask for the parent to be rewritten, as the operator's example was."""
    parent = draw.examples[0]
    operator = choose_operator(parent, draw.sample_index)
    example = show_evolution(operator, draw.language)
    method = name_method(operator, draw.language)
    return Prompt(
        messages=(
            Message(role="system", content=describe_work(operator, draw.language)),
            Message(role="user", content=method + _to_json(example.parent)),
            Message(role="assistant", content=_to_json(example.evolved)),
            Message(role="user", content=method + _to_json(Task(parent.instruction, parent.input))),
        ),
        decoding=draw.decoding,
        strategy="evolve",
        language=draw.language,
        task_type=draw.task_type,
        seed_ids=draw.seed_ids,
        response_schema=EVOLVED_SCHEMA,
        sample_index=draw.sample_index,
    )


def follow(draw: Draw, waves: Waves) -> list[Prompt]:
    """Ask for the answer to a task that has evolved."""
    if len(waves) > 1:
        return []
    evolved = _read(draw, waves[0][0].completion)
    if evolved is None or evolved.defect is not None:
        return []
    return [ask_for_answer(draw, "evolve", *evolved.task)]


def parse(draw: Draw, waves: Waves) -> list[Draft]:
    """Join the evolved task with its answer, or say why there is none."""
    first = waves[0][0]
    evolved = _read(draw, first.completion)
    if evolved is None:
        return [
            _trace(draw, draft, ()) for draft in make_drafts([], first.completion, first.prompt)
        ]
    if len(waves) < 2:
        return [_draft(draw, Pieces(*evolved.task, ""), evolved.defect, first, ())]
    answered = waves[1][0]
    defect = _find_defect(draw, evolved.task, answered.completion)
    pieces = Pieces(*evolved.task, answered.completion.text)
    return [_draft(draw, pieces, defect, answered, (first.completion.id,))]


def _to_json(task: Task) -> str:
    # No text in a JSON string can pass for part of the prompt.
    return json.dumps(task._asdict(), ensure_ascii=False)


def _read(draw: Draw, completion: Completion) -> _Evolved | None:
    """Find the evolved task in the first answer and judge it; None when there is none."""
    is_cut = completion.finish_reason == "length"
    found = find_records(completion.text) or find_tasks(completion.text, is_cut=is_cut)
    if not found:
        return None
    parent = Task(draw.examples[0].instruction, draw.examples[0].input)
    operator = choose_operator(draw.examples[0], draw.sample_index)
    task = Task(clean(found[0].instruction).strip(), clean(found[0].input).strip())
    if is_no_input(task.input):
        task = Task(task.instruction)
    defect: Defect | None = None
    if found[0].is_cut:
        defect = "truncated"
    elif _has_failed(task, parent, show_evolution(operator, draw.language).evolved):
        defect = "not-evolved"
    if operator != "breadth" and not task.input and parent.input not in task.instruction:
        # In-depth evolving must not lose the material.
        task = Task(task.instruction, parent.input)
    return _Evolved(task, defect)


def _has_failed(task: Task, parent: Task, example: Task) -> bool:
    return (
        gains_nothing(task, parent) or gains_nothing(task, example) or quotes_prompt(task, parent)
    )


def _find_defect(draw: Draw, task: Task, answer: Completion) -> Defect | None:
    if answer.finish_reason == "length":
        return "truncated"
    if is_apology(answer.text, task) or says_nothing(answer.text, draw.task_type):
        return "not-evolved"
    return None


def _draft(
    draw: Draw, pieces: Pieces, defect: Defect | None, last: Exchange, earlier: tuple[str, ...]
) -> Draft:
    [draft] = make_drafts([pieces], last.completion, last.prompt)
    return _trace(draw, draft.model_copy(update={"defect": defect}), earlier)


def _trace(draw: Draw, draft: Draft, earlier: tuple[str, ...]) -> Draft:
    origin = {"earlier_completion_ids": earlier, "derived_from": draw.examples[0].id}
    return draft.model_copy(update={"provenance": draft.provenance.model_copy(update=origin)})


STRATEGY = Strategy(
    records_asked=1,
    # The paper draws at temperature 1 and top_p 0.9, up to 2,048 tokens; small teachers lose the
    # thread at 1.
    decoding=Decoding(temperature=0.8, top_p=0.9, max_tokens=1024),
    make_sampler=EvolveSampler,
    build=build,
    parse=parse,
    follow=follow,
)
