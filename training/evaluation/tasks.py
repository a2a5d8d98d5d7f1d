"""Classification tasks as data: what is asked, which answers exist, and on which items.

A task is a JSONL file of ``{"id", "split", "text", "label"}``, where ``split`` is ``test`` (what is
scored) or ``shots`` (what worked examples are drawn from), so no item is ever its own example.
Built-in tasks lie in ``tasks/`` beside this module; any file of the same form works as well.
"""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.identity import short_id
from schemas.records import Language, NonEmptyText
from schemas.storage import read_jsonl

ShotCount = Annotated[int, Field(ge=0, le=64)]
"""Worked examples in a prompt."""

_BUILT_IN_FOLDER = Path(__file__).parent / "tasks"


class TaskError(UserError):
    """A task that is not there, or whose items cannot be scored."""


class TaskItem(Frozen):
    """One line of a task file."""

    id: NonEmptyText
    """Unique within its file."""
    split: Literal["test", "shots"]
    """``test`` is scored; ``shots`` are the worked examples."""
    text: NonEmptyText
    label: NonEmptyText


class EvaluationTask(Frozen):
    """A closed question over many texts."""

    name: NonEmptyText
    language: Language
    question: NonEmptyText
    """What is asked about each text; the prompt's instruction. Names all labels."""
    labels: tuple[NonEmptyText, ...]
    """The answers, in the order in which the question names them; ties go to the earlier one."""
    items: tuple[TaskItem, ...]
    """What is scored, in file order."""
    shots: tuple[TaskItem, ...]
    """The pool of worked examples, in file order."""

    @model_validator(mode="after")
    def _can_be_scored(self) -> Self:
        _check_labels(self.name, self.labels)
        _check_items(self.name, self.labels, (*self.items, *self.shots))
        if not self.items:
            raise TaskError(f"Task {self.name}: wanted lines with split 'test', found none.")
        return self

    @property
    def content_hash(self) -> str:
        """Hash over everything but the name: 16 hex digits."""
        return short_id(self.model_dump(mode="json", exclude={"name"}))


class BuiltInTask(NamedTuple):
    """What a built-in task's file does not say."""

    language: Language
    question: str
    labels: tuple[str, ...]


BUILT_IN_TASKS: dict[str, BuiltInTask] = {
    "movie-sentiment-en": BuiltInTask(
        "en",
        "Read the movie review and answer with its sentiment: positive, negative or neutral.",
        ("positive", "negative", "neutral"),
    ),
    "movie-sentiment-ko": BuiltInTask(
        "ko",
        "다음 영화평의 감정을 긍정, 부정, 중립 가운데 하나로 답하세요.",
        ("긍정", "부정", "중립"),
    ),
}


def load_task(name: str, language: Language | None = None) -> EvaluationTask:
    """Load a built-in task by name, or a JSONL file by path.

    Args:
        name: A key of ``BUILT_IN_TASKS``, or the path of a file that ends in ``.jsonl``.
        language: Of the prompts around a file's texts; None decides by their share of Hangul.

    Raises:
        TaskError: Unknown name, or items that cannot be scored.
        RecordFileError: A line that is no item, by file, line and field.
    """
    if (built_in := BUILT_IN_TASKS.get(name)) is not None:
        items = list(read_jsonl(_BUILT_IN_FOLDER / f"{name}.jsonl", TaskItem))
        return _assemble(name, built_in.language, built_in.question, built_in.labels, items)
    if not name.endswith(".jsonl"):
        raise TaskError(
            f"Unknown task {name!r}: wanted one of {', '.join(BUILT_IN_TASKS)}, "
            "or the path of a .jsonl file of id, split, text and label."
        )
    items = list(read_jsonl(Path(name), TaskItem))
    labels = tuple(sorted({item.label for item in items}))
    spoken = language or _language_of(items)
    return _assemble(Path(name).stem, spoken, _general_question(labels, spoken), labels, items)


def balanced_prefix(task: EvaluationTask, limit: int | None) -> tuple[TaskItem, ...]:
    """Take ``limit`` items with labels as even as they can be, in file order.

    A smaller limit gives a subset of a larger one's items. None takes all.
    """
    if limit is None or limit >= len(task.items):
        return task.items
    seen = dict.fromkeys(task.labels, 0)
    ranked: list[tuple[int, int]] = []
    for position, item in enumerate(task.items):
        ranked.append((seen[item.label], position))
        seen[item.label] += 1
    return tuple(task.items[position] for position in sorted(p for _, p in sorted(ranked)[:limit]))


def _assemble(
    name: str,
    language: Language,
    question: str,
    labels: tuple[str, ...],
    items: list[TaskItem],
) -> EvaluationTask:
    return EvaluationTask(
        name=name,
        language=language,
        question=question,
        labels=labels,
        items=tuple(item for item in items if item.split == "test"),
        shots=tuple(item for item in items if item.split == "shots"),
    )


def _general_question(labels: tuple[str, ...], language: Language) -> str:
    if language == "ko":
        # "가운데" follows any noun unchanged, so no particle has to agree with the last label.
        return f"다음 글을 읽고 {', '.join(labels)} 가운데 하나로 답하세요."
    return f"Read the text and answer with one of these labels: {', '.join(labels)}."


def _language_of(items: list[TaskItem]) -> Language:
    """Call a file Korean when a third of its letters are Hangul.

    A Hangul syllable says about as much as two or three Latin letters, so Korean texts full of
    English terms still reach a third, and an English text that quotes a Korean title does not.
    """
    letters = [letter for item in items for letter in item.text if letter.isalpha()]
    hangul = sum("가" <= letter <= "힣" for letter in letters)
    return "ko" if letters and hangul * 3 >= len(letters) else "en"


def _check_labels(name: str, labels: tuple[str, ...]) -> None:
    if len(labels) < 2:
        raise TaskError(f"Task {name}: wanted at least two different labels, found {len(labels)}.")
    for label in labels:
        for other in labels:
            if label != other and other.startswith(label):
                # The score is the probability that the answer begins with the label: it would
                # count every "not bad" as a "not" as well.
                raise TaskError(
                    f"Task {name}: label {label!r} is a prefix of label {other!r}, so the two "
                    "cannot be told apart; rename one of them."
                )


def _check_items(name: str, labels: tuple[str, ...], items: tuple[TaskItem, ...]) -> None:
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise TaskError(f"Task {name}: id {item.id!r} occurs twice; give each line its own.")
        if item.label not in labels:
            raise TaskError(
                f"Task {name}: item {item.id!r} has label {item.label!r}, wanted one of "
                f"{', '.join(labels)}."
            )
        seen.add(item.id)
