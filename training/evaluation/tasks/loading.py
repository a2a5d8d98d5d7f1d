"""Find tasks: our own by name, any file of the user's by path.

Our own lie in ``built_in/`` beside this module. A file of the user's needs no card: one is made
from its items, and where there is a ``<stem>.card.json`` beside it, that one counts.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from schemas.evaluation import Metric
from schemas.records import Language
from schemas.storage import describe_validation_error
from training.evaluation.tasks.formats import read_task_file
from training.evaluation.tasks.items import EvaluationTask, TaskCard, TaskError, TaskItem, Wording
from training.evaluation.tasks.rows import HARNESS_SUFFIXES, TABLE_SUFFIXES
from training.evaluation.tasks.spoken import find_language

_BUILT_IN = Path(__file__).parent / "built_in"
_CARD = ".card.json"


def list_tasks() -> tuple[str, ...]:
    """Name our own tasks, in alphabetical order."""
    return tuple(sorted(path.name.removesuffix(_CARD) for path in _BUILT_IN.glob(f"*{_CARD}")))


def load_tasks(names: Sequence[str]) -> list[EvaluationTask]:
    """Load tasks by name or file, or several of ours by their family or as ``all``.

    Raises:
        TaskError: There is none, or two have the same name.
    """
    tasks = [load_task(one) for name in names for one in _expand(name)]
    seen = [task.name for task in tasks]
    twice = next((name for name in seen if seen.count(name) > 1), None)
    if twice is not None or not tasks:
        found = "none" if twice is None else f"{twice!r} twice"
        raise TaskError(f"Wanted at least one task, each once, found {found}.")
    return tasks


def _expand(name: str) -> Sequence[str]:
    if name == "all":
        return list_tasks()
    of_family = [one for one in list_tasks() if read_card(one).family == name]
    return of_family or (name,)


def read_card(name: str) -> TaskCard:
    """Read the card of one of our own tasks, without its items."""
    return TaskCard.model_validate_json((_BUILT_IN / f"{name}{_CARD}").read_bytes())


def load_task(name: str, language: Language | None = None) -> EvaluationTask:
    """Load one of our own tasks by name, or a file by path.

    Args:
        name: One of :func:`list_tasks`, or the path of a table or of a task file of
            lm-evaluation-harness; see :mod:`training.evaluation.tasks.formats` and ``harness``.
        language: Of the prompts around a file's texts where it has no card; None decides by their
            share of Hangul.

    Raises:
        TaskError: Unknown name, a card that is none, or items that cannot be scored.
        RecordFileError: A file that cannot be read, or a line that is no item.
    """
    if name.endswith(HARNESS_SUFFIXES):
        # Jinja takes 0.1 s to import, which other tasks need not wait for.
        from training.evaluation.tasks.harness import load_harness_task

        return load_harness_task(Path(name), language)
    if name in list_tasks():
        path = _BUILT_IN / f"{name}.jsonl"
    elif name.endswith(TABLE_SUFFIXES):
        path = Path(name)
    else:
        suffixes = ", ".join((*TABLE_SUFFIXES, *HARNESS_SUFFIXES))
        raise TaskError(
            f"Unknown task {name!r}: wanted one of {', '.join(list_tasks())}, one of "
            f"their families, all, or a file that ends in {suffixes}."
        )
    own = _read_card(path)
    known, items = read_task_file(path, own.labels if own else (), language)
    return EvaluationTask(
        name=path.stem,
        card=own or known or _make_card(path, items, language),
        items=tuple(item for item in items if item.split == "test"),
        shots=tuple(item for item in items if item.split == "shots"),
    )


def balanced_prefix(task: EvaluationTask, limit: int | None) -> tuple[TaskItem, ...]:
    """Take ``limit`` items with labels as even as they can be, in file order.

    A smaller limit gives a subset of a larger one's items. None takes all. Own choices and written
    answers have no labels in common, so there the first ones are taken.
    """
    if limit is None or limit >= len(task.items):
        return task.items
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int]] = []
    for position, item in enumerate(task.items):
        label = item.label if task.card.labels else ""
        ranked.append((seen[label], position))
        seen[label] += 1
    return tuple(task.items[position] for position in sorted(p for _, p in sorted(ranked)[:limit]))


def _read_card(items: Path) -> TaskCard | None:
    path = items.with_name(items.stem + _CARD)
    if not path.is_file():
        return None
    try:
        return TaskCard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise TaskError(f"{path} is no task card: {describe_validation_error(error)}") from error


def _make_card(path: Path, items: list[TaskItem], language: Language | None) -> TaskCard:
    """Describe a file that has no card, by what its items have."""
    labels = tuple(sorted({item.label for item in items if item.label and not item.choices}))
    spoken = language or find_language(item.text for item in items)
    return TaskCard(
        language=spoken,
        family="other",
        metric=_metric_of(items),
        labels=labels,
        wordings=_make_wordings(labels, spoken),
        licence="unknown",
        origin=path.name,
    )


def _metric_of(items: list[TaskItem]) -> Metric:
    if any(item.constraints for item in items):
        return "constraints"
    return "exact_match" if any(item.references for item in items) else "accuracy"


def _make_wordings(labels: tuple[str, ...], language: Language) -> tuple[Wording, ...]:
    if not labels:
        return (Wording(name="plain"),)
    listed = ", ".join(labels)
    if language == "ko":
        # "가운데" follows any noun unchanged, so no particle has to agree with the last label.
        question = f"다음 글을 읽고 {listed} 가운데 하나로 답하세요."
    else:
        question = f"Read the text and answer with one of these labels: {listed}."
    return (Wording(name="plain", instruction=question), Wording(name="arrow", form="arrow"))
