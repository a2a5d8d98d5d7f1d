"""Load the evaluation sets that records must not hold, from files and dataset versions.

Our own tasks give their ``test`` items alone: worked examples are shown to every model with their
labels, so nobody's score profits from having seen them. The question of a task is not protected
either; to practise "Is this review positive?" on other reviews is what training is for.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from flows.resources import find_dataset, find_file
from flows.settings import Settings
from pipeline.curation.contamination.contamination import ProtectedItem
from pipeline.curation.imported_rows import Row, read_rows
from pipeline.publishing.versions import open_version
from schemas.errors import UserError
from schemas.evaluation import Family
from schemas.storage import describe_validation_error
from training.evaluation.tasks.loading import list_tasks, load_task, read_card

# An input this short ("Korea", "3, 5, 9") is that of many tasks; in UTF-8, where a syllable counts
# as three letters.
_LEAST_INPUT_BYTES = 40

_TASK_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".yaml", ".yml")
"""Files that are read as evaluation tasks alone."""


class EvaluationSetError(UserError):
    """A file holds no texts, or none in a column that is known."""


def _none_is_empty(value: object) -> object:
    return "" if value is None else value


_OptionalText = Annotated[str, BeforeValidator(_none_is_empty)]


class _Row(BaseModel):
    """One line of a file; columns of labels, answers and the like are ignored."""

    model_config = ConfigDict(extra="ignore")

    id: _OptionalText = ""
    instruction: _OptionalText = ""
    input: _OptionalText = ""
    text: _OptionalText = ""
    prompt: _OptionalText = ""
    question: _OptionalText = ""
    sentence: _OptionalText = ""


class _Question(NamedTuple):
    """An item before it is known which of its texts are its own."""

    id: str
    task: str
    input: str
    derived_from: str = ""


def load_protected(
    sets: Sequence[str],
    tasks: Sequence[str],
    settings: Settings,
    hold_out: Sequence[Family] = (),
) -> list[ProtectedItem]:
    """Load all items of evaluation sets and tasks, in order.

    Args:
        sets: Files of JSON lines or of one JSON list; or dataset versions by folder, NAME/VERSION
            or NAME.
        tasks: Evaluation tasks by name or file, of which the scored items count.
        settings: Where datasets are.
        hold_out: Families of our own tasks whose seed tasks count as items.

    Raises:
        EvaluationSetError: A file has no row with a text in a known column, or one that is none.
        ImportedFileError: A file cannot be read, or holds no objects.
        ResourceError: A set is neither a file nor a dataset.
        ManifestError: A folder is no dataset version.
        TableError: The records of a dataset version cannot be read.
        TaskError: There is no such task.
    """
    protected = [item for name in tasks for item in _read_task(name)]
    protected += _hold_out(hold_out)
    for reference in sets:
        file = find_file(reference)
        if reference.endswith(_TASK_ENDINGS):
            protected += _read_task(str(file))
        elif file.is_file() or reference.endswith((".jsonl", ".json")):
            protected += _settle(_read_file(file), file.name)
        else:
            folder = find_dataset(reference, settings)
            protected += _settle(_read_version(folder), f"{folder.parent.name}/{folder.name}")
    return protected


def _read_task(name: str) -> list[ProtectedItem]:
    task = load_task(name)
    return [ProtectedItem(item.id, (item.text,), task.name, item.lineage) for item in task.items]


def _hold_out(families: Sequence[Family]) -> list[ProtectedItem]:
    """Name the seed tasks that teach families, by which their descendants are found."""
    cards = [read_card(name) for name in list_tasks()] if families else []
    return [
        ProtectedItem(seed, (), f"what teaches {card.family}")
        for card in cards
        if card.family in families
        for seed in card.lineage
    ]


def _read_file(path: Path) -> list[_Question]:
    rows = [_check_row(row) for row in read_rows(path)]
    questions = [
        _Question(row.id or f"{path.name}:{number}", task, row.input)
        for number, row in enumerate(rows, start=1)
        if (task := row.instruction or row.prompt or row.question or row.text or row.sentence)
        or row.input
    ]
    if not questions:
        raise EvaluationSetError(
            f"{path}: wanted lines with a text in instruction, input, text, prompt, question or "
            f"sentence, found none among {len(rows)}. Rename the column, or name another file."
        )
    return questions


def _check_row(row: Row) -> _Row:
    try:
        return _Row.model_validate(row.fields)
    except ValidationError as error:
        raise EvaluationSetError(
            f"{row.where}: {describe_validation_error(error)}. Wanted texts and numbers alone."
        ) from error


def _read_version(folder: Path) -> list[_Question]:
    # pyarrow takes 0.3 s to import, for which a run without sets of the user's need not wait.
    from pipeline.publishing.tables import read_records

    open_version(folder)
    return [
        _Question(record.id, record.instruction, record.input, record.provenance.derived_from)
        for record in read_records(folder)
    ]


def _settle(questions: Sequence[_Question], source: str) -> list[ProtectedItem]:
    """Find the texts by which each item is known.

    What several items with an input have in common is how they are put ("Translate the sentence"),
    and belongs to none of them.
    """
    tasks = Counter(question.task for question in questions)
    inputs = Counter(question.input for question in questions)
    return [
        ProtectedItem(one.id, _own_texts(one, tasks, inputs), source, one.derived_from)
        for one in questions
    ]


def _own_texts(question: _Question, tasks: Counter[str], inputs: Counter[str]) -> tuple[str, ...]:
    task, given = question.task, question.input
    if not given or not task:
        return (task or given,)
    texts = [f"{task}\n{given}"]
    if tasks[task] == 1:
        texts.append(task)
    if inputs[given] == 1 and len(given.encode(errors="surrogatepass")) >= _LEAST_INPUT_BYTES:
        texts.append(given)
    return tuple(texts)
