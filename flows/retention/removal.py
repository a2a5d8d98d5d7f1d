"""Remove what may go, so that a kill at any moment leaves nothing that looks whole.

A folder first takes a hidden name and is then deleted: killed in between, the next run finds a
leftover. Versions, evaluations and trainings go under the locks of all names, after another look at
who refers to whom, so that nothing goes that was published, promoted or continued meanwhile.
"""

import shutil
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from flows.paths import served_folder
from flows.registry import open_registry
from flows.retention.disk import is_real_folder, last_written_s, list_readable
from flows.retention.logs import LONGEST, shorten
from flows.retention.things import Candidate
from flows.settings import Settings
from schemas.errors import PacaloomError
from schemas.locking import BusyError, Say, hold_name, is_in_use, name_removed
from training.finetuning.checkpoints import name_discarded
from training.finetuning.run_lock import hold_run

_REFERRED_TO = ("dataset version", "model version", "evaluation", "unfinished training")
_LONGEST_WAIT_S = 60.0


class Removal(NamedTuple):
    """What went, and what people should know."""

    removed: tuple[Candidate, ...]
    notices: tuple[str, ...]


class _InUseError(PacaloomError):
    """Something has become a champion, or was used, since it was looked at."""


def remove(
    candidates: Sequence[Candidate],
    look_again: Callable[[], Iterable[Candidate]],
    settings: Settings,
    now: datetime,
    say: Say,
    longest_wait_s: float = _LONGEST_WAIT_S,
) -> Removal:
    """Remove what may go.

    Args:
        candidates: From a plan.
        look_again: Plans anew; called while nobody publishes.
        settings: Where the outputs and the cache are; no links.
        now: For the registry.
        say: Told whom is waited for.
        longest_wait_s: Seconds, for each publisher; publishing 100,000 records takes half a minute.

    Returns:
        What is gone now. What is in use, or cannot be removed, stays, with a line.
    """
    outputs = settings.outputs
    notices: list[str] = []
    for one in candidates:
        if one.what not in _REFERRED_TO:
            _try(one, lambda one=one: _remove_free(settings, one), notices)
    held = [one for one in candidates if one.what in _REFERRED_TO]
    if held:
        try:
            with _hold_names(outputs, say, longest_wait_s):
                hidden = _hide(held, {one.key for one in look_again()}, settings, now, notices)
        except BusyError as error:
            notices.append(f"All versions stay this time. {error}")
        else:
            notices += _delete(hidden)
    removed = tuple(one for one in candidates if _is_gone(outputs, one))
    return Removal(removed, tuple(notices))


@contextmanager
def _hold_names(outputs: Path, say: Say, longest_wait_s: float) -> Generator[None]:
    """Keep everybody from publishing; no publisher holds two names, so nobody waits for ever.

    Raises:
        BusyError: Somebody publishes, and does not come to an end.
    """
    with ExitStack() as held:
        for root in (outputs / "datasets", outputs / "models"):
            for name in list_readable(root):
                if is_real_folder(name) and not name.name.startswith("."):
                    held.enter_context(hold_name(root, name.name, say, longest_wait_s))
        yield


def _hide(
    candidates: Iterable[Candidate],
    still: Collection[str],
    settings: Settings,
    now: datetime,
    notices: list[str],
) -> list[Path]:
    """Take what still may go out of sight: this takes no time, and deleting does."""
    hidden: list[Path] = []
    for one in candidates:
        if one.key in still:
            _try(one, lambda one=one: hidden.extend(_hide_one(one, settings, now)), notices)
    wanted = sum(one.key not in still for one in candidates)
    if wanted:
        notices.append(f"{wanted} of them stay: they are needed by now")
    return hidden


def _hide_one(one: Candidate, settings: Settings, now: datetime) -> list[Path]:
    folder = settings.outputs / one.key
    if not _is_inside(settings.outputs, folder):
        return []
    if one.what == "unfinished training":
        with hold_run(folder):
            return [_rename(folder, name_discarded(folder))]
    if one.what == "evaluation":
        return [_rename(folder, name_discarded(folder))]
    if one.what == "model version":
        with _registered_as_removed(folder, settings, now):
            hidden = _rename(folder, name_removed(folder))
        return [hidden, *(settings.outputs / key for key in one.beside)]
    return [_rename(folder, name_removed(folder))]


@contextmanager
def _registered_as_removed(folder: Path, settings: Settings, now: datetime) -> Generator[None]:
    """Keep a model from being promoted while it goes; when it cannot go, it is there as before."""
    registry = open_registry(settings)
    name, version = folder.parts[-2:]
    if not registry.mark_removed(name, version, now):
        raise _InUseError("it is a champion by now.")
    try:
        yield
    except FileNotFoundError:
        # Somebody has removed it by hand.
        raise
    except OSError:
        registry.mark_present(name, version)
        raise


def _rename(folder: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    return folder.rename(target)


def _delete(hidden: Iterable[Path]) -> list[str]:
    """Delete what nobody sees any more; what cannot be deleted is the next run's leftover."""
    left: list[str] = []
    for path in hidden:
        _erase(path)
        if path.parent.parent.name == "evaluations":
            # The last one about a model that is gone; others keep their folder.
            with suppress(OSError):
                path.parent.rmdir()
        if path.exists():
            left.append(f"{path} could not be deleted whole: mend its permissions and remove it.")
    return left


def _remove_free(settings: Settings, one: Candidate) -> None:
    """Remove what no manifest refers to."""
    path = settings.outputs / one.key
    folders = (settings.outputs, served_folder(settings.cache))
    if not any(_is_inside(folder, path) for folder in folders):
        return
    if one.used_s is not None and (last_written_s(path) > one.used_s or _is_served(one, path)):
        raise _InUseError("it is in use by now.")
    if one.what == "front of a log":
        shorten(path)
    elif one.used_s is not None and is_real_folder(path):
        _erase(_rename(path, name_discarded(path)))
    else:
        _erase(path)


def _is_served(one: Candidate, path: Path) -> bool:
    return one.what == "served student" and is_in_use(path)


def _erase(path: Path) -> None:
    if is_real_folder(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _try(one: Candidate, step: Callable[[], object], notices: list[str]) -> None:
    """Take a step; what is in use or cannot be removed stays, with its reason."""
    try:
        step()
    except FileNotFoundError:
        # Somebody else has removed it.
        return
    except OSError as error:
        notices.append(f"{one.key} stays: {error.strerror or error}")
    except PacaloomError as error:
        notices.append(f"{one.key} stays: {error}")


def _is_inside(folder: Path, path: Path) -> bool:
    """Tell whether a path leads to itself, over no link, inside a folder of ours."""
    return path.resolve() == path and path.is_relative_to(folder)


def _is_gone(outputs: Path, one: Candidate) -> bool:
    path = outputs / one.key
    if one.what == "front of a log":
        return path.is_file() and path.stat().st_size <= LONGEST
    return not path.exists()
