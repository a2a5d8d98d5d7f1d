"""What a task is: a card, items to score, and items to draw worked examples from.

A task is a JSONL file of :class:`TaskItem` and, beside it, ``<stem>.card.json``, a
:class:`TaskCard`. ``split`` is ``test`` (what is scored) or ``shots`` (what worked examples are
drawn from), so no item is ever its own example.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.errors import UserError
from schemas.evaluation import Family, Metric
from schemas.frozen import Frozen
from schemas.identity import short_id
from schemas.records import Language, NonEmptyText
from training.evaluation.tasks.constraints import Constraint

ShotCount = Annotated[int, Field(ge=0, le=64)]
"""Worked examples in a prompt."""

WordingName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class TaskError(UserError):
    """A task that is not there, or whose items cannot be scored."""


class TaskItem(Frozen):
    """One line of a task file."""

    id: NonEmptyText
    """Unique within its file."""
    split: Literal["test", "shots"]
    """``test`` is scored; ``shots`` are the worked examples."""
    text: NonEmptyText
    label: str = ""
    """The right one of the answers; of choice tasks."""
    choices: tuple[NonEmptyText, ...] = ()
    """The answers of this item alone, where the task has no labels that all share."""
    references: tuple[NonEmptyText, ...] = ()
    """Texts that count as right; a worked example shows the first. Of text tasks."""
    constraints: tuple[Constraint, ...] = ()
    """What an answer has to meet; a worked example shows the first reference."""
    group: str = ""
    """Items that hang together, as questions about one passage, are resampled together; empty for
    an item that stands alone."""
    lineage: str = ""
    """Seed task, document or record that it descends from, as records name theirs."""

    @property
    def answer(self) -> str:
        """What a worked example shows."""
        return self.label or (self.references[0] if self.references else "")

    @property
    def cluster(self) -> str:
        """What is resampled as one."""
        return self.group or self.id


class Wording(Frozen):
    """One way to put a task's question."""

    name: WordingName
    instruction: str = ""
    """The instruction, with the item's text as its input; names all labels. Empty where the text
    itself is the instruction."""
    form: Literal["record", "arrow"] = "record"
    """``record``: a record in the template of the student, Alpaca's, KoAlpaca's or a chat.
    ``arrow``: the quoted text and an arrow, ``"text" -> label``, after the instruction if any."""


class TaskCard(Frozen):
    """What a task's items do not say."""

    language: Language
    family: Family
    metric: Metric = "accuracy"
    labels: tuple[NonEmptyText, ...] = ()
    """The answers that all items share, in the order in which the wordings name them; ties go to
    the earlier one."""
    wordings: tuple[Wording, ...] = Field(min_length=1)
    """The first one is what a single wording is asked in."""
    answer_tokens: int = Field(default=64, ge=1, le=1024)
    """Most tokens that are written as an answer; of text tasks."""
    licence: NonEmptyText
    origin: NonEmptyText
    """Who wrote the items, or what they were made from."""
    lineage: tuple[str, ...] = ()
    """Seed tasks that teach this very family, to be left out of training when it is held out."""


class EvaluationTask(Frozen):
    """One question over many texts."""

    name: NonEmptyText
    card: TaskCard
    items: tuple[TaskItem, ...]
    """What is scored, in file order."""
    shots: tuple[TaskItem, ...]
    """The pool of worked examples, in file order."""

    @model_validator(mode="after")
    def _can_be_scored(self) -> Self:
        _check_labels(self.name, self.card.labels)
        if not self.items:
            raise TaskError(f"Task {self.name}: wanted lines with split 'test', found none.")
        _check_items(self)
        return self

    @property
    def language(self) -> Language:
        """Of the prompts around its texts."""
        return self.card.language

    @property
    def is_choice(self) -> bool:
        """Its answers are given, and scored by their probability; otherwise written."""
        return self.card.metric == "accuracy"

    @property
    def content_hash(self) -> str:
        """Hash over everything but the name: 16 hex digits."""
        return short_id(self.model_dump(mode="json", exclude={"name"}))

    def answers_of(self, item: TaskItem) -> tuple[str, ...]:
        """Return the answers of a choice task's item, in order."""
        return item.choices or self.card.labels


def _check_labels(name: str, labels: tuple[str, ...]) -> None:
    if len(labels) == 1:
        raise TaskError(f"Task {name}: wanted at least two different labels, found {labels[0]!r}.")
    _check_prefixes(f"Task {name}", labels)


def _check_prefixes(where: str, answers: tuple[str, ...]) -> None:
    for answer in answers:
        for other in answers:
            if answer is not other and other.startswith(answer):
                # The score is the probability that the answer begins with the label: it would
                # count every "not bad" as a "not" as well.
                raise TaskError(
                    f"{where}: label {answer!r} is a prefix of label {other!r}, so the two "
                    "cannot be told apart; rename one of them."
                )


def _check_items(task: EvaluationTask) -> None:
    seen: set[str] = set()
    for item in (*task.items, *task.shots):
        where = f"Task {task.name}: item {item.id!r}"
        if item.id in seen:
            raise TaskError(
                f"Task {task.name}: id {item.id!r} occurs twice; give each line its own."
            )
        seen.add(item.id)
        if task.is_choice:
            _check_choice(where, item, task.answers_of(item))
        else:
            _check_text(where, item, task.card.metric)


def _check_choice(where: str, item: TaskItem, answers: tuple[str, ...]) -> None:
    if not item.label and not answers:
        raise TaskError(
            f"{where} has no label, which a choice task needs; a written answer needs references "
            "or constraints."
        )
    if len(answers) < 2:
        raise TaskError(
            f"{where}: wanted at least two answers to choose from, found {len(answers)}: give the "
            "card labels, or the item choices."
        )
    if item.choices:
        _check_prefixes(where, item.choices)
    if not item.label:
        raise TaskError(f"{where} has no label, wanted one of {', '.join(answers)}.")
    if item.label not in answers:
        raise TaskError(f"{where} has label {item.label!r}, wanted one of {', '.join(answers)}.")


def _check_text(where: str, item: TaskItem, metric: Metric) -> None:
    if metric == "constraints":
        if not item.constraints:
            raise TaskError(f"{where} has no constraints, which the metric 'constraints' counts.")
    elif not item.references:
        raise TaskError(f"{where} has no references, which the metric {metric!r} compares with.")
    if item.split == "shots" and not item.references:
        raise TaskError(f"{where} is a worked example without a reference to show.")
