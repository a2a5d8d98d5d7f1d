"""Make a task of a lm-evaluation-harness task file, for who has its data on this machine.

What is asked is the file's; how is ours. The rendered text goes where a record's instruction goes,
or its input where the file has a description, which then is the instruction; so a model sees it in
its template, after worked examples in the same template, and answers begin with the template's
separator and not with ``target_delimiter``. Results compare models with each other here; they are
not the numbers that the harness would print. Its filters and stop texts are left out, and the
card says so.

Data: ``dataset_path`` json, csv or parquet with ``data_files``, or a folder whose files are named
after their split. Paths are relative to the task file, or else to the current folder.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, cast

from pydantic import JsonValue

from schemas.evaluation import Metric
from schemas.identity import short_id
from schemas.records import Language
from training.evaluation.tasks.harness_file import HarnessFile, read_harness_file
from training.evaluation.tasks.harness_templates import Renderer, read_literal
from training.evaluation.tasks.items import EvaluationTask, TaskCard, TaskError, TaskItem, Wording
from training.evaluation.tasks.rows import TABLE_SUFFIXES, read_rows
from training.evaluation.tasks.spoken import find_language

_BUILDERS = ("json", "csv", "parquet", "text")
_METRICS: dict[str, Metric] = {
    "exact_match": "exact_match",
    "rouge": "rouge_l",
    "rougeL": "rouge_l",
    "rouge_l": "rouge_l",
    "chrf": "chrf",
}
_MOST_TOKENS = 1024
_DEFAULT_TOKENS = 256


class _Answers(NamedTuple):
    label: str = ""
    choices: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


def load_harness_task(path: Path, language: Language | None = None) -> EvaluationTask:
    """Read a task file and its data.

    Args:
        path: The YAML file.
        language: Of the prompts; None decides by the share of Hangul.

    Raises:
        TaskError: The file is none, names code or data that is not here, or a template fails.
        RecordFileError: A data file cannot be read.
    """
    file = read_harness_file(path)
    if file.output_type not in ("multiple_choice", "generate_until"):
        raise TaskError(
            f"{path}: wanted output_type multiple_choice or generate_until, found "
            f"{file.output_type!r}."
        )
    renderer = Renderer(str(path))
    scored = _read_split(path, file, _name_test(path, file))
    examples = _read_examples(path, file)
    items = _make_items(renderer, file, scored, "test") + _make_items(
        renderer, file, examples, "shots"
    )
    items, labels = _share_labels(_number(items))
    return EvaluationTask(
        name=path.stem,
        card=_make_card(path, file, labels, language or find_language(one.text for one in items)),
        items=tuple(item for item in items if item.split == "test"),
        shots=tuple(item for item in items if item.split == "shots"),
    )


def _name_test(path: Path, file: HarnessFile) -> str:
    name = file.test_split or file.validation_split
    if name is None:
        raise TaskError(f"{path}: wanted test_split or validation_split, found neither.")
    return name


def _read_examples(path: Path, file: HarnessFile) -> list[dict[str, JsonValue]]:
    """Read worked examples: the file's own, or of a split that is not scored."""
    if file.fewshot_config.samples is not None:
        return file.fewshot_config.samples
    name = file.fewshot_split or file.fewshot_config.split or file.training_split
    if name is None and file.test_split is not None:
        name = file.validation_split
    return _read_split(path, file, name) if name and name != _name_test(path, file) else []


def _read_split(path: Path, file: HarnessFile, name: str) -> list[dict[str, JsonValue]]:
    found = _find_files(path, file, name)
    return [row.fields for one in found for row in read_rows(one)]


def _find_files(path: Path, file: HarnessFile, split: str) -> list[Path]:
    if file.dataset_path in _BUILDERS:
        files = file.dataset_kwargs.data_files
        named = files.get(split) if isinstance(files, dict) else files if split == "train" else None
        if named is None:
            raise TaskError(f"{path}: dataset_kwargs.data_files names no file for split {split!r}.")
        return [_resolve(path, one) for one in ([named] if isinstance(named, str) else named)]
    folder = _resolve(path, file.dataset_path)
    if not folder.is_dir():
        raise TaskError(
            f"{path}: dataset_path {file.dataset_path!r} is no folder here, and nothing is fetched "
            "from a hub. Download it and name the folder, or json, csv or parquet with data_files."
        )
    inside = [folder / part for part in (file.dataset_name, file.dataset_kwargs.data_dir) if part]
    places = [place for base in (*inside, folder) for place in (base, base / "data")]
    for place in places:
        files = sorted(one for one in place.glob(f"{split}*") if one.suffix in TABLE_SUFFIXES)
        if files:
            return files
    raise TaskError(f"{path}: {folder} has no file {split}*.jsonl, .json, .csv, .tsv or .parquet.")


def _resolve(path: Path, name: str) -> Path:
    beside = path.parent / name
    return beside if beside.exists() else Path(name)


