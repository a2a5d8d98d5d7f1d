"""Unfinished trainings: which are given up, and what the others still need."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from flows.retention.disk import is_real_folder, last_written_s, list_readable, measure
from flows.retention.things import Candidate, find_mentions
from training.finetuning.checkpoints import last_step
from training.finetuning.run_folder import RunDescription
from training.finetuning.run_lock import is_held

_DAY_S = 86_400
_PREFIX = ".run-"


class Training(NamedTuple):
    """The folder of an unfinished run."""

    key: str
    folder: Path
    is_held: bool
    """A process works on it."""
    idle_days: float
    """Since anything in it was written."""
    mentions: frozenset[str]
    """Hashes of what it trains on and from."""
    problem: str = ""
    """Why it cannot be told what it needs; empty where it can."""


def read_trainings(outputs: Path, now_s: float) -> list[Training]:
    """Read all unfinished trainings under an outputs folder."""
    return [_read(outputs, folder, now_s) for folder in _find_folders(outputs)]


def is_given_up(training: Training, stale_days: float) -> bool:
    """Tell whether nobody works on it and nothing was written for so many days."""
    return not training.is_held and training.idle_days >= stale_days


def propose_trainings(trainings: list[Training], stale_days: float) -> Iterator[Candidate]:
    """Propose the given-up ones."""
    for training in trainings:
        if is_given_up(training, stale_days):
            yield Candidate(
                "unfinished training",
                training.key,
                f"stopped after step {last_step(training.folder)}, and for "
                f"{training.idle_days:.0f} days nobody continued it",
                measure(training.folder),
            )


def _find_folders(outputs: Path) -> Iterator[Path]:
    for name in list_readable(outputs / "models"):
        for path in list_readable(name):
            if path.name.startswith(_PREFIX) and is_real_folder(path):
                yield path


def _read(outputs: Path, folder: Path, now_s: float) -> Training:
    held = is_held(folder)
    idle_days = (now_s - last_written_s(folder)) / _DAY_S
    key = folder.relative_to(outputs).as_posix()
    training = Training(key, folder, held, idle_days, frozenset())
    try:
        text = (folder / "run.json").read_text(encoding="utf-8")
        RunDescription.model_validate_json(text)
    except FileNotFoundError:
        # Just begun, or never: without it nobody can continue the run.
        problem = "it has begun and does not say yet what it needs" if held else ""
        return training._replace(problem=problem)
    except (OSError, UnicodeDecodeError, ValidationError):
        return training._replace(problem="its run.json is damaged, or of another version")
    return training._replace(mentions=find_mentions(text))
