"""Zero-, one- and few-shot prompts, in the very template that the student was trained with.

A worked example is a whole rendered record, prompt and answer, in front of the one to be answered;
blocks are separated by an empty line. The other way, examples listed inside the instruction, shows
the answers in another place and form than the one asked for; here each example's label stands
exactly where the model has to write its own, which is the pattern a base model continues, and the
last block alone is, letter by letter, the training text of a tuned one.

The examples depend on task, number and seed only: they are the same for all items, so their keys
and values are computed once, and the same for all models, so models differ in nothing else.
"""

import random
from collections.abc import Sequence

from schemas.templates import render, render_completion, render_prompt
from training.evaluation.tasks import EvaluationTask, TaskError, TaskItem

_BETWEEN_BLOCKS = "\n\n"


def draw_shots(task: EvaluationTask, count: int, seed: int) -> tuple[TaskItem, ...]:
    """Draw worked examples from the task's pool, as even over the labels as ``count`` allows.

    Which label gets the odd example, which examples, and their order follow from the seed. A
    larger count keeps the examples of a smaller one, so that one more example is all that differs
    between neighbouring columns; their order is drawn anew.

    Raises:
        TaskError: The pool has too few examples of a label.
    """
    generator = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    label_order = generator.sample(task.labels, len(task.labels))
    drawn: list[TaskItem] = []
    for place, label in enumerate(label_order):
        pool = [item for item in task.shots if item.label == label]
        wanted = (count - place + len(task.labels) - 1) // len(task.labels)
        if len(pool) < wanted:
            raise TaskError(
                f"Task {task.name}: {count} balanced worked examples need {wanted} lines with "
                f"split 'shots' and label {label!r}, found {len(pool)}. Add some or lower --shots."
            )
        drawn += generator.sample(pool, len(pool))[:wanted]
    generator.shuffle(drawn)
    return tuple(drawn)


def build_prompt(task: EvaluationTask, shots: Sequence[TaskItem], text: str) -> str:
    """Render worked examples and the text to be answered; never ends in white space."""
    blocks = [
        "".join(render(task.question, shot.text, shot.label, task.language)) for shot in shots
    ]
    return _BETWEEN_BLOCKS.join([*blocks, render_prompt(task.question, text, task.language)])


def label_completions(task: EvaluationTask) -> tuple[str, ...]:
    """Render each label as the answer it would be in training, in the order of the labels."""
    return tuple(render_completion(label, task.language) for label in task.labels)
