"""The folder of an unfinished run: found by what decides its result, held by one process.

A run lives in ``outputs/models/NAME/.run-HASH`` until its version is published. ``run.json`` in it
lists by name all that decides the result, down to the versions of the libraries, and HASH is its
hash: the same call finds its own run and continues it, any other starts its own and can say in
which values the runs beside it differ.
"""

import shlex
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import JsonValue, ValidationError

from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.identity import short_id
from schemas.storage import describe_validation_error, write_text
from training.finetuning.checkpoints import discard, last_step, remove_unfinished
from training.finetuning.run_lock import hold_run, is_held

_PREFIX = ".run-"
_DESCRIPTION = "run.json"
_LIBRARIES = ("accelerate", "bitsandbytes", "peft", "tokenizers", "torch", "transformers", "trl")
_SHOWN = 3
_WIDTH = 24


class ResumeError(UserError):
    """A folder is no run that can be continued with these values."""


class RunDescription(Frozen):
    """All that decides the result of a run."""

    format: Literal["pacaloom-run/1"] = "pacaloom-run/1"
    name: str
    """Of the model."""
    values: dict[str, JsonValue]
    """By name: the recipe, decided, the hashes of dataset, student and template, and the versions
    of the libraries."""


class Leftover(NamedTuple):
    """An unfinished run that no process works on."""

    folder: Path
    step: int
    """After which it would continue; 0 when it has no checkpoint."""
    description: RunDescription | None
    """None when another version of this program wrote it."""


def describe_run(
    name: str,
    decided: Mapping[str, JsonValue],
    *,
    dataset: str,
    student: str,
    template: str,
) -> RunDescription:
    """Lay out what decides a run.

    Args:
        name: Of the model.
        decided: The recipe, with what it left open decided.
        dataset: Content hash of the dataset version.
        student: sha256 of the base weights.
        template: Hash of the template.
    """
    values = describe_values(
        decided,
        dataset=dataset,
        student=student,
        template=template,
        libraries=library_versions(),
    )
    return RunDescription(name=name, values=values)


def describe_values(
    decided: Mapping[str, JsonValue],
    *,
    dataset: str,
    student: str,
    template: str,
    libraries: Mapping[str, str],
) -> dict[str, JsonValue]:
    """Lay out by name what decides a run, now or as a manifest remembers it."""
    hashes = {"dataset": dataset, "student": student, "template": template}
    numbers = {f"{library} version": number for library, number in libraries.items()}
    return {**decided, **hashes, **numbers}


def library_versions() -> dict[str, str]:
    """Read which versions of the libraries that decide a result are installed."""
    return {library: version(library) for library in _LIBRARIES}


@contextmanager
def open_run(
    root: Path, description: RunDescription, resume: Path | None = None
) -> Generator[Path]:
    """Make or find the folder of a run and hold it as long as the block takes.

    Args:
        root: Folder of all models.
        description: What decides the run.
        resume: Folder of the run that has to be continued; None finds it by the description.

    Raises:
        ResumeError: ``resume`` is no unfinished run, or one with other values.
        RunBusyError: Another process works on the run.
        StorageError: The folder cannot be made, locked or written.
    """
    if resume is None:
        identity = short_id(description.model_dump(mode="json"))
        folder = root / description.name / f"{_PREFIX}{identity}"
    else:
        folder = resume
        _check_resumable(resume, description)
    with hold_run(folder):
        remove_unfinished(folder)
        if not (folder / _DESCRIPTION).is_file():
            write_text(folder / _DESCRIPTION, description.model_dump_json(indent=2))
        yield folder


def close_run(folder: Path) -> None:
    """Remove the folder of a run whose model is published; only who holds it may do so."""
    discard(folder)
    # Runs of the same name that were killed while they did this.
    for half_removed in folder.parent.glob(f".discarded-{_PREFIX.removeprefix('.')}*"):
        shutil.rmtree(half_removed, ignore_errors=True)


def leftover_runs(root: Path, name: str) -> list[Leftover]:
    """Find the unfinished runs of a name that no process works on."""
    return [
        Leftover(folder, last_step(folder), _read_description(folder))
        for folder in sorted((root / name).glob(f"{_PREFIX}*"))
        if folder.is_dir() and not is_held(folder)
    ]


def describe_leftovers(leftovers: list[Leftover], description: RunDescription) -> str | None:
    """Say in one line which unfinished runs lie beside a new one and how to go on with them.

    Returns:
        None when there is nothing to say.
    """
    if not leftovers:
        return None
    latest = max(leftovers, key=lambda run: run.step)
    if latest.description is None:
        differing = "was written by another version of Pacaloom"
    else:
        differing = f"differs: {_list_differences(latest.description, description)}"
    folders = " ".join(shlex.quote(str(run.folder)) for run in leftovers)
    many = (
        "An unfinished run" if len(leftovers) == 1 else f"One of {len(leftovers)} unfinished runs"
    )
    return (
        f"{many} of {description.name!r}, {latest.folder}, stopped after step {latest.step}, "
        f"{differing}. This is a new one; to go on with that, give its values and --resume "
        f"{shlex.quote(str(latest.folder))}; to remove: rm -r {folders}"
    )


def _check_resumable(folder: Path, wanted: RunDescription) -> None:
    if not folder.is_dir():
        raise ResumeError(
            f"{folder} cannot be continued: wanted the folder of an unfinished run, found none. "
            "Once a run is finished its folder is gone and its model is a version beside it."
        )
    if (folder / "manifest.json").is_file():
        raise ResumeError(
            f"{folder} cannot be continued: it is a published version. Unfinished runs are folders "
            f"named {_PREFIX}… beside the versions."
        )
    try:
        found = RunDescription.model_validate_json((folder / _DESCRIPTION).read_bytes())
    except OSError as error:
        raise ResumeError(
            f"{folder} cannot be continued: wanted the folder of an unfinished run, found no "
            f"readable {_DESCRIPTION} in it."
        ) from error
    except ValidationError as error:
        raise ResumeError(
            f"{folder / _DESCRIPTION} is not what this version of Pacaloom writes: "
            f"{describe_validation_error(error)}. Leave --resume out to start anew."
        ) from error
    if found != wanted:
        raise ResumeError(
            f"{folder} cannot be continued with other values than it began with: "
            f"{_list_differences(found, wanted)}. Give its own values, or leave --resume out to "
            "start anew."
        )


def _list_differences(found: RunDescription, wanted: RunDescription) -> str:
    """Name what differs, ``learning_rate 0.0002 → 0.001, r 16 → 8 and 2 more``."""
    old = {"name": found.name, **found.values}
    new = {"name": wanted.name, **wanted.values}
    # In the order of the recipe, which begins with what users change most.
    names = [name for name in {**new, **old} if _show(old, name) != _show(new, name)]
    shown = [
        f"{name} {_cut(_show(old, name))} → {_cut(_show(new, name))}" for name in names[:_SHOWN]
    ]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(shown) + more


def _show(values: Mapping[str, JsonValue], name: str) -> str:
    if name not in values:
        return "absent"
    value = values[name]
    return "none" if value is None else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH // 2]}…"


def _read_description(folder: Path) -> RunDescription | None:
    try:
        return RunDescription.model_validate_json((folder / _DESCRIPTION).read_bytes())
    except (OSError, ValidationError):
        return None
