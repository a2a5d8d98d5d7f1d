"""What may go and why, from what lies under the outputs folder; nothing is touched.

What stays is what :mod:`flows.retention.roots` names, and all that these refer to. Journals,
drafts, readers' decisions and the registry always stay. In the cache only served students are
looked at. Cost: a millisecond a version, and a look
at each file of what may go.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from flows.parameters import MaintenanceParams
from flows.paths import served_folder
from flows.retention.caches import propose_answers, propose_served
from flows.retention.disk import measure
from flows.retention.indexes import propose_indexes
from flows.retention.leftovers import propose_leftovers
from flows.retention.logs import propose_logs
from flows.retention.reachability import find_reached
from flows.retention.reading import read_things
from flows.retention.roots import (
    Standing,
    describe_blind_spots,
    find_blind_spots,
    find_roots,
    keep_all,
    read_standing,
)
from flows.retention.things import Candidate, Kind, Thing, What, link
from flows.retention.trainings import is_given_up, propose_trainings, read_trainings
from flows.settings import Settings
from schemas.errors import UserError

_WHAT: Mapping[Kind, What] = {
    "datasets": "dataset version",
    "models": "model version",
    "evaluations": "evaluation",
}


class NothingThereError(UserError):
    """There is no outputs folder."""


class Plan(NamedTuple):
    """What a look at the outputs folder found."""

    candidates: tuple[Candidate, ...]
    kept: dict[str, str]
    """By key: why a version or evaluation stays."""
    notices: tuple[str, ...]
    """What people should know, a line each."""


def find_folders(settings: Settings) -> Settings:
    """Name the outputs folder and the cache themselves, where the settings may name links to them.

    Raises:
        NothingThereError: It does not exist.
    """
    if not settings.outputs.is_dir():
        raise NothingThereError(
            f"{settings.outputs}: wanted the outputs folder, found nothing. Set PACALOOM_OUTPUTS "
            "to where it is; before the first run there is nothing to maintain."
        )
    return settings.model_copy(
        update={"outputs": settings.outputs.resolve(), "cache": settings.cache.resolve()}
    )


def make_plan(params: MaintenanceParams, settings: Settings, now_s: float) -> Plan:
    """Find what may go.

    Args:
        params: How much stays.
        settings: Where the outputs and the cache are.
        now_s: Unix time.

    Raises:
        NothingThereError: There is no outputs folder.
    """
    settings = find_folders(settings)
    outputs, served = settings.outputs, served_folder(settings.cache)
    things = read_things(outputs)
    trainings = read_trainings(outputs, now_s)
    waiting = [one for one in trainings if not is_given_up(one, params.stale_days)]
    standing = read_standing(settings)
    roots = find_roots(things, waiting, standing, settings, params.keep_versions)
    blind = find_blind_spots(things, waiting, standing)
    if blind:
        roots = keep_all(things, roots)
    kept = find_reached(roots, link(things))
    staying = [thing for thing in things if thing.key in kept]
    candidates = [
        *_propose_things(outputs, things, kept, standing),
        *propose_trainings(trainings, params.stale_days),
        *propose_leftovers(outputs, served, now_s),
        *propose_indexes(outputs, staying, params.stale_days, now_s),
        *propose_logs(outputs, params.log_days, now_s),
    ]
    if not blind:
        candidates += propose_answers(outputs, staying, params.stale_days, now_s)
        candidates += propose_served(served, kept, params.stale_days, now_s)
    return Plan(tuple(candidates), kept, (*_doubt(outputs), *describe_blind_spots(blind)))


def _doubt(outputs: Path) -> Iterator[str]:
    """Ask whether it is the right folder: the log of this very run may have made it."""
    if not any((outputs / kind).exists() for kind in ("datasets", "models", "journals")):
        yield (
            f"{outputs} has no datasets, no models and no journals: see that PACALOOM_OUTPUTS "
            "names the folder that was meant."
        )


def _propose_things(
    outputs: Path, things: Iterable[Thing], kept: Mapping[str, str], standing: Standing
) -> Iterator[Candidate]:
    for thing in things:
        # A report that the registry names is what was said of a version, there or gone.
        is_remembered = thing.kind == "evaluations" and (
            standing.problem or thing.reference in standing.reports
        )
        if thing.key in kept or is_remembered:
            continue
        beside = _find_beside(outputs, thing)
        size = measure(thing.folder) + sum(measure(outputs / key) for key in beside)
        yield Candidate(_WHAT[thing.kind], thing.key, _say_why(thing), size, beside)


def _find_beside(outputs: Path, thing: Thing) -> tuple[str, ...]:
    path = thing.folder.with_name(f"{thing.folder.name}.merge.json")
    is_there = thing.kind == "models" and path.is_file()
    return (path.relative_to(outputs).as_posix(),) if is_there else ()


def _say_why(thing: Thing) -> str:
    if thing.kind == "evaluations":
        return "what it judges goes or is gone, and no verdict rests on it"
    return "older than those that stay, and nothing that stays refers to it"
