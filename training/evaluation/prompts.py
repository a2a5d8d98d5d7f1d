"""Zero-, one- and few-shot prompts, in the student's own template or as quoted text and arrow.

``record``: the very template that the student was trained with. In a chat template worked examples
are earlier turns of the conversation. Elsewhere one is a whole rendered record, prompt and answer,
in front of the one to be answered; blocks are separated by an empty line. The other way, examples
listed inside the instruction, shows the answers in another place and form than the one asked for;
here each example's answer stands exactly where the model has to write its own, which is the pattern
a base model continues, and the last block alone is, letter by letter, the training text of a tuned
one.

``arrow``: plain text that no student was trained with, one ``"text" -> answer`` a line. Texts are
quoted as JSON does it, so that a quotation mark or line break of their own neither ends them nor
the line, and no two texts look alike.

The examples depend on task, number, seed and draw only: they are the same for all items, so their
keys and values are computed once, and the same for all models, so models differ in nothing else.
"""

import json
import random
from collections.abc import Sequence
from typing import NamedTuple

from schemas.records import Language
from schemas.rendering import Shot
from schemas.templates import INSTRUCTION, Template
from training.evaluation.tasks.items import EvaluationTask, TaskError, TaskItem, Wording

_ARROW = INSTRUCTION._replace(stop="\n")
"""Cuts arrow prompts into tokens: none of their text is a control token. A line is an answer."""

_NEXT_RECORD = (
    *("\n\nBelow is an instruction", "\n\n### Instruction:", "\n\n### Input:", "\n\n### Response:"),
    *("\n\n### 질문:", "\n\n### 맥락:", "\n\n### 답변:"),
)

_CONTENT_FREE: dict[Language, tuple[str, ...]] = {
    "en": ("N/A", "[MASK]", "..."),
    "ko": ("해당 없음", "[MASK]", "..."),
}


def draw_shots(task: EvaluationTask, count: int, seed: int, draw: int = 0) -> tuple[TaskItem, ...]:
    """Draw worked examples from the task's pool, as even over shared labels as ``count`` allows.

    Which label gets the odd example, which examples, and their order follow from seed and draw. A
    larger count keeps the examples of a smaller one, so that one more example is all that differs
    between neighbouring columns; their order is drawn anew. Where items have choices of their own
    or are answered in writing, nothing is to be balanced.

    Raises:
        TaskError: The pool has too few examples, or too few of a label.
    """
    generator = random.Random(f"{seed} {draw}")  # noqa: S311 - a reproducible draw, not a secret
    if not task.is_choice or any(shot.choices for shot in task.shots):
        if len(task.shots) < count:
            raise TaskError(
                f"Task {task.name}: {count} worked examples need as many lines with split "
                f"'shots', found {len(task.shots)}. Add some or lower --shots."
            )
        drawn = generator.sample(task.shots, len(task.shots))[:count]
    else:
        drawn = _draw_balanced(task, count, generator)
    generator.shuffle(drawn)
    return tuple(drawn)


def _draw_balanced(task: EvaluationTask, count: int, generator: random.Random) -> list[TaskItem]:
    labels = task.card.labels
    drawn: list[TaskItem] = []
    for place, label in enumerate(generator.sample(labels, len(labels))):
        pool = [item for item in task.shots if item.label == label]
        wanted = (count - place + len(labels) - 1) // len(labels)
        if len(pool) < wanted:
            raise TaskError(
                f"Task {task.name}: {count} balanced worked examples need {wanted} lines with "
                f"split 'shots' and label {label!r}, found {len(pool)}. Add some or lower --shots."
            )
        drawn += generator.sample(pool, len(pool))[:wanted]
    return drawn


class Opened(NamedTuple):
    """A wording after its worked examples: turns texts into prompts, and answers into completions.

    A prompt never ends in white space: what stands between prompt and answer belongs to the
    completion, as in :mod:`schemas.templates`, and for the same reason.
    """

    wording: Wording
    language: Language
    template: Template
    """Cuts prompts and answers into tokens, and tells what ends an answer."""
    opening: str = ""
    """Of the arrow form: instruction and examples."""

    def render_prompt(self, text: str) -> str:
        """Render what stands before the answer about a text."""
        if self.wording.form == "arrow":
            return f"{self.opening}{_quote(text)} ->"
        return self.template.render_prompt(*_put(self.wording, text), self.language)

    def render_answer(self, answer: str) -> str:
        """Render an answer with the separator that joins it to the prompt."""
        if self.wording.form == "arrow":
            return _on_one_line(answer)
        return self.template.render_completion(answer, self.language)

    def read_answer(self, written: str) -> str:
        """Take the answer out of what a model wrote after a prompt."""
        return strip_answer(written, self.template)

    @property
    def content_free(self) -> tuple[str, ...]:
        """Texts that say nothing, after Zhao et al. 2021 (arXiv:2102.09690, section 5).

        Dots stand in for the paper's empty text, which as a record is one without input and so
        another prompt altogether.
        """
        return _CONTENT_FREE[self.language]


def open_with(
    task: EvaluationTask,
    wording: Wording,
    shots: Sequence[TaskItem] = (),
    template: Template = INSTRUCTION,
) -> Opened:
    """Begin prompts with worked examples.

    Args:
        task: Gives the language of the prompts.
        wording: How the question is put, one of the task's.
        shots: Worked examples, in their order.
        template: Of the student; the arrow form has none.
    """
    if wording.form == "record":
        examples = [Shot(*_put(wording, shot.text), shot.answer) for shot in shots]
        return Opened(wording, task.language, template.after(examples, task.language))
    lines = [wording.instruction] if wording.instruction else []
    lines += [f"{_quote(shot.text)} ->{_on_one_line(shot.answer)}" for shot in shots]
    return Opened(wording, task.language, _ARROW, "".join(f"{line}\n" for line in lines))


def answer_ends(template: Template) -> tuple[str, ...]:
    """Return texts that end a written answer, beside the model's stop tokens.

    A line end in the arrow form. In the instruction form the beginning of a further record: a base
    model, which never learned to stop, goes on with the next one, as the worked examples do.
    """
    if template.name == "chat":
        return ()
    return ("\n",) if template == _ARROW else _NEXT_RECORD


def strip_answer(written: str, template: Template) -> str:
    """Take an answer out of what was written: no separator, nothing from an end on."""
    text = written
    if template.name == "chat":
        text = text.strip().removeprefix(template.joint.strip()).removesuffix(template.gap.strip())
    for end in answer_ends(template):
        text = text.partition(end)[0]
    return text.strip()


def _put(wording: Wording, text: str) -> tuple[str, str]:
    """Give instruction and input of the record."""
    return (wording.instruction, text) if wording.instruction else (text, "")


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _on_one_line(answer: str) -> str:
    return " " + " ".join(answer.splitlines())
