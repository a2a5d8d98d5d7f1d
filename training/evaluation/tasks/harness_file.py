"""Read a task file of lm-evaluation-harness: YAML with ``include``, without any code.

Of its fields (EleutherAI's task guide, version 0.4) those are read that say what is asked and what
is right. Where they name Python (``!function``) or a dataset on a hub, the file is refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import yaml
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from schemas.storage import describe_validation_error
from training.evaluation.tasks.items import TaskError


class FewshotConfig(BaseModel):
    """Worked examples of a task file's own."""

    model_config = ConfigDict(extra="ignore")

    split: str | None = None
    samples: list[dict[str, JsonValue]] | None = None


class DatasetOptions(BaseModel):
    """What says where the data is."""

    model_config = ConfigDict(extra="ignore")

    data_files: str | list[str] | dict[str, str | list[str]] | None = None
    data_dir: str | None = None


class Metric(BaseModel):
    """How answers are scored there."""

    model_config = ConfigDict(extra="ignore")

    metric: str


class HarnessFile(BaseModel):
    """The fields that are read, by their names in the file."""

    model_config = ConfigDict(extra="ignore")

    task: str
    dataset_path: str
    dataset_name: str | None = None
    dataset_kwargs: DatasetOptions = DatasetOptions()
    training_split: str | None = None
    validation_split: str | None = None
    test_split: str | None = None
    fewshot_split: str | None = None
    fewshot_config: FewshotConfig = FewshotConfig()
    output_type: str = "generate_until"
    description: str = ""
    doc_to_text: str
    doc_to_target: str | int | list[str]
    doc_to_choice: str | list[str] | dict[str, str] | None = None
    generation_kwargs: dict[str, JsonValue] = {}
    metric_list: list[Metric] = []
    filter_list: JsonValue = None


def read_harness_file(path: Path) -> HarnessFile:
    """Read a task file with all that it includes.

    Raises:
        TaskError: It is none, names code, or lacks a field.
    """
    fields = _read(path, ())
    if isinstance(fields.get("task"), list) or "group" in fields:
        raise TaskError(f"{path} is a group of tasks: name the file of one of them.")
    try:
        return HarnessFile.model_validate({k: v for k, v in fields.items() if v is not None})
    except ValidationError as error:
        raise TaskError(
            f"{path} is no task file of lm-evaluation-harness: {describe_validation_error(error)}"
        ) from error


def _read(path: Path, including: tuple[Path, ...]) -> dict[str, object]:
    """Read one file; what it includes comes first, so that its own fields win."""
    if path.resolve() in including:
        raise TaskError(f"{path} includes itself.")
    fields = _parse(path)
    included = fields.pop("include", None)
    merged: dict[str, object] = {}
    for name in included if isinstance(included, list) else [included]:
        if name is not None:
            merged |= _read(path.parent / str(name), (*including, path.resolve()))
    return merged | fields


def _parse(path: Path) -> dict[str, object]:
    try:
        value: object = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe one
    except FileNotFoundError as error:
        raise TaskError(f"{path}: no such file.") from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise TaskError(f"{path}: cannot be read: {error}.") from error
    except _CodeError as error:
        raise TaskError(
            f"{path}: {error} names Python code, which is not run here. Write what it does as a "
            "Jinja template, or convert the data to a table of text and label."
        ) from error
    except yaml.YAMLError as error:
        raise TaskError(f"{path} is no YAML: {' '.join(str(error).split())[:160]}.") from error
    if not isinstance(value, dict):
        raise TaskError(f"{path}: wanted YAML fields such as task and doc_to_text, found none.")
    return dict(cast("Mapping[str, object]", value))


class _CodeError(Exception):
    """A node that would be Python."""


class _Loader(yaml.SafeLoader):
    """Knows no tag but YAML's own."""


def _refuse_code(loader: yaml.SafeLoader, node: yaml.Node) -> None:
    raise _CodeError(f"{node.tag} {str(node.value)[:60]!r} in line {node.start_mark.line + 1}")


_Loader.add_constructor("!function", _refuse_code)