def _make_items(
    renderer: Renderer,
    file: HarnessFile,
    rows: Iterable[dict[str, JsonValue]],
    split: Literal["test", "shots"],
) -> list[TaskItem]:
    items: list[TaskItem] = []
    for row in rows:
        text = renderer.render("doc_to_text", file.doc_to_text, row).strip()
        if _is_templated(file):
            text = renderer.render("description", file.description, row) + text
        answers = _read_answers(renderer, file, row)
        own = row.get("id")
        name = str(own) if isinstance(own, str | int) else short_id(text, *answers)
        if not text or (answers.choices and text.isdecimal()):
            raise TaskError(
                f"{renderer.where}: doc_to_text gives {text!r} for row {name}, wanted a text that "
                "stands before the choices; tasks whose choices stand before it are not read."
            )
        items.append(TaskItem(id=name, split=split, text=text, **answers._asdict()))
    return items


def _is_templated(file: HarnessFile) -> bool:
    return "{{" in file.description or "{%" in file.description


def _read_answers(renderer: Renderer, file: HarnessFile, row: dict[str, JsonValue]) -> _Answers:
    if file.output_type == "multiple_choice":
        return _read_choice(renderer, file, row)
    target = file.doc_to_target
    if isinstance(target, list):
        return _Answers(references=tuple(target))
    value = row[target] if isinstance(target, str) and target in row else None
    if isinstance(value, list):
        return _Answers(references=tuple(str(one).strip() for one in value))
    text = renderer.render("doc_to_target", str(target), row).strip()
    # As the harness has it: what is written as a list is one.
    literal = read_literal(text) if text.startswith("[") else None
    if isinstance(literal, list):
        return _Answers(references=tuple(str(one).strip() for one in cast("list[object]", literal)))
    return _Answers(references=(text,) if text else ())


def _read_choice(renderer: Renderer, file: HarnessFile, row: dict[str, JsonValue]) -> _Answers:
    if file.doc_to_choice is None:
        raise TaskError(f"{renderer.where}: multiple_choice wants doc_to_choice, found none.")
    choices = renderer.render_list("doc_to_choice", cast("JsonValue", file.doc_to_choice), row)
    target = str(file.doc_to_target)
    value = row.get(target) if not isinstance(file.doc_to_target, int) else None
    # A column of booleans counts as the harness counts it: false is the first choice.
    text = str(int(value)) if isinstance(value, bool) else None
    text = text if text is not None else renderer.render("doc_to_target", target, row).strip()
    if text in choices:
        return _Answers(text, choices)
    if text.isdecimal() and int(text) < len(choices):
        return _Answers(choices[int(text)], choices)
    raise TaskError(
        f"{renderer.where}: doc_to_target gives {text[:60]!r}, wanted one of the choices "
        f"{', '.join(map(repr, choices[:8]))} or its number from 0."
    )


def _number(items: Sequence[TaskItem]) -> list[TaskItem]:
    """Tell items apart whose ids are the same, as rows of two splits have them."""
    seen: Counter[str] = Counter()
    numbered: list[TaskItem] = []
    for item in items:
        seen[item.id] += 1
        again = f"{item.id}-{seen[item.id]}"
        numbered.append(item if seen[item.id] == 1 else item.model_copy(update={"id": again}))
    return numbered


def _share_labels(items: list[TaskItem]) -> tuple[list[TaskItem], tuple[str, ...]]:
    """Make choices that all items have the task's labels, so that shots are drawn evenly."""
    sets = {item.choices for item in items}
    if len(sets) != 1:
        return items, ()
    return [item.model_copy(update={"choices": ()}) for item in items], sets.pop()


def _make_card(
    path: Path, file: HarnessFile, labels: tuple[str, ...], language: Language
) -> TaskCard:
    is_choice = file.output_type == "multiple_choice"
    left_out = "; its filters are left out" if file.filter_list and not is_choice else ""
    instruction = "" if _is_templated(file) else file.description.strip()
    tokens = file.generation_kwargs.get("max_gen_toks")
    return TaskCard(
        language=language,
        family="other",
        metric="accuracy" if is_choice else _find_metric(path, file),
        labels=labels,
        wordings=(Wording(name="harness", instruction=instruction),),
        answer_tokens=min(tokens, _MOST_TOKENS) if isinstance(tokens, int) else _DEFAULT_TOKENS,
        licence="unknown",
        origin=f"task file {path.name} of lm-evaluation-harness{left_out}",
    )


def _find_metric(path: Path, file: HarnessFile) -> Metric:
    names = [one.metric for one in file.metric_list]
    for name in names or ["exact_match"]:
        if name in _METRICS:
            return _METRICS[name]
    raise TaskError(
        f"{path}: wanted one of the metrics {', '.join(_METRICS)}, found {', '.join(names)}."
    )
