"""Zero-, one- and few-shot prompts, in the very template that the student was trained with.

In a chat template worked examples are earlier turns of the conversation.

Elsewhere one is a whole rendered record, prompt and answer, in front of the one to be answered;
blocks are separated by an empty line. The other way, examples listed inside the instruction, shows
the answers in another place and form than the one asked for; here each example's label stands
exactly where the model has to write its own, which is the pattern a base model continues, and the
last block alone is, letter by letter, the training text of a tuned one.

The examples depend on task, number and seed only: they are the same for all items, so their keys
and values are computed once, and the same for all models, so models differ in nothing else.
"""

import random
from collections.abc import Sequence

from schemas.rendering import Shot
from schemas.templates import INSTRUCTION, Template
from training.evaluation.tasks.items import EvaluationTask, TaskError, TaskItem


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


def open_with(
    task: EvaluationTask, shots: Sequence[TaskItem], template: Template = INSTRUCTION
) -> Template:
    """Return the template of prompts that begin with worked examples."""
    examples = [Shot(task.question, shot.text, shot.label) for shot in shots]
    return template.after(examples, task.language)


def label_completions(task: EvaluationTask, template: Template = INSTRUCTION) -> tuple[str, ...]:
    """Render each label as the answer it would be in training, in the order of the labels."""
    return tuple(template.render_completion(label, task.language) for label in task.labels)
